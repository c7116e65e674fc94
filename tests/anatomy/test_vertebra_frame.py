from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from thecal.anatomy.vertebra_frame import frame_of_body
from thecal.frames import CanalFrame

ORIGIN = np.array([12.3, -30.4, 200.7])


def axes_of(angles: tuple[float, float, float]) -> np.ndarray:
    """Columns left, anterior, cranial of a vertebra turned in the patient."""
    base = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]]).T
    return Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ base


def body(
    voxel: float, wedge_degrees: float, angles: tuple[float, float, float], *, lip: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scanner voxels, LPS, inside a wedge-shaped body 42 x 30 x 24 mm; its axes and origin."""
    axes = axes_of(angles)
    span = np.arange(-50, 50.1, voxel)
    grid = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3) + np.rint(ORIGIN)
    left, ahead, up = ((grid - ORIGIN) @ axes).T
    half = 12.0 - np.tan(np.radians(wedge_degrees / 2)) * ahead
    inside = ((left / 21) ** 2 + ((ahead - 12) / 18) ** 2 <= 1) & (ahead >= 0) & (np.abs(up) <= half)
    if lip:  # an osteophyte on the upper left rim
        inside |= (left > 14) & (left < 21) & (ahead > 18) & (ahead < 28) & (up > 0) & (up < 15)
    return grid[inside], axes, ORIGIN


def canal_behind(axes: np.ndarray, origin: np.ndarray, bend: float = 0.0) -> CanalFrame:
    up = np.linspace(-50, 50, 60)
    local = np.stack([0 * up, -8.0 - bend * (up / 50) ** 2, up], axis=1)
    return CanalFrame.through(origin + local @ axes.T)


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b, -1, 1))))


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    tilt=st.floats(-35, 35),
    lean=st.floats(-25, 25),
    turn=st.floats(-20, 20),
    wedge=st.floats(0, 25),
)
# Nearly in line with the voxels an endplate shows as one or two stairs.
@example(tilt=-1 / 3, lean=-5.960464477539063e-08, turn=-0.5989979004093229, wedge=7.784895189506626)
@example(tilt=0.03, lean=-0.05, turn=0.05, wedge=2.12)
@example(tilt=0.16, lean=0.20, turn=0.92, wedge=1.81)
def test_axes_and_origin_of_a_turned_wedge_are_its_own(
    tilt: float, lean: float, turn: float, wedge: float
) -> None:
    points, axes, origin = body(1.5, wedge, (tilt, lean, turn))
    fit = frame_of_body(points, canal_behind(axes, origin), voxel_mm=1.5)
    assert degrees(fit.frame.cranial, axes[:, 2]) < 2.0
    assert degrees(fit.frame.left, axes[:, 0]) < 3.0
    assert np.linalg.norm(fit.frame.origin - origin) < 1.5
    assert fit.evidence["wedge_degrees"] == pytest.approx(wedge, abs=3.0)


def test_the_axis_of_a_wedge_is_the_mean_of_its_endplates_not_the_canals() -> None:
    points, axes, origin = body(1.0, 15, (0, 0, 0))
    canal = canal_behind(Rotation.from_euler("x", 8, degrees=True).as_matrix() @ axes, origin)
    assert degrees(frame_of_body(points, canal).frame.cranial, axes[:, 2]) < 1.5


def test_an_osteophyte_does_not_tilt_the_endplate() -> None:
    points, axes, origin = body(1.0, 5, (10, 0, 0), lip=True)
    fit = frame_of_body(points, canal_behind(axes, origin))
    assert degrees(fit.frame.cranial, axes[:, 2]) < 2.0


def test_a_body_cut_by_the_scans_edge_keeps_the_axis_of_the_endplate_that_is_seen() -> None:
    points, axes, origin = body(1.0, 0, (12, 0, 0))
    seen = points[:, 2] < 200.0
    edge = points[seen][:, 2] >= 199.0
    fit = frame_of_body(points[seen], canal_behind(axes, origin), cut=edge)
    assert fit.evidence["endplates_seen"] == 1.0
    assert fit.upper_normal is None
    assert degrees(fit.frame.cranial, axes[:, 2]) < 3.0


def test_a_ragged_label_moves_the_frame_little() -> None:
    rng = np.random.default_rng(3)
    points, axes, origin = body(1.0, 8, (5, -5, 5))
    ragged = points[rng.random(len(points)) > 0.15] + rng.normal(0, 0.4, (1, 3))
    fit = frame_of_body(ragged, canal_behind(axes, origin))
    assert degrees(fit.frame.cranial, axes[:, 2]) < 2.5
    assert degrees(fit.frame.left, axes[:, 0]) < 3.5
    assert np.linalg.norm(fit.frame.origin - origin) < 2.0


def test_size_and_confidence_of_a_clean_body() -> None:
    points, axes, origin = body(1.0, 0, (0, 0, 0))
    fit = frame_of_body(points, canal_behind(axes, origin))
    assert fit.height_mm == pytest.approx(24, abs=1.5)
    assert fit.width_mm == pytest.approx(42, abs=3.0)
    assert fit.depth_mm == pytest.approx(30, abs=2.5)
    assert fit.confidence > 0.9


def test_a_ball_of_voxels_is_a_poor_body() -> None:
    rng = np.random.default_rng(1)
    blob = rng.normal(0, 8, (3000, 3)) * np.array([1.6, 0.7, 1.0]) + [8, -24, 200]
    _, axes, origin = body(3.0, 0, (0, 0, 0))
    clean = frame_of_body(body(1.0, 0, (0, 0, 0))[0], canal_behind(axes, origin))
    assert frame_of_body(blob, canal_behind(axes, origin)).confidence < 0.6 * clean.confidence
