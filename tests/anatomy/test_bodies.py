"""Bodies: endplates and waist where bone ends, with cement or without."""

from __future__ import annotations

import numpy as np
import pytest
from canal_reading import Read
from label_spine import BODY_HALF_WIDTH, BODY_HEIGHT, SEGMENT

from thecal.anatomy.bodies import Body, find_body, inside_body
from thecal.anatomy.column import Disc
from thecal.anatomy.missing import missing_data

MIDDLE = np.array([0.0, -23.0, SEGMENT + BODY_HEIGHT / 2])


def body_of(canal: Read, hu: np.ndarray) -> Body:
    """The middle one of three bodies."""
    missing = missing_data(hu, canal.grid.spacing_mm, 1.5)
    discs = [
        Disc(
            float(canal.frame.locate([[0.0, 0.0, z]])[0][0]),
            np.array([0.0, -22.0, z]),
            np.array([0, 0, 1.0]),
            100.0,
            4.0,
        )
        for z in (MIDDLE[2] - SEGMENT / 2, MIDDLE[2] + SEGMENT / 2)
    ]
    shape = (canal.frame, canal.theta, canal.wall)
    return find_body(hu, missing, canal.grid, shape, *discs, (discs[0].s_mm, discs[1].s_mm))


def with_cement(canal: Read) -> np.ndarray:
    """Cement from endplate to endplate in the body's left half."""
    hu = canal.hu.copy()
    where = canal.grid.to_lps(np.argwhere(hu > -2000)) - MIDDLE
    cement = (where[:, 0] > 2) & (where[:, 0] < 14) & (np.abs(where[:, 1]) < 9)
    cement &= np.abs(where[:, 2]) < BODY_HEIGHT / 2 - 1
    hu[cement.reshape(hu.shape)] = 2800
    return hu


@pytest.fixture(scope="module")
def clean(canal: Read) -> Body:
    return body_of(canal, canal.hu)


@pytest.fixture(scope="module")
def filled(canal: Read) -> Body:
    return body_of(canal, with_cement(canal))


@pytest.mark.parametrize("which", ["clean", "filled"])
def test_the_endplates_lie_where_the_disc_begins(which: str, request: pytest.FixtureRequest) -> None:
    body: Body = request.getfixturevalue(which)
    a, b = np.meshgrid(np.arange(-12, 13, 3.0), np.arange(8, 24, 3.0), indexing="ij")
    low, high = body.heights_at(a.ravel(), b.ravel())
    assert (high - low).mean() == pytest.approx(BODY_HEIGHT, abs=1.5)
    assert np.abs((high - low) - BODY_HEIGHT).max() < 3.5


@pytest.mark.parametrize("which", ["clean", "filled"])
def test_the_waist_is_as_wide_as_the_body(which: str, request: pytest.FixtureRequest) -> None:
    body: Body = request.getfixturevalue(which)
    sides = np.abs(np.abs(body.angles) - np.pi / 2) < 0.2
    assert body.waist[3:-3][:, sides].mean() == pytest.approx(BODY_HALF_WIDTH, abs=1.5)


def test_the_body_is_that_bone_and_no_other(canal: Read, clean: Body) -> None:
    near = np.argwhere(np.ones(canal.hu.shape, bool))
    points = canal.grid.to_lps(near)
    close = np.abs(points - MIDDLE).max(axis=1) < 26
    inside, _ = inside_body(clean, points[close])
    place = points[close] - MIDDLE
    true = ((place[:, 0] / 20) ** 2 + (place[:, 1] / 15) ** 2 <= 1) & (np.abs(place[:, 2]) <= 12)
    true |= (
        (np.abs(place[:, 0]) <= 14) & (place[:, 1] > 0) & (place[:, 1] <= 15) & (np.abs(place[:, 2]) <= 12)
    )
    assert 2 * (inside & true).sum() / (inside.sum() + true.sum()) > 0.9


def test_a_body_between_two_discs_is_whole_and_plainly_seen(clean: Body) -> None:
    assert not clean.cut
    assert clean.contrast > 60
    assert clean.frame.cranial[2] > 0.99


def test_a_dished_endplate_hidden_by_cement_is_not_drawn_into_the_disc_that_is_seen(canal: Read) -> None:
    hu = canal.hu.copy()
    place = (canal.grid.to_lps(np.argwhere(hu > -2000)) - MIDDLE).reshape(*hu.shape, 3)
    away = np.hypot(place[..., 0] / 16, place[..., 1] / 12)
    plate = BODY_HEIGHT / 2 - 4.0 * np.clip(1 - away**2, 0, 1)
    dish = (place[..., 2] > plate) & (place[..., 2] < BODY_HEIGHT / 2 + 1)
    disc = int(np.median(hu[(np.abs(place[..., 2] - SEGMENT / 2) < 1) & (away < 0.6)]))
    hu[dish & (away < 1)] = disc
    hu[(away < 0.6) & (place[..., 2] < plate - 0.5) & (place[..., 2] > -6)] = 2800
    body = body_of(canal, hu)
    left, ahead = np.array([0.0, 4.0, -4.0]), np.full(3, 15.0)
    _, high = body.heights_at(left, ahead)
    middle = body.frame.to_local(MIDDLE)[2]
    # At 12 it would lie where the neighbours' flat endplates do.
    assert (high - middle).mean() < BODY_HEIGHT / 2 - 1.0
