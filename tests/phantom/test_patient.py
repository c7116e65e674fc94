"""The synthetic patient has the anatomy that her truth says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine
from thecal.errors import InputError
from thecal.phantom import Case, make_patient
from thecal.phantom.dimensions import trabecular_hu_mean
from thecal.phantom.spine_model import draw_spine
from thecal.terms import VERSE_IDS


def test_every_wanted_level_is_whole_and_named(phantom_patient: Case) -> None:
    whole = {v.level for v in phantom_patient.spine.vertebrae if v.complete}
    assert {"T11", "T12", "L1"} <= whole


def test_each_vertebra_is_one_bone(phantom_patient: Case) -> None:
    for level in ("T11", "T12", "L1"):
        bone = phantom_patient.labels == VERSE_IDS[level]
        pieces, count = ndimage.label(bone, np.ones((3, 3, 3)))
        sizes = np.bincount(pieces.ravel())[1:]
        assert count >= 1
        assert sizes.max() > 0.99 * bone.sum()


def test_bone_fat_sac_and_disc_have_their_usual_hu(phantom_patient: Case) -> None:
    hu, labels, parts = phantom_patient.volume.hu, phantom_patient.labels, phantom_patient.parts
    inside = ndimage.binary_erosion((labels == VERSE_IDS["T12"]) & (parts == Part.BODY), iterations=3)
    t12 = next(v for v in phantom_patient.model.vertebrae if v.level == "T12")
    assert hu[inside].mean() == pytest.approx(t12.trabecular_hu, abs=25)
    assert 0 < hu[ndimage.binary_erosion(labels == 60, iterations=2)].mean() < 45
    assert 50 < hu[ndimage.binary_erosion(labels == 100 + VERSE_IDS["T12"], iterations=2)].mean() < 120
    arch = (labels == VERSE_IDS["T12"]) & (parts == Part.ARCH)
    assert hu[arch].mean() > hu[inside].mean() + 100


def test_the_canal_is_closed_behind_at_the_lamina_and_open_between_laminae(phantom_patient: Case) -> None:
    """Rays backwards from the canal meet bone at the lamina, and at some heights of the disc they do not."""
    spine = phantom_patient.spine
    bone = np.isin(spine.labels, [VERSE_IDS["T12"], VERSE_IDS["L1"]])
    met = []
    l1 = next(v for v in spine.vertebrae if v.level == "L1")
    for w in np.arange(-24.0, 12.0, 1.0):
        back = l1.frame.to_lps([[0.0, -v, w] for v in np.arange(6.0, 24.0, 0.7)])
        index = np.rint(spine.grid.to_index(back)).astype(int)
        met.append(bool(bone[tuple(index.T)].any()))
    assert any(met)
    assert not all(met)


def test_pedicles_leave_the_upper_half_of_the_body(phantom_patient: Case) -> None:
    spine = phantom_patient.spine
    for v in spine.vertebrae:
        if not v.complete:
            continue
        arch = (spine.labels == v.id) & (spine.parts == Part.ARCH)
        local = v.frame.to_local(spine.grid.to_lps(np.argwhere(arch)))
        pedicle = local[(local[:, 1] > -6) & (local[:, 1] < -2)]
        assert np.median(pedicle[:, 2]) > 0


def test_true_heights_are_those_of_the_voxels(phantom_patient: Case) -> None:
    spine = phantom_patient.spine
    for v in phantom_patient.model.vertebrae:
        if v.level not in ("T11", "T12", "L1"):
            continue
        body = (spine.labels == v.id) & (spine.parts == Part.BODY)
        local = v.frame.to_local(spine.grid.to_lps(np.argwhere(body)))
        middle = local[(np.abs(local[:, 0]) < 3) & (np.abs(local[:, 1] - v.size.body_depth / 2) < 3)]
        height = middle[:, 2].max() - middle[:, 2].min() + 1.5
        assert height == pytest.approx(v.heights[1], abs=1.8)


def test_the_sac_lies_within_the_canal(phantom_spine: Spine) -> None:
    canal = phantom_spine.canal
    assert np.all(canal.sac_mm <= canal.wall_mm)
    assert 100 < np.median(0.5 * (canal.wall_mm**2).sum(1) * 2 * np.pi / canal.wall_mm.shape[1]) < 450
    assert np.ptp(canal.frame.s_mm) > 60


def test_the_same_seed_is_the_same_patient() -> None:
    one = make_patient(5, "T12", spacing_mm=(3.0, 1.6, 1.6), fov_mm=120)
    two = make_patient(5, "T12", spacing_mm=(3.0, 1.6, 1.6), fov_mm=120)
    other = make_patient(6, "T12", spacing_mm=(3.0, 1.6, 1.6), fov_mm=120)
    assert np.array_equal(one.volume.hu, two.volume.hu)
    assert one.to_json() == two.to_json()
    assert not np.array_equal(one.volume.hu, other.volume.hu)


@pytest.mark.parametrize(
    ("kind", "lost"), [("wedge", "anterior"), ("biconcave", "middle"), ("crush", "posterior")]
)
def test_a_fracture_takes_height_where_its_kind_says(kind: str, lost: str) -> None:
    model = draw_spine(3, "T11-L1", fractures={"T12": kind})  # type: ignore[dict-item]
    broken = next(v for v in model.vertebrae if v.level == "T12")
    kept = {
        place: after / before
        for place, after, before in zip(
            ("anterior", "middle", "posterior"), broken.heights, broken.intact, strict=True
        )
    }
    assert kept[lost] < 0.75
    if kind == "wedge":
        assert kept["posterior"] > 0.85
    if kind == "biconcave":
        assert kept["anterior"] > kept["middle"] + 0.15


def test_trabecular_hu_falls_with_age() -> None:
    assert trabecular_hu_mean(30) > trabecular_hu_mean(60) > trabecular_hu_mean(85)
    young = np.mean([v.trabecular_hu for s in range(10) for v in draw_spine(s, "L1", age=45).vertebrae])
    old = np.mean([v.trabecular_hu for s in range(10) for v in draw_spine(s, "L1", age=85).vertebrae])
    assert young > old + 40


def test_a_level_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="no level 'T13'"):
        make_patient(1, "T13-L1")
    with pytest.raises(InputError, match="fracture level 'L4'"):
        make_patient(1, "T12", fractures={"L4": "crush"})
