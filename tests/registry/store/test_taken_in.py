"""Imports and statistics on both databases."""

from __future__ import annotations

import pytest

from thecal.errors import InputError
from thecal.phantom.simulated_cases import simulated_cases
from thecal.registry.case import Case, Outcome
from thecal.registry.statistics.build import registry_statistics
from thecal.registry.statistics.columns import columns_of
from thecal.registry.statistics.from_store import columns_from
from thecal.registry.store import Store


def _walks(case: Case) -> Case:
    walks = Outcome(scale="walking", as_written="aided", choice="aided", days=400.0)
    return case.model_copy(update={"outcomes": (*case.outcomes, walks)})


def test_the_answers_are_those_of_the_cases(store: Store) -> None:
    cases = list(simulated_cases(60, 8, deficit_share=0.4))
    store.add_many(cases, who="test")
    mine, theirs = registry_statistics(columns_from(store)), registry_statistics(columns_of(cases))
    assert mine.to_json() == theirs.to_json()


def test_shifted_dates_give_the_same_answers(keyed: Store) -> None:
    cases = list(simulated_cases(40, 8, deficit_share=0.4))
    keyed.add_many(cases, who="test")
    assert (
        registry_statistics(columns_from(keyed)).to_json() == registry_statistics(columns_of(cases)).to_json()
    )


def test_new_cases_and_follow_ups_come_together_or_not_at_all(store: Store) -> None:
    first, second, third = simulated_cases(3, 8)
    store.add(first, who="test")
    with pytest.raises(InputError, match="no case SIM-3"):
        store.take_in([second], {"SIM-1": _walks, "SIM-3": _walks}, who="test")
    assert list(store.cases()) == [first]
    assert store.take_in([second, third], {"SIM-1": _walks, "SIM-3": _walks}, who="test") == (2, 2)
    assert list(store.cases()) == [_walks(first), second, _walks(third)]
    assert [change.what for change in store.history("SIM-3")] == ["import", "import"]
