"""The X-ray tube's spectrum, and what of it passes."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.fluoro.projection.line_integrals import FloatImage
from thecal.fluoro.projection.materials import MATERIALS, Material
from thecal.volume import FloatArray

BIN_KEV: Final = 3
"""Energies are taken together in bins of this width; attenuation is the spectrum's mean within each. In 1 keV
bins the signal behind 20 cm of soft tissue and 2 cm of bone differs by under 1 %, with 1 cm of cement by under
3 % (tested)."""
CSI_MM: Final = 0.4
"""Caesium iodide of the detector as if it were solid: 0.55 mm at a packing of 0.75 (from memory)."""


@dataclass(frozen=True, eq=False)
class Beam:
    """A tube voltage with its spectrum as the detector sees it.

    Attributes
    ----------
    kv : float
    kev : (n,) float64
        Mean energy of each bin.
    signal : (n,) float64
        Share of the signal in an open beam: photons times what the detector takes of their energy. Sums to 1.
    per_mm : mapping of material to (n,) float64
        Attenuation, 1/mm.
    photons_per_mm2_ugy : float
        Photons of the open beam for an air kerma of 1 microgray.
    """

    kv: float
    kev: FloatArray
    signal: FloatArray
    per_mm: Mapping[Material, FloatArray]
    photons_per_mm2_ugy: float

    def passed(self, mm: Mapping[Material, npt.NDArray[Any]]) -> FloatImage:
        """Signal behind so many mm of each material, as a share of the open beam's.

        Beer-Lambert over the spectrum: low energies go first, so what is left of the beam is harder.
        """
        shape = np.broadcast_shapes(*(np.shape(length) for length in mm.values()))
        total = np.zeros(shape, np.float32)
        for n, share in enumerate(self.signal):
            power = np.zeros(shape, np.float32)
            for material, length in mm.items():
                power -= np.float32(self.per_mm[material][n]) * np.asarray(length, np.float32)
            total += np.float32(share) * np.exp(power)
        return total


@cache
def beam(kv: float = 80.0, bin_kev: int = BIN_KEV) -> Beam:
    """The beam of a C-arm's tube.

    Parameters
    ----------
    kv : float
        60 to 120; between the tabled voltages the spectra of the two neighbours are mixed.
    bin_kev : int
        Width of the bins of energy.

    Notes
    -----
    Spectra by SpekPy, attenuation by xraydb; see ``tables/about.json`` and ``benchmarks/xray_tables.py``.
    """
    table, about = _table("spectra"), _about()
    tabled = np.array(sorted(float(name[2:]) for name in table if name != "kev"))
    if not tabled[0] <= kv <= tabled[-1]:
        raise InputError(f"A tube voltage of {kv:g} kV is outside of {tabled[0]:g} to {tabled[-1]:g} kV.")
    low = tabled[tabled <= kv][-1]
    high = tabled[tabled >= kv][0]
    weight = (kv - low) / (high - low) if high > low else 0.0
    photons = (1 - weight) * table[f"kv{low:g}"] + weight * table[f"kv{high:g}"]
    kerma = (1 - weight) * about[f"{low:g}"] + weight * about[f"{high:g}"]
    kev = table["kev"]
    mu = _table("attenuation")
    signal = photons * kev * (1.0 - np.exp(-mu["csi"] * CSI_MM / 10.0))
    bins = ((kev - kev[0]) // bin_kev).astype(int)
    weights = np.bincount(bins, signal)
    used = weights > 0
    mean = {
        name: np.bincount(bins, signal * values)[used] / weights[used]
        for name, values in [("kev", kev), *((m, mu[m] / 10.0) for m in MATERIALS)]
    }
    return Beam(
        kv,
        mean.pop("kev"),
        weights[used] / weights.sum(),
        {m: mean[m] for m in MATERIALS},
        float(photons.sum() / kerma),
    )


def attenuation_at(name: str, kev: float) -> float:
    """Attenuation of a tabled material at one energy, 1/mm."""
    table = _table("attenuation")
    return float(np.exp(np.interp(np.log(kev), np.log(table["kev"]), np.log(table[name])))) / 10.0


@cache
def _table(name: str) -> dict[str, FloatArray]:
    text = (files("thecal.fluoro.projection") / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    head, *rows = csv.reader(text.splitlines())
    return dict(zip(head, np.array(rows, float).T, strict=True))


@cache
def _about() -> dict[str, float]:
    text = (files("thecal.fluoro.projection") / "tables" / "about.json").read_text(encoding="utf-8")
    kerma: dict[str, float] = json.loads(text)["air_kerma_ugy_per_mas"]
    return kerma
