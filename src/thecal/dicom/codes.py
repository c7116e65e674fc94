"""Coded concepts of the DICOM outputs: SNOMED CT, DICOM and UCUM codes, and thecal's own where none is known.

SNOMED CT and DCM codes are those of pydicom's dictionaries (PS3.16). Bone cement, the epidural space, the
intervertebral foramen and the measures of leakage are not among them; rather than invent a code they carry
the private scheme ``99THECAL``, whose values are the words below.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from thecal.terms import Compartment, Grade, Route, SignName, Yeom


class Code(NamedTuple):
    """A coded concept: value, coding scheme designator, meaning."""

    value: str
    scheme: str
    meaning: str


PRIVATE_SCHEME: Final = "99THECAL"


def _sct(value: str, meaning: str) -> Code:
    return Code(value, "SCT", meaning)


def _dcm(value: str, meaning: str) -> Code:
    return Code(value, "DCM", meaning)


def _own(value: str, meaning: str) -> Code:
    return Code(value, PRIVATE_SCHEME, meaning)


ANATOMICAL_STRUCTURE: Final = _sct("91723000", "Anatomical Structure")
PHYSICAL_OBJECT: Final = _sct("260787004", "Physical object")
VERTEBRA: Final = _sct("51282000", "Vertebra")
SPINE: Final = _sct("421060004", "Spine")
VERTEBRAL_CANAL: Final = _sct("61853006", "Vertebral canal")
SACRUM: Final = _sct("54735007", "Sacrum")
LEFT: Final = _sct("7771000", "Left")
RIGHT: Final = _sct("24028007", "Right")

# L6 and T13 are not in the dictionary: they are a vertebra, and their label names them.
_LEVEL_VALUES: Final = {
    "C1": "14806007",
    "C2": "39976000",
    "C3": "113205007",
    "C4": "5329002",
    "C5": "36978003",
    "C6": "36054005",
    "C7": "87391001",
    "T1": "64864005",
    "T2": "53733008",
    "T3": "1626008",
    "T4": "73071006",
    "T5": "56401006",
    "T6": "45296009",
    "T7": "62487009",
    "T8": "11068009",
    "T9": "82687006",
    "T10": "7610001",
    "T11": "12989004",
    "T12": "23215003",
    "L1": "66794005",
    "L2": "14293000",
    "L3": "36470004",
    "L4": "11994002",
    "L5": "49668003",
}
LEVELS: Final[dict[str, Code]] = {
    level: _sct(value, f"{level} vertebra") for level, value in _LEVEL_VALUES.items()
}

BONE_CEMENT: Final = _own("BONE_CEMENT", "Bone cement")
THECAL_SAC: Final = _own("THECAL_SAC", "Thecal sac with its contents")
PLACES: Final[dict[Compartment, Code]] = {
    "intravertebral": VERTEBRA,
    "intradiscal": _own("DISC_SPACE", "Intervertebral disc space"),
    "epidural": _own("OUTSIDE_SAC", "Vertebral canal outside the outline of the thecal sac"),
    "intradural": _own("INSIDE_SAC", "Vertebral canal within the outline of the thecal sac"),
    "foraminal": _own("FORAMEN", "Intervertebral foramen"),
    "paravertebral": _own("PARAVERTEBRAL", "Beside the vertebra"),
    "needle_track": _own("NEEDLE_WAY", "Way of the needle"),
    "unassigned": _own("UNASSIGNED", "Not near a vertebra that was found"),
}

COMPARTMENT: Final = _own("COMPARTMENT", "Compartment that the cement lies in")
COMPARTMENTS: Final[dict[Compartment, Code]] = {
    "intravertebral": _own("IN_BONE", "In the vertebra"),
    "intradiscal": _own("IN_DISC", "In the disc space"),
    "epidural": _own("EPIDURAL", "In the canal, outside the outline of the thecal sac"),
    "intradural": _own("INTRADURAL", "In the canal, within the outline of the thecal sac"),
    "foraminal": _own("FORAMINAL", "In the intervertebral foramen"),
    "paravertebral": _own("BESIDE", "Outside bone, disc, canal and foramen"),
    "needle_track": _own("NEEDLE_TRACK", "Along the way of the needle"),
    "unassigned": _own("UNASSIGNED", "Not near a vertebra that was found"),
}
ROUTE: Final = _own("ROUTE", "How the cement left the bone")
ROUTES: Final[dict[Route, Code]] = {
    "basivertebral": _own("BASIVERTEBRAL", "Along the basivertebral vein"),
    "segmental": _own("SEGMENTAL", "Along a segmental vein"),
    "cortical": _own("CORTICAL", "Through a defect of the cortex"),
    "endplate": _own("ENDPLATE", "Through an endplate"),
    "needle": _own("NEEDLE", "Along the needle"),
    "unknown": _own("ROUTE_UNKNOWN", "Not known"),
}
YEOM: Final = _own("YEOM_TYPE", "Type of leak (Yeom 2003)")
YEOM_TYPES: Final[dict[Yeom, Code]] = {
    "B": _own("YEOM_B", "Type B, basivertebral vein"),
    "S": _own("YEOM_S", "Type S, segmental vein"),
    "C": _own("YEOM_C", "Type C, cortical defect"),
}
SIGN_NAMES: Final[dict[SignName, Code]] = {
    "medial_puncture": _own("MEDIAL_PUNCTURE", "Needle through the medial wall of the pedicle"),
    "layering": _own("LAYERING", "Gaps between sheets of cement in the canal"),
    "no_extradural_cement": _own("NO_EXTRADURAL", "No cement outside the dura seen"),
    "sac_conforming_shape": _own("SAC_SHAPE", "Outline of the cement is that of the thecal sac"),
    "root_outlines": _own("ROOT_OUTLINES", "Nerve roots outlined by cement"),
    "multilevel_spread": _own("MULTILEVEL", "Cement in the canal over several levels"),
    "separated_from_posterior_wall": _own("PARTED", "Cement parted from the posterior wall"),
}
PRESENT: Final = _own("PRESENT", "Present")
ABSENT: Final = _own("ABSENT", "Not seen")
INTRADURAL_CEMENT: Final = _own("DURA_FINDING", "Cement inside the dura")
INTRADURAL_FINDINGS: Final[dict[str, Code]] = {
    "probable": _own("PROBABLE", "Probable"),
    "possible": _own("POSSIBLE", "Possible"),
    "not_detected": _own("NOT_DETECTED", "None detected above the detection limit"),
    "not_assessable": _own("NOT_ASSESSABLE", "Not assessable"),
}

VOLUME: Final = _sct("118565006", "Volume")
STANDARD_DEVIATION: Final = _sct("386136009", "Standard Deviation")
MEAN_ATTENUATION: Final = _dcm("112181", "Mean Attenuation Coefficient")
COMMENT: Final = _dcm("121106", "Comment")
SUM_OF_FRACTIONS: Final = _own("PARTIAL_VOLUMES", "Sum of the cement fractions of the voxels")
EXTENT_LEFT_RIGHT: Final = _own("EXTENT_LR", "Extent left to right in the vertebra's axes")
EXTENT_BACK_FRONT: Final = _own("EXTENT_PA", "Extent back to front in the vertebra's axes")
EXTENT_UP: Final = _own("EXTENT_CC", "Extent along the vertebra's axis")
CLIPPED: Final = _own("CLIPPED_FRACTION", "Share of voxels at the scanner's highest value")
BODY_VOLUME: Final = _own("BODY_VOLUME", "Volume of the vertebral body")
CEMENT_VOLUME: Final = _own("CEMENT_VOLUME", "Volume of cement in the vertebra")
FILL_FRACTION: Final = _own("FILL_FRACTION", "Cement in the body over the body's volume")
TRABECULAR: Final = _own("TRABECULAR_HU", "Trabecular attenuation of the body")
HEIGHT_ANTERIOR: Final = _own("HEIGHT_ANTERIOR", "Height at the anterior wall")
HEIGHT_MIDDLE: Final = _own("HEIGHT_MIDDLE", "Height in the middle of the depth")
HEIGHT_POSTERIOR: Final = _own("HEIGHT_POSTERIOR", "Height at the posterior wall")
CANAL_AREA: Final = _own("CANAL_AREA", "Area of the vertebral canal")
CANAL_CEMENT: Final = _own("CANAL_CEMENT", "Volume of cement in the canal")
OCCLUSION: Final = _own("MAX_OCCLUSION", "Largest share of the canal taken by cement on a plane")
RESIDUAL_DEPTH: Final = _own("RESIDUAL_AP", "Longest free sagittal stretch of the canal on that plane")
DETECTION_LIMIT: Final = _own("DETECTION_LIMIT", "Smallest compact deposit that the scan would show")
PROBABILITY: Final = _dcm("122157", "Probability")
PROBABILITY_LOW: Final = _own("PROBABILITY_LOW", "Lower end of the nine-in-ten interval of the probability")
PROBABILITY_HIGH: Final = _own("PROBABILITY_HIGH", "Upper end of the nine-in-ten interval of the probability")
PRIOR: Final = _own("PRIOR", "Probability before the CT, on which the probability rests")

PLANNED_NEEDLE: Final = _own("PLANNED_NEEDLE", "Planned needle, not one that was seen")
PEDICLE: Final = _sct("78972004", "Pedicle of vertebra")
NEEDLE_GAUGE: Final = _dcm("111465", "Needle Gauge")
NEEDLE_LENGTH: Final = _dcm("111467", "Needle Length")
AS_PLANNED: Final = _own("AS_PLANNED", "As planned, along the needle's axis")
PLANNED_PATH: Final = _own("PLANNED_PATH", "Planned way of the needle")
SKIN_POINT: Final = _own("SKIN_POINT", "Planned entry through the skin")
BONE_POINT: Final = _own("BONE_POINT", "Planned entry into the bone")
WALL_POINT: Final = _own("WALL_POINT", "Where the planned needle meets the plane of the posterior wall")
TIP_POINT: Final = _own("TIP_POINT", "Planned tip")
DEPTH_TO_BONE: Final = _own("DEPTH_BONE", "Depth along the needle from the skin to the bone")
DEPTH_TO_WALL: Final = _own("DEPTH_WALL", "Depth along the needle to the plane of the posterior wall")
SKIN_FROM_MIDLINE: Final = _own("SKIN_MIDLINE", "Skin entry from the midline")
TRANSVERSE_TO_PATIENT: Final = _own("TRANSV_PATIENT", "Angle towards the midline, in the patient's axes")
CRANIOCAUDAL_TO_PATIENT: Final = _own("CRANIAL_PATIENT", "Angle towards the head, in the patient's axes")
TRANSVERSE_TO_VERTEBRA: Final = _own("TRANSV_VERTEBRA", "Angle towards the midline, in the vertebra's axes")
CRANIOCAUDAL_TO_VERTEBRA: Final = _own("CRANIAL_VERTEBRA", "Angle towards the head, in the vertebra's axes")
LEAST_CLEARANCE: Final = _own("LEAST_CLEARANCE", "Least free distance from the needle's surface")
MEDIAL_MARGIN: Final = _own("MEDIAL_MARGIN", "Least free distance to the medial pedicle wall")
TIP_SHARE: Final = _own("TIP_SHARE", "Depth of the tip in the body, 0 posterior wall, 1 anterior wall")
CEMENT_LOW: Final = _own("CEMENT_LOW", "Cement that the literature supports, lower end")
CEMENT_LIMIT: Final = _own("CEMENT_LIMIT", "Cement that the literature supports, limit")
APPROACH: Final = _own("APPROACH", "Approach of the needle")
APPROACHES: Final[dict[str, Code]] = {
    "transpedicular": _own("TRANSPEDICULAR", "Through the pedicle"),
    "extrapedicular": _own("EXTRAPEDICULAR", "Beside the pedicle"),
}
BREACH_GRADE: Final = _own("GERTZBEIN", "Gertzbein-Robbins grade if carried out as planned")
BREACH_GRADES: Final[dict[Grade, Code]] = {
    "A": _own("GRADE_A", "Grade A, no breach"),
    "B": _own("GRADE_B", "Grade B, below 2 mm"),
    "C": _own("GRADE_C", "Grade C, below 4 mm"),
    "D": _own("GRADE_D", "Grade D, below 6 mm"),
    "E": _own("GRADE_E", "Grade E, 6 mm and more"),
}
SAFE_PATH: Final = _own("SAFE_PATH", "Whether a safe path was found")
SAFE_PATHS: Final[dict[bool, Code]] = {
    True: _own("PATH_FOUND", "A path that keeps the rules was found"),
    False: _own("NO_SAFE_PATH", "No safe path"),
}

DEGREE: Final = Code("deg", "UCUM", "degree")
MILLILITRE: Final = Code("mL", "UCUM", "milliliter")
MILLIMETRE: Final = Code("mm", "UCUM", "mm")
SQUARE_MILLIMETRE: Final = Code("mm2", "UCUM", "square millimeter")
CUBIC_MILLIMETRE: Final = Code("mm3", "UCUM", "cubic millimeter")
HOUNSFIELD: Final = Code("[hnsf'U]", "UCUM", "Hounsfield unit")
ONE: Final = Code("1", "UCUM", "no units")


def vertebra_code(level: str | None) -> Code:
    """The code of a vertebra; of vertebrae in general where its level is not known or has none."""
    return VERTEBRA if level is None else LEVELS.get(level, VERTEBRA)
