"""The house's own rules that no other check keeps."""

from __future__ import annotations

from collections import Counter

from pages import ROOT


def test_every_test_file_has_a_name_of_its_own() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []
