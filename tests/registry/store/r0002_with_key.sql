BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('r0002');
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	who TEXT NOT NULL, 
	what TEXT NOT NULL, 
	pseudonym TEXT, 
	before_sha256 TEXT, 
	after_sha256 TEXT, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (id)
)
 STRICT

;
INSERT INTO "audit" VALUES(1,'2026-11-28T12:43:40.552624+00:00','ada','import','founding',NULL,'639b8c5ada607bccdf85225be19b5e954942bf5d347115f20d4113272f462b3b','98a404b28b39182589acd2dd7e7a16202fa949c1930a4b0f6643c3fed9658b5d');
INSERT INTO "audit" VALUES(2,'2026-11-28T12:43:40.552624+00:00','ada','import','P000001',NULL,'eed8314852f44d543b8927a5301bd4e30693f0503dc2628418a09836972d25fb','7ec0f3641eacbe228c1b3289e6882ed751c9b427dfd76813ad022847dc95f371');
INSERT INTO "audit" VALUES(3,'2026-11-28T12:43:40.552624+00:00','ada','import','P000002',NULL,'d8ac7ec40d8e99a513d19e68e550563e904b27afbfd3df35b423c84ae50ef35e','6c35838cd36efb48cbe147890e3c74ecf810547479652a90786d42337ba1145e');
INSERT INTO "audit" VALUES(4,'2026-11-28T12:43:40.552624+00:00','ada','import','P000050',NULL,'b8eb993ac0c45fca18f78f0b3bb37f6f0bb6390a25a86475c3b8121fdc656d6a','32611ebc5f730d4a27a6c0f5ac8b77ce67c322813ee7cdfa7d8b809ce07b2852');
INSERT INTO "audit" VALUES(5,'2026-11-28T12:43:40.618346+00:00','ada','attach','founding','0ac1ecce56b1a25258307da5a6bd3d094de570aa5417a31b8b6261661ee14dec','52c1e0746ceb58b55d7060948ed16dcf3476fc95593f4351232e71f394633bf4','b2ec5f6c45cc9d1374880b49b80abe5868c9b30feb8732be1f6905c23c59a73b');
INSERT INTO "audit" VALUES(6,'2026-11-28T12:43:40.655080+00:00','bob','replace','founding','1fbe95aebeb617bbaa2448d06132c861a73e65d03aa3e43e56aa45d907530461','8a424589fc3382ac011e325262b6e2aeb7204f0c3d76ca1384c918d5276dc26e','202633ba29947df04927d8798e82f6a96bdee32b801b9120c4ee56565b1b1564');
INSERT INTO "audit" VALUES(7,'2026-11-28T12:43:40.670468+00:00','bob','withdraw','P000002','8a3809fd36e9ded2aab01a7f3713422e5c7675d20ead6f194545a39129ca1adf','64b3ed061bbfc0aaa5c582fd23817868c1bdfc3b6152d37ae83e052f7eb8d3f8','888acf6a7b5403fb92714695805c10828759766a815723de135290de5573dce8');
INSERT INTO "audit" VALUES(8,'2026-11-28T12:43:40.682005+00:00','bob','erase','P000002',NULL,NULL,'2e15ce0f087ce89652af3f1598b9aa38845f4d656333b575821a687563002676');
CREATE TABLE audit_content (
	id INTEGER NOT NULL, 
	salt TEXT NOT NULL, 
	"before" TEXT, 
	"after" TEXT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(id) REFERENCES audit (id)
)
 STRICT

;
INSERT INTO "audit_content" VALUES(1,'14e65e71261b250b9aa39f50899b1d1c',NULL,'{"patient":{"pseudonym":"founding","age_years":70.0,"sex":"F","name":"hmac-sha256:84cf3dfd3a7f7f1b1cdf1f40856e69ed","born":"hmac-sha256:02d937592404ad4073be6e91cd0b8f81"},"fractures":[{"level":"T12","cause":"osteoporotic","posterior_wall":"breached","cleft":"unknown"}],"procedures":[{"kind":"VP","level":"T12","on":"2022-05-01","notes":"two punctures"}],"imaging":[{"modality":"CT","on":"2022-05-01","series_uid":"1.2.3"}],"leaks":[{"compartment":"intradural","level":"T12","intradural":"probable","signs":[{"name":"layering","state":"present"},{"name":"root_outlines","state":"absent"}]},{"compartment":"epidural","level":"T12","signs":[{"name":"layering","state":"absent"}]}],"deficit":{"present":"yes","on":"2022-05-01","delay_h":0.0,"description":"legs, bladder, bowel"},"revisions":[{"laminectomy_levels":["T12"],"durotomy":"yes","corpectomy":"unknown","fixation_levels":["T11","L1"],"fixation":"unknown"}],"outcomes":[{"scale":"mrc","as_written":"2","value":2.0,"side":"left","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"1","value":1.0,"side":"right","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"2+","value":2.33,"side":"right","muscle":"quadriceps","days":1.0},{"scale":"mrc","as_written":"4","value":4.0,"side":"left","muscle":"quadriceps","days":30.0},{"scale":"bladder","as_written":"normal","choice":"normal","days":30.0}],"events":[{"kind":"adjacent_fracture","level":"L1","on":"2023-05-02"}],"withdrawn":false}');
INSERT INTO "audit_content" VALUES(2,'f89062c8fd22dcb5bae91a83826fd6a4',NULL,'{"patient":{"pseudonym":"P000001","age_years":59.0,"sex":"M"},"fractures":[{"level":"T12","posterior_wall":"unknown","cleft":"unknown"}],"procedures":[{"kind":"VP","level":"T12","on":"2020-12-27"}],"imaging":[],"leaks":[{"compartment":"intradiscal","level":"T12","signs":[]}],"deficit":{"present":"no"},"revisions":[],"outcomes":[{"scale":"vas","as_written":"3","value":3.0,"days":1.0}],"events":[],"withdrawn":false}');
INSERT INTO "audit_content" VALUES(4,'4b21e1d02337b9ede27c5c87a9cbd554',NULL,'{"patient":{"pseudonym":"P000050","age_years":72.0,"sex":"M"},"fractures":[{"level":"L2","posterior_wall":"unknown","cleft":"unknown"}],"procedures":[{"kind":"VP","level":"L2","on":"2020-03-26"}],"imaging":[],"leaks":[{"compartment":"paravertebral","level":"L2","signs":[]},{"compartment":"intradiscal","level":"L2","signs":[]}],"deficit":{"present":"yes"},"revisions":[],"outcomes":[{"scale":"vas","as_written":"3","value":3.0,"days":1.0}],"events":[],"withdrawn":false}');
INSERT INTO "audit_content" VALUES(5,'b272334151c8ae6c2772ff76d0dcd145','{"patient":{"pseudonym":"founding","age_years":70.0,"sex":"F","name":"hmac-sha256:84cf3dfd3a7f7f1b1cdf1f40856e69ed","born":"hmac-sha256:02d937592404ad4073be6e91cd0b8f81"},"fractures":[{"level":"T12","cause":"osteoporotic","posterior_wall":"breached","cleft":"unknown"}],"procedures":[{"kind":"VP","level":"T12","on":"2022-05-01","notes":"two punctures"}],"imaging":[{"modality":"CT","on":"2022-05-01","series_uid":"1.2.3"}],"leaks":[{"compartment":"intradural","level":"T12","intradural":"probable","signs":[{"name":"layering","state":"present"},{"name":"root_outlines","state":"absent"}]},{"compartment":"epidural","level":"T12","signs":[{"name":"layering","state":"absent"}]}],"deficit":{"present":"yes","on":"2022-05-01","delay_h":0.0,"description":"legs, bladder, bowel"},"revisions":[{"laminectomy_levels":["T12"],"durotomy":"yes","corpectomy":"unknown","fixation_levels":["T11","L1"],"fixation":"unknown"}],"outcomes":[{"scale":"mrc","as_written":"2","value":2.0,"side":"left","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"1","value":1.0,"side":"right","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"2+","value":2.33,"side":"right","muscle":"quadriceps","days":1.0},{"scale":"mrc","as_written":"4","value":4.0,"side":"left","muscle":"quadriceps","days":30.0},{"scale":"bladder","as_written":"normal","choice":"normal","days":30.0}],"events":[{"kind":"adjacent_fracture","level":"L1","on":"2023-05-02"}],"withdrawn":false}','{"patient":{"pseudonym":"founding","age_years":70.0,"sex":"F","name":"hmac-sha256:84cf3dfd3a7f7f1b1cdf1f40856e69ed","born":"hmac-sha256:02d937592404ad4073be6e91cd0b8f81"},"fractures":[{"level":"T12","cause":"osteoporotic","posterior_wall":"breached","cleft":"unknown"}],"procedures":[{"kind":"VP","level":"T12","on":"2022-05-01","notes":"two punctures"}],"imaging":[{"modality":"CT","on":"2022-05-01","series_uid":"1.2.3","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"}],"leaks":[{"compartment":"intradural","level":"T12","intradural":"probable","signs":[{"name":"layering","state":"present"},{"name":"root_outlines","state":"absent"}]},{"compartment":"epidural","level":"T12","signs":[{"name":"layering","state":"absent"}]},{"compartment":"epidural","level":"T12","side":"left","volume_ml":0.4,"yeom":"B","occlusion":0.35,"intradural":"possible","probability":0.4,"signs":[{"name":"layering","state":"present"}],"seen_on":"ct","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"},{"compartment":"intradiscal","level":"L1","side":"left","volume_ml":0.1,"signs":[],"seen_on":"ct","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"}],"deficit":{"present":"yes","on":"2022-05-01","delay_h":0.0,"description":"legs, bladder, bowel"},"revisions":[{"laminectomy_levels":["T12"],"durotomy":"yes","corpectomy":"unknown","fixation_levels":["T11","L1"],"fixation":"unknown"}],"outcomes":[{"scale":"mrc","as_written":"2","value":2.0,"side":"left","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"1","value":1.0,"side":"right","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"2+","value":2.33,"side":"right","muscle":"quadriceps","days":1.0},{"scale":"mrc","as_written":"4","value":4.0,"side":"left","muscle":"quadriceps","days":30.0},{"scale":"bladder","as_written":"normal","choice":"normal","days":30.0}],"events":[{"kind":"adjacent_fracture","level":"L1","on":"2023-05-02"}],"withdrawn":false}');
INSERT INTO "audit_content" VALUES(6,'22b5b03af50e5528f053fd856fd1d767','{"patient":{"pseudonym":"founding","age_years":70.0,"sex":"F","name":"hmac-sha256:84cf3dfd3a7f7f1b1cdf1f40856e69ed","born":"hmac-sha256:02d937592404ad4073be6e91cd0b8f81"},"fractures":[{"level":"T12","cause":"osteoporotic","posterior_wall":"breached","cleft":"unknown"}],"procedures":[{"kind":"VP","level":"T12","on":"2022-05-01","notes":"two punctures"}],"imaging":[{"modality":"CT","on":"2022-05-01","series_uid":"1.2.3","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"}],"leaks":[{"compartment":"intradural","level":"T12","intradural":"probable","signs":[{"name":"layering","state":"present"},{"name":"root_outlines","state":"absent"}]},{"compartment":"epidural","level":"T12","signs":[{"name":"layering","state":"absent"}]},{"compartment":"epidural","level":"T12","side":"left","volume_ml":0.4,"yeom":"B","occlusion":0.35,"intradural":"possible","probability":0.4,"signs":[{"name":"layering","state":"present"}],"seen_on":"ct","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"},{"compartment":"intradiscal","level":"L1","side":"left","volume_ml":0.1,"signs":[],"seen_on":"ct","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"}],"deficit":{"present":"yes","on":"2022-05-01","delay_h":0.0,"description":"legs, bladder, bowel"},"revisions":[{"laminectomy_levels":["T12"],"durotomy":"yes","corpectomy":"unknown","fixation_levels":["T11","L1"],"fixation":"unknown"}],"outcomes":[{"scale":"mrc","as_written":"2","value":2.0,"side":"left","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"1","value":1.0,"side":"right","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"2+","value":2.33,"side":"right","muscle":"quadriceps","days":1.0},{"scale":"mrc","as_written":"4","value":4.0,"side":"left","muscle":"quadriceps","days":30.0},{"scale":"bladder","as_written":"normal","choice":"normal","days":30.0}],"events":[{"kind":"adjacent_fracture","level":"L1","on":"2023-05-02"}],"withdrawn":false}','{"patient":{"pseudonym":"founding","age_years":70.0,"sex":"F","name":"hmac-sha256:84cf3dfd3a7f7f1b1cdf1f40856e69ed","born":"hmac-sha256:02d937592404ad4073be6e91cd0b8f81"},"fractures":[{"level":"T12","cause":"osteoporotic","posterior_wall":"breached","cleft":"unknown"}],"procedures":[{"kind":"VP","level":"T12","on":"2022-05-01","notes":"Mrs Mustermann, second puncture on 2 March"}],"imaging":[{"modality":"CT","on":"2022-05-01","series_uid":"1.2.3","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"}],"leaks":[{"compartment":"intradural","level":"T12","intradural":"probable","signs":[{"name":"layering","state":"present"},{"name":"root_outlines","state":"absent"}]},{"compartment":"epidural","level":"T12","signs":[{"name":"layering","state":"absent"}]},{"compartment":"epidural","level":"T12","side":"left","volume_ml":0.4,"yeom":"B","occlusion":0.35,"intradural":"possible","probability":0.4,"signs":[{"name":"layering","state":"present"}],"seen_on":"ct","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"},{"compartment":"intradiscal","level":"L1","side":"left","volume_ml":0.1,"signs":[],"seen_on":"ct","report_sha256":"4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196"}],"deficit":{"present":"yes","on":"2022-05-01","delay_h":0.0,"description":"legs, bladder, bowel"},"revisions":[{"laminectomy_levels":["T12"],"durotomy":"yes","corpectomy":"unknown","fixation_levels":["T11","L1"],"fixation":"unknown"}],"outcomes":[{"scale":"mrc","as_written":"2","value":2.0,"side":"left","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"1","value":1.0,"side":"right","muscle":"quadriceps","days":0.0},{"scale":"mrc","as_written":"2+","value":2.33,"side":"right","muscle":"quadriceps","days":1.0},{"scale":"mrc","as_written":"4","value":4.0,"side":"left","muscle":"quadriceps","days":30.0},{"scale":"bladder","as_written":"normal","choice":"normal","days":30.0}],"events":[{"kind":"adjacent_fracture","level":"L1","on":"2023-05-02"}],"withdrawn":false}');
CREATE TABLE cases (
	id INTEGER NOT NULL, 
	pseudonym TEXT NOT NULL, 
	age_years REAL, 
	sex TEXT, 
	bone_t_score REAL, 
	bone_hu REAL, 
	sealed BLOB, 
	shift_days INTEGER, 
	withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)), 
	erased INTEGER NOT NULL CHECK (erased IN (0, 1)), 
	PRIMARY KEY (id), 
	UNIQUE (pseudonym)
)
 STRICT

;
INSERT INTO "cases" VALUES(1,'founding',70.0,'F',NULL,NULL,X'01BD6AC004854D39E3BE54688DEB04333420B9BFB22E8954BE955C68BDDE1A62DCB02BCE2FA4981AAF0222510E18A95FA8A8A6C9A72435B93D6F6D101A56205F98DFCA4AE741EDEA79FB768DAD68442524B40E318AED6AE52422F41519A33B512A5DA2',NULL,0,0);
INSERT INTO "cases" VALUES(2,'P000001',59.0,'M',NULL,NULL,X'01782011BD129F71ECB6261CC84F93C91F9905BB7E0F5B03CA295F2E5D429EC829756992EFE942C1DDE99250C861594FF7A69FE7F86940AB15A0DBF797D6BF7A82D71EB5E5B622D921F47119',NULL,0,0);
INSERT INTO "cases" VALUES(3,'P000002',NULL,NULL,NULL,NULL,NULL,NULL,1,1);
INSERT INTO "cases" VALUES(4,'P000050',72.0,'M',NULL,NULL,X'01F12830321384E16A9FC7E1FD7F2499036D09F5A668CCE9F79B668563228BE408F06A1732AF2582DBDEBD5BDC08BF7C51445D7FB6FBBCDCAFE95EA8979C5AD13CBCDDB391C9870E212264',NULL,0,0);
CREATE TABLE deficits (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	present TEXT NOT NULL, 
	"on" TEXT, 
	delay_h REAL, 
	description TEXT, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "deficits" VALUES(1,0,'yes','2022-05-01',0.0,'legs, bladder, bowel');
INSERT INTO "deficits" VALUES(2,0,'no',NULL,NULL,NULL);
INSERT INTO "deficits" VALUES(4,0,'yes',NULL,NULL,NULL);
CREATE TABLE drafts (
	pseudonym TEXT NOT NULL, 
	at TEXT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (pseudonym)
)
 STRICT

;
INSERT INTO "drafts" VALUES('new','2026-11-28T12:43:40+00:00',X'015A37A1C1CFD03D0DC6DB692230DC3456BDDC0A3CA2859C084F94DF5779239739884602FB70CA5BDE601571D0803B1E0BBE17D6B74D66D7');
INSERT INTO "drafts" VALUES('newer','2026-11-28T12:43:40+00:00',X'01F1965DE4FD4F61145C800B09045506075BA717EEED3482696CD8210363E9EB76BF5B93E217EBF6F0629B603DEDF61BB252E9345C22B195');
CREATE TABLE events (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	level TEXT, 
	"on" TEXT, 
	days REAL, 
	notes TEXT, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "events" VALUES(1,0,'adjacent_fracture','L1','2023-05-02',NULL,NULL);
CREATE TABLE fractures (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	level TEXT NOT NULL, 
	cause TEXT, 
	age_days REAL, 
	posterior_wall TEXT NOT NULL, 
	cleft TEXT NOT NULL, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "fractures" VALUES(1,0,'T12','osteoporotic',NULL,'breached','unknown');
INSERT INTO "fractures" VALUES(2,0,'T12',NULL,NULL,'unknown','unknown');
INSERT INTO "fractures" VALUES(4,0,'L2',NULL,NULL,'unknown','unknown');
CREATE TABLE imaging (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	modality TEXT NOT NULL, 
	"on" TEXT, 
	study_uid TEXT, 
	series_uid TEXT, 
	report_sha256 TEXT, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "imaging" VALUES(1,0,'CT','2022-05-01',NULL,'1.2.3','4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196');
CREATE TABLE leak_signs (
	case_id INTEGER NOT NULL, 
	leak INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	state TEXT NOT NULL, 
	PRIMARY KEY (case_id, leak, position), 
	FOREIGN KEY(case_id, leak) REFERENCES leaks (case_id, position) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "leak_signs" VALUES(1,0,0,'layering','present');
INSERT INTO "leak_signs" VALUES(1,0,1,'root_outlines','absent');
INSERT INTO "leak_signs" VALUES(1,1,0,'layering','absent');
INSERT INTO "leak_signs" VALUES(1,2,0,'layering','present');
CREATE TABLE leaks (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	compartment TEXT NOT NULL, 
	level TEXT, 
	side TEXT, 
	volume_ml REAL, 
	yeom TEXT, 
	occlusion REAL, 
	intradural TEXT, 
	probability REAL, 
	seen_on TEXT, 
	report_sha256 TEXT, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "leaks" VALUES(1,0,'intradural','T12',NULL,NULL,NULL,NULL,'probable',NULL,NULL,NULL);
INSERT INTO "leaks" VALUES(1,1,'epidural','T12',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "leaks" VALUES(1,2,'epidural','T12','left',0.4,'B',0.35,'possible',0.4,'ct','4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196');
INSERT INTO "leaks" VALUES(1,3,'intradiscal','L1','left',0.1,NULL,NULL,NULL,NULL,'ct','4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196');
INSERT INTO "leaks" VALUES(2,0,'intradiscal','T12',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "leaks" VALUES(4,0,'paravertebral','L2',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "leaks" VALUES(4,1,'intradiscal','L2',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE outcomes (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	scale TEXT NOT NULL, 
	as_written TEXT NOT NULL, 
	value REAL, 
	choice TEXT, 
	side TEXT, 
	muscle TEXT, 
	"on" TEXT, 
	days REAL, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "outcomes" VALUES(1,0,'mrc','2',2.0,NULL,'left','quadriceps',NULL,0.0);
INSERT INTO "outcomes" VALUES(1,1,'mrc','1',1.0,NULL,'right','quadriceps',NULL,0.0);
INSERT INTO "outcomes" VALUES(1,2,'mrc','2+',2.33,NULL,'right','quadriceps',NULL,1.0);
INSERT INTO "outcomes" VALUES(1,3,'mrc','4',4.0,NULL,'left','quadriceps',NULL,30.0);
INSERT INTO "outcomes" VALUES(1,4,'bladder','normal',NULL,'normal',NULL,NULL,NULL,30.0);
INSERT INTO "outcomes" VALUES(2,0,'vas','3',3.0,NULL,NULL,NULL,NULL,1.0);
INSERT INTO "outcomes" VALUES(4,0,'vas','3',3.0,NULL,NULL,NULL,NULL,1.0);
CREATE TABLE procedures (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	level TEXT NOT NULL, 
	"on" TEXT, 
	approach TEXT, 
	side TEXT, 
	needle_gauge REAL, 
	cement_brand TEXT, 
	viscosity TEXT, 
	since_mixing_s REAL, 
	volume_ml REAL, 
	notes TEXT, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "procedures" VALUES(1,0,'VP','T12','2022-05-01',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Mrs Mustermann, second puncture on 2 March');
INSERT INTO "procedures" VALUES(2,0,'VP','T12','2020-12-27',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "procedures" VALUES(4,0,'VP','L2','2020-03-26',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE registry (
	id INTEGER NOT NULL CHECK (id = 1), 
	uuid TEXT NOT NULL, 
	created TEXT NOT NULL, 
	key_id TEXT, 
	PRIMARY KEY (id)
)
 STRICT

;
INSERT INTO "registry" VALUES(1,'c702c460-4b3d-4b70-bb0e-9e7548ac1f67','2026-11-28T12:43:40+00:00','e3726e7d5445f39d');
CREATE TABLE report_files (
	case_id INTEGER NOT NULL, 
	sha256 TEXT NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (case_id, sha256), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 STRICT

;
INSERT INTO "report_files" VALUES(1,'4294230d26e95937d88a2a0e74f97c4be254bd9eb49496575ff9432b38d4c196',X'789CED56C96EDB3010BDFB2B049E0D55B2D3253DF69C4381F65604024D8D2CC214C972716C04F9F70EA995761204EDA9402E89353BDFBC21E7719565C4B2163A4ABE66C4B5C0A8C80D6865DC8792ACA35A35EE811A408347FC4689A41DCCE6D10AA54730962B1914C528A3923AD59D27D7D9597A21D6A36C760DE2287DC2BF4F313F97DABB39F981CB3AE4A83953DD98C782E1602BCFA3AACC37F97652B5548784BF8664E5FAEA47FC7F3FDA6BCAB8DC575DB774CA8BF5B33F135785454847DD80C2DDF71F5311BCF3823A08E539E361140BCEA0722D670709D6F6396764C8E1A82F046024885446F7299E08C62915B4BE62826B0D75455DAA928A5BA85A9F4AB56D2ACBF71D9D2B9ADA81BD72B03334621A4F4E6AE48BE5CE4E804DCD8EFD988026D8314D8DEB10A5001097CED031DEC8233413708C87243FCB0D5992241A567DD0DBD4DC56D8382923C263D7B23EC2F075FF5C249B9897B7D7B64AF80EAA2ED47333B77E94DBBA571579B138269ECF285EA71CCA82D1FAC58FABCC707218E73246B974BBFCB88AD101957D77CB2FC5222319F9D018CA06BE2ED596D771C205346EEE8051DE45B19707A91EE4AC39834AA98BB29D01CADA844103872E09B2798920A079EDFF0B6A14F9CD3B355EA306F946FE8219DB57AF8E9A5BF62C39EECA97B8B129DEC40D0CF0766A6CAEC14DA951BE53E31F6F8DD5501E61B851887919604A3698543288A50C838F50761184643249474F95624CF861D798A8961C67FB71D1911806779FF0106E50FD394123D4B2D46E12B00C201E3E58E8CB873DBCDA438FCAA5CBDB6EB7E5B8106D54C345FF18AFE695294C47BC3927A81ADC9B70AF09D1F1B5B67C874E738C1DDD71C1DD39010CC38039C62023958A7CBAAC8BFC53B2FD68C39589FE038244F00308DE2A5557266C4551F97950226C765AF906590D0E62272AC13B1E10DA46584788AE0C22496F67D891827BB99CCEB1C78BAD55D0336E8B88C43C04C4E2D616951ABB16AE98850E01F041978C0D9299BB8B9E66612346FF5689FA5A05272DC23A3C2C877BAA6D5281F2868D5B75D6281FBB95695C5ECDD24EA87DA5EA78035D241819354D4D3F37D8A08917C80A76B0F3E2A676363438D414A48FBD9581235FACE351F61B89DCD363707588BFDCE3F519FD564FAB3FE32DFFC8');
CREATE TABLE revisions (
	case_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	"on" TEXT, 
	delay_h REAL, 
	laminectomy_levels TEXT NOT NULL, 
	durotomy TEXT NOT NULL, 
	corpectomy TEXT NOT NULL, 
	fixation_levels TEXT NOT NULL, 
	fixation TEXT NOT NULL, 
	residual_ml REAL, 
	monitoring_events TEXT, 
	notes TEXT, 
	PRIMARY KEY (case_id, position), 
	FOREIGN KEY(case_id) REFERENCES cases (id) ON DELETE CASCADE
)
 WITHOUT ROWID,
 STRICT

;
INSERT INTO "revisions" VALUES(1,0,NULL,NULL,'["T12"]','yes','unknown','["T11", "L1"]','unknown',NULL,NULL,NULL);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;
CREATE TRIGGER audit_content_no_update BEFORE UPDATE ON audit_content BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;
CREATE TRIGGER audit_content_no_delete BEFORE DELETE ON audit_content WHEN NOT EXISTS (SELECT 1 FROM audit JOIN cases ON cases.pseudonym = audit.pseudonym WHERE audit.id = OLD.id AND cases.erased = 1) BEGIN SELECT RAISE(ABORT, 'the content of the audit goes only with an erased case'); END;
CREATE INDEX fractures_level ON fractures (level, case_id);
CREATE INDEX procedures_kind ON procedures (kind, case_id);
CREATE INDEX procedures_level ON procedures (level, case_id);
CREATE INDEX leaks_compartment ON leaks (compartment, case_id);
CREATE INDEX deficits_present ON deficits (present, case_id);
CREATE INDEX imaging_series ON imaging (series_uid);
CREATE INDEX audit_pseudonym ON audit (pseudonym);
CREATE INDEX cases_listed ON cases (withdrawn, pseudonym);
COMMIT;
