"""Which cases there are, narrowed and in pages."""

from __future__ import annotations

from dataclasses import fields

from registry_cases import founding, simple

from thecal.registry.case import Case
from thecal.registry.store import Store
from thecal.registry.store.listing import Line, Wanted, page

MANY = [simple(number) for number in range(120)]


def test_a_list_is_narrowed_by_level_procedure_compartment_and_deficit(store: Store) -> None:
    store.add_many([founding(), *MANY], who="ada")

    def is_wanted(case: Case, wanted: Wanted) -> bool:
        levels = {each.level for each in (*case.fractures, *case.procedures)}
        return (
            (wanted.level is None or wanted.level in levels)
            and (wanted.kind is None or wanted.kind in {each.kind for each in case.procedures})
            and (wanted.compartment is None or wanted.compartment in {k.compartment for k in case.leaks})
            and (wanted.deficit is None or (case.deficit and case.deficit.present == wanted.deficit))
        )

    for wanted in (
        Wanted(),
        Wanted(level="T12"),
        Wanted(kind="KP"),
        Wanted(compartment="epidural"),
        Wanted(deficit="yes"),
        Wanted(level="T12", kind="VP", compartment="intradural", deficit="yes"),
    ):
        expected = [case.patient.pseudonym for case in [founding(), *MANY] if is_wanted(case, wanted)]
        found = page(store, wanted, size=1000)
        assert [line.pseudonym for line in found.lines] == sorted(expected)
        assert found.total == len(expected) > 0


def test_pages_follow_one_another_without_gap(store: Store) -> None:
    store.add_many(MANY, who="ada")
    seen = [line.pseudonym for first in (0, 50, 100, 150) for line in page(store, Wanted(), first, 50).lines]
    assert seen == [case.patient.pseudonym for case in MANY]


def test_a_line_sums_a_case_up(store: Store) -> None:
    store.add(founding(), who="ada")
    (line,) = page(store, Wanted()).lines
    assert line == Line("founding", 70.0, "F", ("T12",), ("VP",), ("intradural", "epidural"), "yes", 5)
    assert "name" not in {field.name for field in fields(line)}


def test_a_withdrawn_case_is_gone_from_lists_and_counts(store: Store) -> None:
    store.add_many([founding(), simple(1)], who="ada")
    store.withdraw("founding", who="ada")
    found = page(store, Wanted())
    assert (found.total, [line.pseudonym for line in found.lines]) == (1, ["P000001"])
    assert page(store, Wanted(compartment="intradural")).total == 0
    assert [case.patient.pseudonym for case in store.cases()] == ["P000001"]
