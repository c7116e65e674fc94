"""Frames of real vertebral shapes: turned with the bone, they turn with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from thecal.anatomy.vertebra_frame import frame_of_body
from thecal.frames import CanalFrame

MESHES = Path(__file__).parents[2].parent / "shared" / "data" / "lumbar_mean_mesh"


def body_points(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points inside the body of a mesh, and the middle of its vertebral foramen, in the mesh's own axes."""
    import trimesh

    path = MESHES / f"{name}_mean.stl"
    if not path.exists():
        pytest.skip("the lumbar meshes are not here")
    mesh = trimesh.load(path)
    grid = mesh.voxelized(pitch=1.5).fill()
    points = np.asarray(grid.points)
    return points, np.asarray(mesh.vertices)


def ring_middle(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Middle of the vertebral foramen and the axes across, forward and along, from the points alone."""
    centre = points.mean(0)
    best = None
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        cell = np.floor((points[:, others] - points[:, others].min(0)) / 2).astype(int) + 1
        image = np.zeros(cell.max(0) + 2, bool)
        image[tuple(cell.T)] = True
        from scipy import ndimage

        holes, count = ndimage.label(ndimage.binary_fill_holes(image) & ~image)
        for n in range(1, count + 1):
            area = (holes == n).sum() * 4.0
            if best is None or area > best[0]:
                middle = np.zeros(3)
                middle[others] = (np.argwhere(holes == n).mean(0) - 1 + 0.5) * 2 + points[:, others].min(0)
                middle[axis] = centre[axis]
                best = (area, axis, middle)
    assert best is not None
    along = np.eye(3)[best[1]]
    ahead = points[np.abs((points - best[2]) @ along) < 6].mean(0) - best[2]
    ahead -= (ahead @ along) * along
    ahead /= np.linalg.norm(ahead)
    return best[2], np.cross(ahead, along), ahead, along


@pytest.mark.parametrize("name", ["L2", "L3", "L4", "L5"])
def test_the_frame_of_a_real_body_turns_with_it(name: str) -> None:
    points, _ = body_points(name)
    hole, _, ahead, along = ring_middle(points)
    body = points[(points - hole) @ ahead > 8.0]
    half_width = np.percentile(np.abs((body - hole) @ np.cross(ahead, along)), 90)
    body = body[np.abs((body - hole) @ np.cross(ahead, along)) < min(half_width * 1.2, 27)]
    curve = hole + np.linspace(-40, 40, 30)[:, None] * along
    # Into LPS: anterior is -y, cranial +z.
    base = np.stack([np.cross(along, -ahead) * -1, -ahead, along])
    if np.linalg.det(base) < 0:
        base[0] *= -1
    first = frame_of_body(body @ base.T, CanalFrame.through(curve @ base.T), voxel_mm=1.5)
    assert first.confidence > 0.4
    turn = Rotation.from_euler("xyz", [18, -12, 15], degrees=True).as_matrix()
    again = frame_of_body(body @ base.T @ turn.T, CanalFrame.through(curve @ base.T @ turn.T), voxel_mm=1.5)
    for a, b in ((first.frame.cranial, again.frame.cranial), (first.frame.left, again.frame.left)):
        assert np.degrees(np.arccos(np.clip(turn @ a @ b, -1, 1))) < 3.0
    assert np.linalg.norm(turn @ first.frame.origin - again.frame.origin) < 1.5
    # A mean shape is symmetric: its sagittal plane runs through the middle of the foramen.
    assert abs((hole @ base.T - first.frame.origin) @ first.frame.left) < 2.5
