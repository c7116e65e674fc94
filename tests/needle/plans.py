"""Plans that need no planner: a straight line through the pedicle's middle to the anterior third."""

from __future__ import annotations

import numpy as np
from matplotlib.text import Text
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.fluoro.target import body_depth_mm
from thecal.leakage.tracks.grading import gertzbein_robbins
from thecal.needle.plan_value import (
    AimShare,
    CementRange,
    Clearance,
    Corridor,
    ExecutedNeedle,
    Gauge,
    LevelPlan,
    SideAnswer,
    Trajectory,
)
from thecal.report.drawing import Picture
from thecal.volume import Volume

GAUGE = Gauge("11G", 3.05, 2.4, "made up for tests")
SIGN = {"left": 1.0, "right": -1.0}
DEEP = 0.75
STEP_MM = 0.5
AIR_HU = -300


def plain_plan(
    volume: Volume, spine: Spine, vertebra: Vertebra, *, blocked: tuple[str, ...] = ()
) -> LevelPlan:
    """Both sides with a needle each, and one to the middle from the left; ``blocked`` sides have none."""
    field = _Field(volume, spine)
    sides = []
    for side in ("left", "right"):
        corridor = _corridor(spine, vertebra, side)
        if side in blocked:
            reason = "the pedicle is 3.1 mm wide and a 13G needle with 1 mm of margin needs 4.4 mm"
            sides.append(SideAnswer(side, corridor, None, (), reason, 4096))
        else:
            best = field.trajectory(vertebra, corridor, 6.0 * SIGN[side])
            sides.append(SideAnswer(side, corridor, best, (), "", 4096))
    free = [answer for answer in sides if answer.best is not None]
    single = field.trajectory(vertebra, free[0].corridor, 0.0) if free else None
    body = float(spine.body_mask(vertebra).sum()) * spine.grid.voxel_mm3 / 1000.0
    cement = CementRange(body, 0.15, 0.30, 0.15 * body, 0.30 * body, ("made up for tests",))
    return LevelPlan(vertebra.id, vertebra.level, single, tuple(sides), cement, ("segmental arteries",), 1.2)


def _corridor(spine: Spine, vertebra: Vertebra, side: str) -> Corridor:
    bone = (spine.labels == vertebra.id) & (spine.parts == Part.ARCH)
    local = vertebra.frame.to_local(spine.grid.to_lps(np.argwhere(bone)))
    sign = SIGN[side]
    slab = local[
        (np.abs(local[:, 1] + 5.0) < 2.5) & (local[:, 0] * sign > 4.0) & (np.abs(local[:, 2]) < 20.0)
    ]
    middle = np.median(slab, axis=0)
    low, high = np.percentile(slab, (10, 90), axis=0)
    width, height = (high - low)[[0, 2]] / 0.8
    theta = np.linspace(0.0, 2 * np.pi, 48)
    ring = np.stack(
        [
            middle[0] + width / 2 * np.cos(theta),
            np.full_like(theta, middle[1]),
            middle[2] + height / 2 * np.sin(theta),
        ],
        axis=1,
    )
    depth = np.linspace(-10.0, 0.0, 11)
    inner = middle[0] - sign * width / 2
    wall = np.stack([np.full_like(depth, inner), depth, np.full_like(depth, middle[2])], axis=1)
    frame = vertebra.frame
    return Corridor(
        side,
        tuple(frame.to_lps(middle).tolist()),
        frame.anterior,
        float(width),
        float(height),
        float(width) - 2.0,
        0.0,
        0.0,
        frame.to_lps(ring),
        frame.to_lps(wall),
    )


class _Field:
    """The scan as the plain planner sees it: how far each voxel lies from the canal."""

    def __init__(self, volume: Volume, spine: Spine) -> None:
        self.volume, self.spine = volume, spine
        self.away = ndimage.distance_transform_edt(~spine.canal_mask(), sampling=spine.grid.spacing_mm)

    def _at(self, array, grid, points, fill):
        return ndimage.map_coordinates(array, grid.to_index(points).T, order=1, cval=fill, output=float)

    def trajectory(self, vertebra: Vertebra, corridor: Corridor, aside_mm: float) -> Trajectory:
        frame = vertebra.frame
        sign = SIGN[corridor.side]
        depth = body_depth_mm(self.spine, vertebra)
        tip = frame.to_lps((aside_mm, DEEP * depth, 0.0))
        through = np.asarray(corridor.isthmus_mm)
        way = (tip - through) / np.linalg.norm(tip - through)
        back = np.arange(0.0, 160.0, STEP_MM)
        line = through - back[:, None] * way
        own = (
            self._at((self.spine.labels == vertebra.id).astype(np.float32), self.spine.grid, line, 0.0) > 0.5
        )
        entry = line[int(np.flatnonzero(own[: int(45.0 / STEP_MM)])[-1])]
        hu = self._at(self.volume.hu, self.volume.grid, line, np.nan)
        outside = np.flatnonzero((hu < AIR_HU) & (back > np.linalg.norm(entry - through)))
        seen = len(outside) > 0 and not np.isnan(hu[: outside[0]]).any()
        skin = line[int(outside[0])] if seen else None
        start = entry if skin is None else skin
        u = frame.to_local(start + way) - frame.to_local(start)
        wall = -frame.to_local(start)[1] / u[1]
        length = float(np.linalg.norm(tip - start))
        depths = np.arange(0.0, length + 1e-6, 1.0)
        points = start + depths[:, None] * way
        free = self._at(self.away, self.spine.grid, points, 30.0) - GAUGE.outer_mm / 2
        behind = (depths < wall) & (depths > np.linalg.norm(entry - start))
        names = tuple("medial pedicle wall" if b else "thecal sac" for b in behind)
        patient = np.degrees(
            [np.arctan2(-sign * way[0], -way[1]), np.arctan2(way[2], np.hypot(way[0], way[1]))]
        )
        return Trajectory(
            side=corridor.side,
            approach="transpedicular",
            gauge=GAUGE,
            skin_mm=None if skin is None else tuple(skin.tolist()),
            entry_mm=tuple(entry.tolist()),
            tip_mm=tuple(tip.tolist()),
            transverse_deg=float(np.degrees(np.arctan2(-sign * u[0], u[1]))),
            sagittal_deg=float(np.degrees(np.arctan2(u[2], u[1]))),
            patient_transverse_deg=float(patient[0]),
            patient_craniocaudal_deg=float(patient[1]),
            skin_from_midline_mm=None if skin is None else float(abs(frame.to_local(skin)[0])),
            skin_depth_mm=None if skin is None else float(np.linalg.norm(entry - start)),
            wall_depth_mm=float(wall),
            tip_depth_mm=length,
            widest_gauge="10G",
            least_mm=float(free.min()),
            nearest=names[int(free.argmin())],
            medial_margin_mm=float(free[behind].min()),
            grade="A",
            aim=(
                AimShare(1.0, 2.0, 1000, 0.99, {"A": 0.95, "B": 0.04, "C": 0.01}),
                AimShare(2.0, 3.0, 1000, 0.91, {"A": 0.74, "B": 0.17, "C": 0.06, "D": 0.02, "E": 0.01}),
                AimShare(3.0, 5.0, 1000, 0.72, {"A": 0.5, "B": 0.22, "C": 0.16, "D": 0.07, "E": 0.05}),
            ),
            clearance=Clearance(depths, free, names),
            tip_share=DEEP,
            score={"clearance": float(free.min())},
        )


def words_on(picture: Picture) -> str:
    """All words that a picture bears, those with a rim too, which its SVG holds as outlines."""
    return "\n".join(text.get_text() for text in picture.figure.findobj(Text))


def executed_beside(way: Trajectory, vertebra: Vertebra, *, medial_mm: float) -> ExecutedNeedle:
    """The needle of a plan as if it had been put more medial all along its way."""
    moved = -SIGN[way.side] * medial_mm * vertebra.frame.left
    margin = way.medial_margin_mm - medial_mm
    breach = max(0.0, -margin)
    return ExecutedNeedle(
        vertebra_id=vertebra.id,
        level=vertebra.level,
        side=way.side,
        seen_as="cement",
        against="left" if way.side == "left" else "right",
        chosen_by="only",
        agreement=0.97,
        entry_mm=tuple((np.asarray(way.entry_mm) + moved).tolist()),
        tip_mm=tuple((np.asarray(way.tip_mm) + moved).tolist()),
        outer_mm=way.gauge.outer_mm,
        outer_from="planned",
        outer_error_mm=None,
        entry_error_mm=medial_mm,
        tip_error_mm=medial_mm,
        angle_error_deg=0.0,
        transverse_error_deg=0.0,
        sagittal_error_deg=0.0,
        medial_margin_mm=margin,
        least_mm=margin,
        nearest="medial pedicle wall",
        breach="medial" if breach > 0 else "none",
        breach_mm=breach,
        grade=gertzbein_robbins(breach),
        planned_medial_margin_mm=way.medial_margin_mm,
    )
