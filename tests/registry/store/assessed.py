"""A folder as ``thecal assess`` leaves it, with little in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

UNKNOWN = (
    *("slice_thickness_mm", "kvp", "kernel", "age", "sex"),
    *("hu_clipped_at", "noise_hu", "psf_sigma_mm"),
)


def deposit(number: int, compartment: str, level: str, volume_ml: float, vertebra: int) -> dict[str, Any]:
    return {
        "id": number,
        "compartment": compartment,
        "level": level,
        "vertebra_id": vertebra,
        "levels_spanned": [level],
        "vertebra_ids": [vertebra],
        "volume_ml": volume_ml,
        "volume_sd_ml": 0.01,
        "centroid_mm": [0.0, 0.0, 0.0],
        "extent_mm": [1.0, 1.0, 1.0],
        "mean_hu": 1800.0,
        "clipped_fraction": 0.0,
        "side": "left",
        "route": "unknown",
        "yeom": "B" if compartment == "epidural" else None,
        "breach_mm": None,
    }


def assessed(folder: Path, series: str = "1.2.3", volume_ml: float = 0.4) -> Path:
    """Cement in the body of T12, behind it in the canal, and in the disc above L1."""
    sign = {
        "name": "layering",
        "state": "present",
        "value": 1.0,
        "unit": None,
        "threshold": None,
        "explanation": "gaps",
        "source": "the founding paper",
        "log_odds": None,
        "at_mm": None,
    }
    report = {
        "schema": "thecal.report/1",
        "software": {"name": "thecal", "version": "0", "anatomy": {"name": None, "version": None}},
        "input": {
            "kind": "dicom",
            "series_uid": series,
            "shape": [1, 1, 1],
            "spacing_mm": [1.0, 1.0, 1.0],
            "orientation": "LPS",
            "simulated": True,
            **dict.fromkeys(UNKNOWN),
        },
        "vertebrae": [],
        "deposits": [
            deposit(1, "intravertebral", "T12", 4.0, 19),
            deposit(2, "epidural", "T12", volume_ml, 19),
            deposit(3, "intradiscal", "L1", 0.1, 20),
        ],
        "canal": {
            "confidence": 0.9,
            "cement_ml": volume_ml,
            "max_occlusion": {
                "fraction": 0.35,
                "cement_area_mm2": 70.0,
                "canal_area_mm2": 200.0,
                "residual_ap_mm": None,
                "at_mm": 10.0,
                "level": "T12",
                "vertebra_id": 19,
            },
            "profile": [],
        },
        "intradural": {
            "finding": "possible",
            "probability": 0.4,
            "interval": [0.2, 0.6],
            "prior": 0.5,
            "likelihood_ratio": 0.7,
            "reason": None,
            "detection_limit_mm3": 20.0,
            "detection_limit_hu": 900.0,
            "signs": [sign],
        },
        "tracks": [],
        "observations": {},
        "revision": None,
        "quality": [],
        "timings_s": {},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return folder
