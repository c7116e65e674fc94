"""What the signs look at: one scene for all of them, and when none of them can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.cement.contrast_in_sac import hiding_planes
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import IntraduralSign, Leakage, Point
from thecal.leakage.intradural.meaning import SIGN_MEANING
from thecal.leakage.intradural.straight_canal import StraightCanal, straighten
from thecal.leakage.levels import Levels
from thecal.leakage.occlusion import passing_metal
from thecal.leakage.outer_face import outer_faces
from thecal.terms import SignName
from thecal.volume import FloatArray, Volume

THICKEST_MM: Final = 3.5
"""Thicker slices hide the gaps, the sac's outline and the needle's way alike."""
CONFIDENCE_FLOOR: Final = 0.2
"""As for the occlusion: planes below it are not judged."""
UNSURE_SHARE: Final = 0.5
"""With more than this share of the cement's planes not judged, no sign in the canal is read."""
LEAST_SAC_CEMENT_MM3: Final = 10.0
"""With less cement given to the sac, the signs of shape are read on all cement in the canal."""
FWHM: Final = 2.3548
RAYS: Final = 96
BEYOND_MIDDLE_MM: Final = 3.2
"""Wall and outline are read in each direction at this distance, where neighbouring directions do not mix."""
SOLID: Final = 0.5

State = Literal["present", "absent", "not_assessable"]


@dataclass(frozen=True, eq=False)
class Scene:
    """One scan with its spine, cement and deposits.

    Attributes
    ----------
    hu : (z, y, x) int16
        The spine's crop, without contrast medium.
    slice_mm : float
        The greater of slice thickness and spacing.
    fwhm_mm : float
        Width of the scan's blur within the slice.
    canal : StraightCanal or None
        None where no cement lies in the canal.
    unreadable : str or None
        Why no sign can be read on this scan.
    canal_unreadable : str or None
        Why none that looks at cement in the canal can.
    hidden : str or None
        Why even the absence of cement from the canal would say nothing.
    """

    spine: Spine
    cement: Cement
    leakage: Leakage
    levels: Levels
    hu: npt.NDArray[np.int16]
    slice_mm: float
    fwhm_mm: float
    canal: StraightCanal | None
    unreadable: str | None
    canal_unreadable: str | None
    hidden: str | None

    def volume_ml(self, *compartments: str) -> float:
        """Cement in the deposits of these compartments."""
        return sum(d.volume_ml for d in self.leakage.deposits if d.compartment in compartments)

    def suspect(self) -> tuple[npt.NDArray[np.float32], bool]:
        """Cement that may lie inside the dura (k, v, u): that given to the sac, or else all in the canal.

        The flag says whether it is that given to the sac.
        """
        assert self.canal is not None
        in_sac = 1000.0 * self.volume_ml("intradural") >= LEAST_SAC_CEMENT_MM3
        return (self.canal.sac_cement if in_sac else self.canal.canal_cement), in_sac

    def faces(
        self, suspect: npt.NDArray[np.float32], planes: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], FloatArray]:
        """Outer face of cement (k, v, u) on some planes: whether a ray meets it, rests, mm from the curve.

        Arrays are (p, a): planes and ``RAYS`` directions evenly round the curve.
        """
        assert self.canal is not None
        rays = self.canal.rays(RAYS, self.canal.step_mm)
        at = np.broadcast_arrays(planes[:, None, None].astype(float), rays.v[None], rays.u[None])

        def along(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            sampled: npt.NDArray[np.float32] = ndimage.map_coordinates(
                image, at, order=1, mode="nearest", output=np.float32
            )
            return sampled

        own = (along(suspect) >= SOLID).astype(np.int32)
        owner, rests, outer = outer_faces(
            own,
            along(self.canal.any_cement),
            along(self.canal.hu),
            self.wall_and_sac(planes)[0],
            rays.theta,
            self.canal.step_mm,
        )
        return owner > 0, rests, outer

    def wall_and_sac(self, planes: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
        """Radius of the canal's wall and of the sac's outline on the rays of ``faces``, (p, a) mm."""
        assert self.canal is not None
        theta = self.canal.rays(RAYS, self.canal.step_mm).theta
        v, u = self.canal.pixel_at(theta, BEYOND_MIDDLE_MM)
        at = np.broadcast_arrays(planes[:, None].astype(float), v[None], u[None])
        wall, sac = (
            ndimage.map_coordinates(image, at, order=1, mode="nearest").astype(float)
            for image in (self.canal.wall, self.canal.sac)
        )
        return wall, sac

    def resting_share(self, suspect: npt.NDArray[np.float32]) -> float:
        """Share of the outer face of cement (k, v, u) that rests on the canal's wall, 0..1."""
        planes = np.flatnonzero((suspect >= SOLID).any(axis=(1, 2)))
        if not len(planes):
            return 0.0
        met, rests, outer = self.faces(suspect, planes)
        length = outer * met
        return float((length * rests).sum() / max(length.sum(), 1e-9))

    def place(self, plane: float, v: float, u: float) -> Point:
        """Patient LPS mm of a pixel of the straight canal."""
        assert self.canal is not None
        frame, canal = self.spine.canal.frame, self.canal
        row = canal.rows[round(plane)]
        across, back = (
            float(axis[0]) + at * canal.step_mm for axis, at in ((canal.u_mm, u), (canal.v_mm, v))
        )
        x, y, z = frame.points[row] + across * frame.left[row] + back * frame.posterior[row]
        return float(x), float(y), float(z)

    def fullest(self, cement: npt.NDArray[np.float32]) -> Point | None:
        """The middle of cement (k, v, u) on the plane that holds most of it."""
        held = cement.sum((1, 2))
        if not held.any():
            return None
        k = int(np.argmax(held))
        v, u = np.unravel_index(np.arange(cement[k].size), cement[k].shape)
        return self.place(k, *(float(np.average(axis, weights=cement[k].ravel())) for axis in (v, u)))


def scene_of(volume: Volume, spine: Spine, cement: Cement, leakage: Leakage) -> Scene:
    """Gather what the signs look at."""
    slice_mm = max(float(volume.grid.spacing_mm[0]), volume.source.slice_thickness_mm or 0.0)
    hu = spine.plain_hu(volume)
    in_canal, in_sac = (
        np.isin(leakage.deposit_labels, [d.id for d in leakage.deposits if d.compartment in names])
        for names in (("intradural", "epidural"), ("intradural",))
    )
    unreadable = None
    if slice_mm > THICKEST_MM:
        unreadable = f"Slices of {slice_mm:g} mm are too thick to read it (at most {THICKEST_MM:g} mm)."
    canal = None
    if unreadable is None:
        canal = straighten(spine.canal, spine.grid, hu, cement.fraction, in_canal, in_sac)
    canal_unreadable = unreadable
    hidden = unreadable
    if unreadable is None:
        hidden = _no_canal(spine, leakage)
        if hidden is None and canal is not None:
            hidden = _unsure(spine, cement, canal)
        elif hidden is None and leakage.canal_cement_ml is None:
            hidden = _what_hides(spine, cement)
        canal_unreadable = hidden
        if canal is None and not _no_canal(spine, leakage):
            canal_unreadable = "No cement was detected in the canal, so the sign cannot be read."
    return Scene(
        spine,
        cement,
        leakage,
        Levels.of(spine),
        hu,
        slice_mm,
        FWHM * float(np.mean(cement.psf_sigma_mm[1:])),
        canal,
        unreadable,
        canal_unreadable,
        hidden,
    )


def sign(
    name: SignName,
    state: State,
    explanation: str,
    *,
    value: float | None = None,
    unit: str | None = None,
    threshold: float | None = None,
    at_mm: Point | None = None,
) -> IntraduralSign:
    """A sign with its source."""
    return IntraduralSign(name, state, value, unit, threshold, explanation, SIGN_MEANING[name][1], at_mm)


def unread(name: SignName, why: str) -> IntraduralSign:
    """A sign that could not be read: why not, and only then what it would be, which is no finding."""
    meaning = SIGN_MEANING[name][0]
    return sign(name, "not_assessable", f"{why} The sign would be: {meaning[0].lower()}{meaning[1:]}")


def _what_hides(spine: Spine, cement: Cement) -> str:
    if hiding_planes(spine, cement.detection_limit_hu or 0.0).any():
        return (
            "Contrast medium in the sac is as bright as cement may be, so that cement in it could not be "
            "told from it."
        )
    return "Metal or the edge of the scan hides a part of the canal in which none was seen."


def _no_canal(spine: Spine, leakage: Leakage) -> str | None:
    if leakage.canal_cement_ml is None and not (spine.canal.confidence >= CONFIDENCE_FLOOR).any():
        return "The canal was not found well enough to read it."
    return None


def _unsure(spine: Spine, cement: Cement, canal: StraightCanal) -> str | None:
    held = canal.canal_cement.sum((1, 2))
    unsure = ~(spine.canal.confidence[canal.rows] >= CONFIDENCE_FLOOR)
    if held[unsure].sum() > UNSURE_SHARE * held.sum():
        return "The canal was not found well enough where the cement lies."
    if cement.metal.any():
        beside = passing_metal(spine.canal, cement.metal, cement.grid)[canal.rows]
        if held[beside].sum() > UNSURE_SHARE * held.sum():
            return "Metal beside the canal streaks over the cement."
    return None
