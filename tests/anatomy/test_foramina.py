from __future__ import annotations

import numpy as np
import pytest
from label_spine import CANAL_HALF_WIDTH, SEGMENT, label_spine

from thecal.anatomy.foramina import foramina
from thecal.anatomy.from_labels import spine_from_labels
from thecal.anatomy.spine import Part, Spine


@pytest.fixture(scope="module")
def spine() -> Spine:
    built = label_spine([22, 21, 20])
    return spine_from_labels(built.volume, built.labels)


def places(spine: Spine) -> np.ndarray:
    return spine.grid.to_lps(np.argwhere(spine.parts == Part.FORAMEN))


def test_foramina_lie_beside_the_canal_and_out_to_the_pedicles_edge(spine: Spine) -> None:
    aside = np.abs(places(spine)[:, 0])
    assert len(aside) > 0
    assert aside.min() > CANAL_HALF_WIDTH - 5
    assert aside.max() < CANAL_HALF_WIDTH + 14


def test_foramina_are_between_pedicles_and_on_both_sides(spine: Spine) -> None:
    where = places(spine)
    height = where[:, 2] % SEGMENT
    pedicle_middle = 12 + 4.5
    assert (np.abs(height - pedicle_middle) > 4).all()
    for gap in (1, 2):
        near = np.abs(where[:, 2] - (gap * SEGMENT - 2)) < SEGMENT / 2
        assert (where[near, 0] > 0).any()
        assert (where[near, 0] < 0).any()


def test_no_foramen_beyond_the_last_pedicle_that_is_seen(spine: Spine) -> None:
    z = places(spine)[:, 2]
    assert z.min() > 10
    assert z.max() < 2 * SEGMENT + 23


def test_no_foramen_in_front_of_the_posterior_wall_or_in_bone(spine: Spine) -> None:
    assert places(spine)[:, 1].min() > -8 - 2.5
    again = foramina(spine.labels, spine.grid, spine.canal)
    assert not (again & (spine.labels > 0)).any()


def test_a_single_vertebra_has_no_whole_foramen() -> None:
    built = label_spine([20])
    assert not foramina(
        built.labels,
        built.volume.grid,
        spine_from_labels(built.volume, built.labels).canal,
    ).any()
