"""Cases as Parquet."""

from __future__ import annotations

from pathlib import Path

import pytest

from thecal.phantom.simulated_cases import simulated_cases
from thecal.registry.exchange.parquet_out import FILES, write_parquet

parquet = pytest.importorskip("pyarrow.parquet")


def test_every_part_has_its_file_with_types_and_units(tmp_path: Path) -> None:
    cases = list(simulated_cases(30, 2, deficit_share=0.5))
    assert write_parquet(cases, tmp_path) == 30
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    procedures = parquet.read_table(tmp_path / "procedures.parquet")
    assert procedures.num_rows == sum(len(case.procedures) for case in cases)
    assert procedures.column("on").to_pylist() == [p.on for case in cases for p in case.procedures]
    assert procedures.schema.field("volume_ml").metadata == {b"unit": b"mL"}
    assert b"Research use only" in procedures.schema.metadata[b"research_use"]
    revisions = parquet.read_table(tmp_path / "revisions.parquet").to_pylist()
    assert revisions[0]["laminectomy_levels"] == list(
        next(case for case in cases if case.revisions).revisions[0].laminectomy_levels
    )
