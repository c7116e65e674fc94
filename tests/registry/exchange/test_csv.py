"""Cases through CSV files."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from case_values import registries
from hypothesis import given, settings

from thecal.registry.case import Case
from thecal.registry.exchange.csv_in import read_csv
from thecal.registry.exchange.csv_out import write_long, write_wide


@settings(max_examples=60)
@given(registries())
def test_what_is_exported_comes_back_as_it_was(cases: list[Case]) -> None:
    for write in (write_wide, write_long):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "cases.csv"
            with path.open("w", encoding="utf-8", newline="") as stream:
                assert write(cases, stream) == len(cases)
            incoming = read_csv([path])
        assert incoming.problems == []
        assert incoming.cases == cases
