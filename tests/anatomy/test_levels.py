from __future__ import annotations

import pytest

from thecal.anatomy.levels import LevelEvidence, levels_from_pin, name_levels
from thecal.errors import InputError


def row(ribs: list[float | None], *, sacrum: float | None = None) -> list[LevelEvidence]:
    """Evidence caudal to cranial; the sacrum, where given, below the first."""
    return [
        LevelEvidence(rib=r, sacrum_below=None if sacrum is None else (sacrum if i == 0 else 0.0))
        for i, r in enumerate(ribs)
    ]


def test_five_vertebrae_without_ribs_above_the_sacrum_are_l5_to_l1() -> None:
    naming = name_levels(row([0.05] * 5 + [0.95] * 2, sacrum=0.95))
    assert naming.levels == ("L5", "L4", "L3", "L2", "L1", "T12", "T11")
    assert naming.ids == (24, 23, 22, 21, 20, 19, 18)
    assert naming.source == "sacrum"
    assert naming.probability > 0.9
    assert not [q for q in naming.quality if q.severity == "warning"]


def test_the_last_rib_alone_names_t12_and_says_that_t13_cannot_be_told() -> None:
    naming = name_levels(row([0.05, 0.05, 0.95, 0.95, 0.95]))
    assert naming.levels == ("L2", "L1", "T12", "T11", "T10")
    assert naming.source == "ribs"
    assert "levels_from_ribs_alone" in [q.code for q in naming.quality]


def test_the_sacrum_alone_names_l5_and_says_that_l6_cannot_be_told() -> None:
    naming = name_levels(row([None, None, None], sacrum=0.95))
    assert naming.levels == ("L5", "L4", "L3")
    assert naming.source == "sacrum"
    assert "levels_from_sacrum_alone" in [q.code for q in naming.quality]


@pytest.mark.parametrize("ribs", [[0.95] * 4, [0.05] * 4, [None] * 4, [0.5, 0.6, 0.5], [None, 0.95, 0.95]])
def test_without_sacrum_or_last_rib_nothing_is_named(ribs: list[float | None]) -> None:
    naming = name_levels(row(ribs))
    assert naming.source == "unknown"
    assert naming.levels == (None,) * len(ribs)
    assert naming.ids == tuple(range(201, 201 + len(ribs)))
    assert [q.code for q in naming.quality] == ["levels_unknown"]


def test_six_lumbar_vertebrae_are_named_with_both_ways_to_count_them() -> None:
    naming = name_levels(row([0.03] * 6 + [0.97] * 2, sacrum=0.97))
    said = {names[0] for names, _ in naming.alternatives}
    assert {"L6", "L5"} <= said
    assert "levels_in_doubt" in [q.code for q in naming.quality]
    doubt = next(q for q in naming.quality if q.code == "levels_in_doubt")
    assert "L6" in doubt.message
    assert "L5" in doubt.message


def test_four_lumbar_vertebrae_are_not_silently_called_l5() -> None:
    naming = name_levels(row([0.03] * 4 + [0.97] * 3, sacrum=0.97))
    assert naming.probability < 0.95
    assert {q.code for q in naming.quality} & {"levels_in_doubt", "variant_vertebra_count"}
    assert all(q.severity == "warning" for q in naming.quality if q.code == "levels_in_doubt")


def test_thirteen_pairs_of_ribs_are_t13_or_a_cervical_rib_and_both_are_said() -> None:
    naming = name_levels(row([0.03] * 5 + [0.97] * 13 + [0.03], sacrum=0.97))
    said = {names[5]: p for names, p in naming.alternatives}
    assert said["T13"] > 0.15
    assert said["T12"] > 0.2
    assert "levels_in_doubt" in [q.code for q in naming.quality]


def test_a_last_rib_in_doubt_leaves_the_levels_unknown_and_tells_both_namings() -> None:
    naming = name_levels(row([0.03, 0.03, 0.4, 0.97, 0.97]))
    assert naming.source == "unknown"
    assert naming.ids == (201, 202, 203, 204, 205)
    assert {names[2] for names, _ in naming.alternatives[:2]} == {"T12", "L1"}
    assert [q.code for q in naming.quality][:2] == ["levels_unknown", "levels_in_doubt"]


def test_the_first_rib_anchors_the_upper_end() -> None:
    naming = name_levels(row([0.97] * 3 + [0.03] * 2))
    assert naming.levels == ("T3", "T2", "T1", "C7", "C6")
    assert naming.source == "ribs"


def test_probabilities_of_all_namings_are_a_distribution() -> None:
    naming = name_levels(row([0.1, 0.1, 0.9, 0.9]), k=50)
    total = sum(p for _, p in naming.alternatives)
    assert 0.99 < total <= 1.0 + 1e-9
    assert list(naming.alternatives) == sorted(naming.alternatives, key=lambda item: -item[1])


def test_a_pin_renumbers_the_whole_row() -> None:
    naming = levels_from_pin([0, 1, 2, 3], 2, "T12")
    assert naming.levels == ("L2", "L1", "T12", "T11")
    assert naming.source == "given"


def test_a_pin_of_t13_counts_it_between_l1_and_t12() -> None:
    assert levels_from_pin([0, 1, 2], 1, "T13").levels == ("L1", "T13", "T12")


def test_a_pin_that_makes_l6_says_so() -> None:
    naming = levels_from_pin([0, 1], 1, "L5")
    assert naming.levels == ("L6", "L5")
    assert [q.code for q in naming.quality] == ["level_pin_gives_l6"]


def test_a_pin_that_leaves_a_vertebra_below_l6_keeps_its_number_unknown() -> None:
    naming = levels_from_pin([0, 1, 2], 2, "L5")
    assert naming.levels == (None, "L6", "L5")
    assert naming.ids[0] == 201


@pytest.mark.parametrize("name", ["sacrum", "T14", "X1", ""])
def test_a_pin_that_is_no_vertebra_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="not the name of a vertebra"):
        levels_from_pin([0, 1], 0, name)


def test_a_pin_that_counts_above_the_atlas_is_refused() -> None:
    with pytest.raises(InputError, match="above C1"):
        levels_from_pin([0, 1, 2], 0, "C2")
