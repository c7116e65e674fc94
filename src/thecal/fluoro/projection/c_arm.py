"""A C-arm as its display and DICOM XA state it: distances, angles, pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.fluoro.projection.view import View

AP_DEGREES: Final = (0.0, 0.0)
"""Primary and secondary angle of the antero-posterior view."""
PRONE_AP_DEGREES: Final = (180.0, 0.0)
"""Those of a patient who lies prone, with the detector above the table: angles count from the patient."""
LATERAL_DEGREES: Final = (90.0, 0.0)
"""Those of the lateral view, detector at the patient's left."""


@dataclass(frozen=True)
class CArm:
    """The parts of a C-arm that do not move.

    Attributes
    ----------
    sid_mm : float
        Source to detector: Distance Source to Detector (0018,1110).
    sod_mm : float
        Source to isocentre: Distance Source to Patient (0018,1111).
    pitch_mm : float
        Pixel pitch at the detector: Imager Pixel Spacing (0018,1164), square.
    shape : (int, int)
        Rows and columns.
    """

    sid_mm: float = 1000.0
    sod_mm: float = 620.0
    pitch_mm: float = 0.4
    shape: tuple[int, int] = (512, 512)

    def view(self, isocentre: npt.ArrayLike, primary_deg: float, secondary_deg: float = 0.0) -> View:
        """The view at an angulation.

        Parameters
        ----------
        isocentre : (3,) array-like
            LPS mm; it is drawn in the detector's middle.
        primary_deg : float
            Positioner Primary Angle (0018,1510): 0 has the detector in front of the patient, + towards her
            left (LAO), - towards her right (RAO); 90 is a lateral view.
        secondary_deg : float
            Positioner Secondary Angle (0018,1511): + towards the head (CRAN), - towards the feet (CAUD).

        Returns
        -------
        View
            Rows run from head to feet; at 0 degrees columns run from the patient's right to her left, at 90
            from front to back: the picture as seen from the detector.
        """
        primary, secondary = np.radians([primary_deg, secondary_deg])
        left, anterior, cranial = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])
        around = np.sin(primary) * left + np.cos(primary) * anterior
        towards = np.cos(secondary) * around + np.sin(secondary) * cranial
        row = np.cos(primary) * left - np.sin(primary) * anterior
        column = np.sin(secondary) * around - np.cos(secondary) * cranial
        middle = np.asarray(isocentre, float)
        source = middle - self.sod_mm * towards
        rows, columns = self.shape
        corner = (
            source
            + self.sid_mm * towards
            - self.pitch_mm * ((columns - 1) / 2 * row + (rows - 1) / 2 * column)
        )
        return View(source, corner, row * self.pitch_mm, column * self.pitch_mm, self.shape)
