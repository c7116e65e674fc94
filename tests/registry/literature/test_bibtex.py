"""BibTeX of the sources."""

from __future__ import annotations

import re
from dataclasses import replace

from thecal.registry.literature.bibtex import to_bibtex
from thecal.registry.literature.library import library


def test_every_source_is_an_entry_with_a_key_of_its_own() -> None:
    text = to_bibtex(library().sources.values())
    keys = re.findall(r"^@(?:article|misc)\{(\w+),$", text, re.MULTILINE)
    assert keys == list(library().sources)
    assert "{}" not in text
    assert "None" not in text


def test_braces_close_and_names_are_family_first() -> None:
    text = to_bibtex([library().sources["sabuncuoglu2008"]])
    assert text.count("{") == text.count("}")
    assert "author = {Sabuncuoğlu, H and Dinçer, D and Güçlü, B and others}" in text
    assert "doi = {10.1007/s00701-008-1503-3}" in text


def test_how_much_of_it_was_read_is_its_note() -> None:
    assert "From memory, not checked; title" in to_bibtex([library().sources["lee2002"]])


def test_what_latex_reads_as_a_command_is_escaped() -> None:
    source = replace(library().sources["baek2021"], title="50 % of A&B_{c}")
    assert r"title = {{50 \% of A\&B\_\{c\}}}" in to_bibtex([source])
