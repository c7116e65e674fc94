"""The figures that ``docs/method.md`` gives are those of the code."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from pages import ROOT

METHOD = re.sub(r"\s+", " ", (ROOT / "docs" / "method.md").read_text(encoding="utf-8"))

# File, constant, and what the page says; {} stands for the constant, {0} and {1} for the parts of a pair.
FIGURES = [
    ("dicom/series.py", "FEWEST_SLICES", "at least three slices"),
    ("dicom/series.py", "USEFUL_COVERAGE_MM", "axial stack of {:.0f} mm or more"),
    ("dicom/layout.py", "SAME_PLACE_MM", "slices at one place ({} mm)"),
    ("dicom/layout.py", "BRIDGED_GAP_MM", "no more than {:.0f} mm, is interpolated"),
    ("dicom/hounsfield.py", "PLATEAU_TIMES", "at least {} times as many voxels"),
    ("dicom/hounsfield.py", "PLATEAU_REACH_HU", "in the {} HU below"),
    ("anatomy/canal.py", "COARSE_MM", "On a {} mm grid, 24 rays"),
    ("anatomy/canal.py", "RAYS", "{} rays of up to"),
    ("anatomy/canal.py", "RAY_REACH_MM", "rays of up to {:.0f} mm"),
    ("anatomy/canal.py", "SOFT_HU", "(−150 to {1} HU"),
    ("anatomy/missing.py", "DENSE_HU", "above {} HU may be cement"),
    ("anatomy/missing.py", "DENSE_HU", "voxels above {} HU in clusters"),
    ("anatomy/missing.py", "LEAST_CORE_MM3", "clusters of {:.0f} mm³ and more"),
    ("anatomy/missing.py", "SHEET_HU", "sheets above {} HU"),
    ("anatomy/missing.py", "SHEET_REACH_MM", "hang on them within {:.0f} mm"),
    ("anatomy/canal.py", "BONE_HU", "meeting bone ({} to 1300 HU)"),
    ("anatomy/canal.py", "SHORTEST_MEAN_RAY_MM", "m ≥ {:.0f} mm"),
    ("anatomy/canal.py", "FLOOR", "Σ(score − {})"),
    ("anatomy/canal.py", "SHORTEST_PATH_MM", "A path below {:.0f} mm"),
    ("anatomy/canal.py", "COURSE_SIGMA_MM", "a Gaussian of {:.0f} mm"),
    ("anatomy/wall.py", "ANGLES", "over {} angles"),
    ("anatomy/wall.py", "BONE_RAMP_HU", "from 0 at {0:.0f} HU to 1 at {1:.0f} HU and"),
    ("anatomy/wall.py", "HIDDEN_SHELL", "nearly as soft ({})"),
    ("anatomy/wall.py", "NEAR_MM", "(σ = {:.0f} mm along the canal)"),
    ("anatomy/wall.py", "FAR_MM", "(σ = {:.0f} mm), where no bone"),
    ("anatomy/wall.py", "SHELL_MM", "softness of the {} mm just outside"),
    ("anatomy/backends/builtin.py", "LEAST_CANAL_CONFIDENCE", "its median is below {}"),
    ("anatomy/backends/builtin.py", "LEAST_BODY_CONTRAST_HU", "median edge is below {:.0f} HU"),
    ("anatomy/likeness.py", "LEAST_LIKENESS", "below {} the run ends"),
    ("anatomy/likeness.py", "SYMMETRY", "({0} counts nothing, {1} fully"),
    ("anatomy/likeness.py", "ARCH_HU", "({0:.0f} to {1:.0f} HU). Spines"),
    ("anatomy/disc_profile.py", "PATCH_DEPTH_MM", "patches {0:.0f} to {1:.0f} mm deep"),
    ("anatomy/disc_choice.py", "PEDICLE_PHASE", "middle lies {0} to {1} of the way"),
    ("anatomy/disc_choice.py", "SPACING_LIKENESS", "/{})²"),
    ("anatomy/disc_choice.py", "SPACING_MM", "Spacings from {0} to {1} mm"),
    ("anatomy/disc_choice.py", "FORAMEN_ABOVE_MM", "foramen, which opens about {:.0f} mm above"),
    ("anatomy/disc_choice.py", "BAND_SPACING_MM", "spaced less than {1:.0f} mm"),
    ("anatomy/disc_choice.py", "MOST_UNLIKE", "at most {}."),
    ("anatomy/endplates.py", "CELL_MM", "a height field on {} mm cells"),
    ("anatomy/bodies.py", "WAIST_ANGLES", "over {} angles and"),
    ("anatomy/bodies.py", "WAIST_LEVELS", "and {} heights"),
    ("anatomy/arch.py", "BONE_RAMP_HU", "from 0 at {0:.0f} HU to 1 at {1:.0f} HU; a voxel"),
    ("anatomy/arch.py", "LEAST_BONE", "of *b* ≥ {} costs"),
    ("anatomy/arch.py", "BONE_COST", "costs {} + 25(1 − b)²"),
    ("anatomy/arch.py", "GAP_COST", "0.2 + {:.0f}(1 − b)²"),
    ("anatomy/arch.py", "JOINT_COST", "+ {:.0f}·clip(v − 0.05, 0, 1)"),
    ("anatomy/arch.py", "PROCESS_REACH", "than {} widths of the body"),
    ("anatomy/arch.py", "PROCESS_REACH_MM", "widths of the body and {:.0f} mm"),
    ("anatomy/arch.py", "SPINOUS_HALF_WIDTH_MM", "within {:.0f} mm of the midline no vertebra's front"),
    (
        "anatomy/arch.py",
        "SPINOUS_TOP_SHARE",
        "not above {} of its spacing where that is 24 mm or less, rising to {} at",
    ),
    ("anatomy/sac.py", "BORDER_HU", "falls below −30"),
    ("anatomy/sac.py", "SHARE_WITHOUT_FAT", "ends at {} of the wall's radius"),
    ("anatomy/sac.py", "SHARE_UNSEEN", "nothing can be seen at {}"),
    ("anatomy/sac.py", "DURA_MM", "at least {} mm inside the wall"),
    ("anatomy/foramina.py", "OUTWARD_MM", "at most {:.0f} mm out"),
    ("anatomy/foramina.py", "SIDE_DEGREES", "within {:.0f}° of lateral"),
    ("cement/noise.py", "PATCH_VOXELS", "{} × 5 voxel patches"),
    ("cement/point_spread.py", "SLICE_SIGMA_SHARE", "({}·slice thickness)²"),
    ("cement/bone_brightness.py", "BRIGHT_PERCENTILE", "the {}th percentile of each vertebra's arch"),
    ("cement/bone_brightness.py", "BRIGHT_OVER_QUARTILE", "held to {} times its upper quartile"),
    ("cement/bone_brightness.py", "LEVELS_DIFFER", "more than {} times the typical one"),
    ("cement/bone_brightness.py", "PLAUSIBLE_HU", "held to {0:.0f} to {1:.0f} HU"),
    ("cement/seeds.py", "ABOVE_BONE", "clip({} · bone"),
    ("cement/seeds.py", "NOISE_MARGIN", "+ {:.0f} · noise"),
    ("cement/seeds.py", "SEED_RANGE_HU", "noise, {0:.0f}, {1:.0f}) HU"),
    ("cement/seeds.py", "LEAST_SEED_MM3", "group of at least {:.0f} mm³"),
    ("cement/seeds.py", "REACH_MM", "within {:.0f} mm of the spine"),
    ("cement/seeds.py", "WEAK_LEAST_MM3", "larger than {:.0f} mm³ inside bodies"),
    ("cement/faint.py", "CANAL_SHARE", "{:.0%} and 700 HU"),
    ("cement/faint.py", "CANAL_LEAST_HU", "and {:.0f} HU, for nothing natural"),
    ("cement/metal.py", "ABOVE_ANY_CEMENT_HU", "above {:.0f} HU; or long"),
    ("cement/metal.py", "SCREW_LENGTH_MM", "at least {:.0f} mm long, solid"),
    ("cement/candidates.py", "CHAIN_MM", "another that does within {:.0f} mm"),
    ("cement/candidates.py", "BESIDE_MM", "within {:.0f} mm of the spine (60"),
    ("cement/candidates.py", "BEHIND_MM", "({:.0f} mm behind it"),
    ("cement/candidates.py", "MOST_CEMENT_ML", "no group above {:.0f} mL"),
    ("cement/extent.py", "GROW_SHARE", "voxels above {:.0%} of the brightness"),
    ("cement/candidates.py", "LEAST_APART_MM3", "must then hold {:.0f} mm³"),
    ("cement/candidates.py", "UNSEEN_VEIN_MM", "within {:.0f} mm of rooted cement"),
    ("cement/extent.py", "DIM_REACH_MM", "within {:.0f} mm of what surely outshines it"),
    ("cement/extent.py", "PURE_OVER_BODY", "the plateau is {:.2f} times"),
    ("cement/plateau.py", "SCATTER_SEEN", "no more than {:.0%} of those voxels"),
    ("cement/plateau.py", "DEPTH_SEEN", "{:.1%} of the deep ones are cut off"),
    ("cement/plateau.py", "SCATTER_SHARE", "voxels scatter by {:.0%} about their mean"),
    ("cement/metal.py", "SOLID_METAL_HU", "a quarter of it above {:.0f} HU"),
    ("cement/extent.py", "CONNECT_FRACTION", "f ≥ {:.2f}"),
    ("cement/extent.py", "LEAST_PIECE_MM3", "pieces below {:.0f} mm³ are dropped"),
    ("cement/extent.py", "CRUMB_MM3", "crumbs below {:.0f} mm³"),
    ("cement/plateau.py", "INTERIOR_PERCENTILE", "the {}th percentile of voxels deeper"),
    ("cement/plateau.py", "USUAL_HU", "else around {:.0f} HU (mixture"),
    ("cement/fractions.py", "STEPS", "by {} steps of"),
    ("leakage/occlusion.py", "METAL_REACH_MM", "passes metal within {:.0f} mm of the canal's wall"),
    ("cement/find.py", "OVER_SEED", "with a margin, {} · (T + 2 · noise)"),
    ("leakage/compartments.py", "WALL_UNCERTAINTY_MM", "({} mm; 2 mm for the sac)"),
    ("leakage/compartments.py", "SAC_UNCERTAINTY_MM", "1.5 mm; {:.0f} mm for the sac"),
    ("leakage/compartments.py", "MIN_SEED_MM3", "hold at least {:.0f} mm³"),
    ("leakage/compartments.py", "HUGGING_SHARE", "of which {:.0%} lies"),
    ("leakage/compartments.py", "HUGGING_MM", "within {} mm of the canal's wall"),
    ("leakage/compartments.py", "HUGGING_DEPTH_MM", "reaches {:.0f} mm into the sac"),
    ("leakage/pieces.py", "MIN_ATTACHED_MM3", "Parts below {:.0f} mm³ stay"),
    ("leakage/needle_track.py", "SLENDER", "twice as long as wide"),
    ("leakage/intradural/scene.py", "THICKEST_MM", "on slices above {} mm"),
    ("leakage/intradural/scene.py", "LEAST_SAC_CEMENT_MM3", "less than {:.0f} mm³ was given to it"),
    ("leakage/intradural/straight_canal.py", "STEP_MM", "on pixels of {} mm"),
    ("leakage/intradural/gaps.py", "DIP", "below {} of the lower"),
    ("leakage/intradural/gaps.py", "PEAK", "each at least {}."),
    ("leakage/intradural/layering.py", "GAP_MM", "widths of {0} to {1:.0f} mm, both peaks"),
    ("leakage/intradural/layering.py", "WIDE_MM", "a surface at least {} mm wide"),
    ("leakage/intradural/layering.py", "INSIDE_MM", "at least {:.0f} mm within its outline"),
    ("leakage/intradural/layering.py", "ANGLES", "on {} rays from"),
    ("leakage/intradural/layering.py", "COARSEST_FWHM_MM", "in-plane blur above {:.0f} mm"),
    ("leakage/intradural/no_extradural_cement.py", "MOST_OUTSIDE", "≤ {:.2f}"),
    ("leakage/intradural/sac_conforming_shape.py", "TOLD_APART_MM", "outline at least {} mm from the bone"),
    ("leakage/intradural/sac_conforming_shape.py", "NEAR_SHARE", "share ≥ {}, bluntness"),
    ("leakage/intradural/sac_conforming_shape.py", "BLUNT", "bluntness ≥ {},"),
    ("leakage/intradural/sac_conforming_shape.py", "HUGGING_SHARE", "at most {} of the border nearer"),
    ("leakage/intradural/root_outlines.py", "ROOT_MM", "{0} to {1} mm wide, no fat, followed"),
    ("leakage/intradural/root_outlines.py", "LONG_MM", "at least {:.0f} mm (or 4 slices) long"),
    ("leakage/intradural/root_outlines.py", "COARSEST_FWHM_MM", "Needs a blur of at most {} mm"),
    ("leakage/intradural/root_outlines.py", "THICK_MM", "and cement {:.0f} mm thick"),
    ("leakage/intradural/root_outlines.py", "LEAST_ROOTS", "{:.0f} lines"),
    ("leakage/intradural/multilevel_spread.py", "LONG_MM", "max({:.0f} mm, 2 slices)"),
    ("leakage/intradural/multilevel_spread.py", "TREATED_ML", "bodies hold {} mL"),
    ("leakage/intradural/separated_from_posterior_wall.py", "TISSUE", "(*f* below {})"),
    ("leakage/intradural/separated_from_posterior_wall.py", "PARTED_MM", "lines with {} mm or more"),
    ("leakage/intradural/medial_puncture.py", "NEEDLE_RADIUS_MM", "less {} mm for the needle"),
    ("leakage/intradural/medial_puncture.py", "PLACE_ERROR_MM", "e(t) = {}·√"),
    ("leakage/intradural/medial_puncture.py", "BEHIND_MM", "within {:.0f} mm behind the wall"),
    ("leakage/intradural/medial_puncture.py", "IN_ARCH_SHARE", "{} of them in the arch"),
    ("leakage/route.py", "BRIDGED_GAP_MM", "A piece up to {:.0f} mm away"),
    ("leakage/route.py", "BASIVERTEBRAL_WIDTH", "within {:.0%} of the width"),
    ("leakage/route.py", "WAIST", "and {:.0%} of the height of mid-height"),
    ("leakage/route.py", "VEIN_MM2", "no more than {:.0f} mm²"),
    ("leakage/occlusion.py", "RIM_MM", "to {} mm beyond the wall"),
    ("leakage/occlusion.py", "CONFIDENCE_FLOOR", "confidence is below {}, are"),
    ("leakage/occlusion.py", "MIDLINE_MM", "within {:.0f} mm of it"),
    ("leakage/heights.py", "RIM_AT", "read at {:.0%} of the depth"),
    ("leakage/heights.py", "GENANT_MILD", "below {:.0%} counts as a mild"),
    ("leakage/trabecular.py", "CORTEX_MM", "more than {:.0f} mm inside the body's surface"),
    ("leakage/trabecular.py", "HALO_MM", "cement's halo ({:.0f} mm and"),
    ("leakage/deposits.py", "EDGE_SD_MM", "({:.2f} mm · max(1, σ/0.5)"),
    ("leakage/deposits.py", "WALL_SD_MM", "({} mm · S_shared)²"),
    ("leakage/deposits.py", "CEMENT_CONTRAST_HU", "noise/{:.0f}"),
]
# What the page writes out in words or with a proper minus sign, beside the constant it stands for.
IN_WORDS: dict[str, Any] = {
    "at least three slices": 3,
    "(−150 to {1} HU": (-150, 130),
    "falls below −30": -30.0,
    "twice as long as wide": 2.0,
}


def constant(file: str, name: str) -> Any:
    """The value that a file of the package gives a name, at its top or within a function."""
    tree = ast.parse((ROOT / "src" / "thecal" / file).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = node.value.elts if isinstance(target, ast.Tuple) else [node.value]
                for one, value in zip(names, values, strict=False):
                    if isinstance(one, ast.Name) and one.id == name:
                        return ast.literal_eval(value)
    raise AssertionError(f"{file} has no constant {name} any more: change docs/method.md")


@pytest.mark.parametrize(("file", "name", "said"), FIGURES)
def test_the_page_gives_the_figure_of_the_code(file: str, name: str, said: str) -> None:
    value = constant(file, name)
    if said in IN_WORDS:
        assert value == IN_WORDS[said], f"{file} {name} is {value}: change docs/method.md"
    parts = value if isinstance(value, tuple) else (value,)
    expected = said.format(*parts).replace("%", " %")
    assert expected in METHOD, f"{file} {name} is {value}, so docs/method.md should say: {expected}"
