"""Dates that the moment of writing would leave in a DICOM output."""

from __future__ import annotations

from typing import Any


def without_clock(dataset: Any) -> None:
    """Drop when the file was written, and date the series as its content."""
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        if keyword in dataset:
            delattr(dataset, keyword)
    for item in dataset.get("ContributingEquipmentSequence", []):
        if "ContributionDateTime" in item:
            del item.ContributionDateTime
    dataset.SeriesDate, dataset.SeriesTime = dataset.ContentDate, dataset.ContentTime
