"""``python benchmarks/xray_tables.py``: write the X-ray tables that pictures are computed with.

Needs spekpy 2.5 and xraydb 4.5 in the Python that runs it (both only here; the program reads the tables).

Spectra: SpekPy's tungsten tube (Poludniowski 2021, doi 10.1002/mp.14945), fluence through the stated
filters. Attenuation: xraydb's tables of Elam, Ravel and Sieber (2002, doi 10.1016/S0969-806X(01)00227-4),
coherent scatter included. Compositions: SpekPy's list of NIST and ICRP materials. Cement: a powder with 30 %
BaSO4 mixed 2:1 by weight with monomer, so 20 % BaSO4 in what sets, volumes added (brands differ).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).resolve().parents[1] / "src" / "thecal" / "fluoro" / "projection" / "tables"
KILOVOLTS: Final = (60, 70, 80, 90, 100, 110, 120)
ANODE_DEG: Final = 12.0
FILTERS_MM: Final = (("Al", 3.0), ("Cu", 0.1))
FIRST_KEV: Final = 15
PMMA_G_CM3: Final = 1.18
BASO4_G_CM3: Final = 4.5
BASO4_SHARE: Final = 0.20
NAMES: Final = {
    "water": "Water, Liquid",
    "soft": "Tissue, Soft (ICRP)",
    "bone": "Bone, Cortical (ICRP)",
    "steel": "Steel, Stainless (Type 316l)",
    "csi": "Cesium Iodide",
}


def main() -> None:
    """Write ``attenuation.csv``, ``spectra.csv`` and what they were made with."""
    import spekpy
    import xraydb

    materials = {name: _material(spekpy, long) for name, long in NAMES.items()}
    materials["cement"] = _cement()
    energies = [k + 0.5 for k in range(FIRST_KEV, max(KILOVOLTS))]
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "attenuation.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kev", *materials])
        for energy in energies:
            row = [
                density * sum(share * xraydb.mu_elam(e, energy * 1000.0) for e, share in parts.items())
                for density, parts in materials.values()
            ]
            writer.writerow([energy, *(f"{mu:.5g}" for mu in row)])
    air_ugy = {}
    columns = []
    for kv in KILOVOLTS:
        tube = spekpy.Spek(kvp=kv, th=ANODE_DEG, dk=1.0, z=100.0)
        for element, thick in FILTERS_MM:
            tube.filter(element, thick)
        kev, fluence = tube.get_spectrum(edges=False)
        seen = dict(zip((round(float(k), 1) for k in kev), fluence, strict=True))
        columns.append([float(seen.get(energy, 0.0)) / 100.0 for energy in energies])
        air_ugy[str(kv)] = round(float(tube.get_kerma()), 4)
    with (FOLDER / "spectra.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kev", *(f"kv{kv}" for kv in KILOVOLTS)])
        for n, energy in enumerate(energies):
            writer.writerow([energy, *(f"{column[n]:.5g}" for column in columns)])
    about = {
        "made_by": f"python benchmarks/xray_tables.py with spekpy {spekpy.__version__}, "
        f"xraydb {xraydb.__version__}",
        "attenuation": "linear attenuation, 1/cm, at the density below, Elam, coherent scatter included",
        "density_g_cm3": {name: round(density, 4) for name, (density, _) in materials.items()},
        "weight_shares": {name: {k: round(v, 5) for k, v in p.items()} for name, (_, p) in materials.items()},
        "spectra": f"photons per mm2, keV and mAs at 1 m, tungsten, {ANODE_DEG:g} degrees, filters "
        + ", ".join(f"{mm:g} mm {element}" for element, mm in FILTERS_MM),
        "air_kerma_ugy_per_mas": air_ugy,
    }
    (FOLDER / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _material(spekpy: Any, name: str) -> tuple[float, dict[str, float]]:
    """Density and weight shares of a material of SpekPy's list."""
    import xraydb

    folder = Path(spekpy.__file__).parent / "data" / "matl_def"
    stated = json.loads((folder / f"{name}.comp").read_text(encoding="utf-8"))["composition"]
    total = sum(share for _, share in stated["elements"])
    parts = {xraydb.atomic_symbol(int(z)): share / total for z, share in stated["elements"]}
    return float(stated["density"]), parts


def _cement() -> tuple[float, dict[str, float]]:
    """Density and weight shares of set cement."""
    import xraydb

    density = 1.0 / (BASO4_SHARE / BASO4_G_CM3 + (1.0 - BASO4_SHARE) / PMMA_G_CM3)
    parts: dict[str, float] = {}
    for formula, share in (("C5H8O2", 1.0 - BASO4_SHARE), ("BaSO4", BASO4_SHARE)):
        atoms = xraydb.chemparse(formula)
        mass = {e: n * xraydb.atomic_mass(e) for e, n in atoms.items()}
        for element, grams in mass.items():
            parts[element] = parts.get(element, 0.0) + share * grams / sum(mass.values())
    return density, parts


if __name__ == "__main__":
    main()
