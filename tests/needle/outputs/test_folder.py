"""The folder of a plan: whole, or as it was."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from thecal.errors import InputError
from thecal.fluoro.front.medial_line import medial_line as monitored_line
from thecal.fluoro.target_file import read_planned_target
from thecal.needle.outputs import folder as outputs
from thecal.needle.outputs.folder import write_plan
from thecal.needle.outputs.needles import needles_of, start_mm
from thecal.needle.pictures.landmarks import medial_line as planned_line
from thecal.needle.pictures.views import crossing_picture, scene_of


def held(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_folder_holds_what_was_promised_and_nothing_else(folder):
    assert held(folder) == [
        "meshes/T12.glb",
        "meshes/T12_needle_left.stl",
        "meshes/T12_needle_one.stl",
        "meshes/T12_needle_right.stl",
        "meshes/T12_pedicle_left.stl",
        "meshes/T12_pedicle_right.stl",
        "meshes/T12_vertebra.stl",
        "plan.html",
        "plan.json",
        "slicer/T12.mrk.json",
        "watch/T12.npz",
    ]
    assert json.loads((folder / "plan.json").read_text())["files"] == sorted(
        held(folder), key=json.loads((folder / "plan.json").read_text())["files"].index
    )


def test_the_page_links_only_to_files_that_are_there(folder):
    page = (folder / "plan.html").read_text(encoding="utf-8")
    for name in held(folder):
        if name != "plan.html":
            assert f'href="{name}"' in page


def test_the_monitor_finds_the_vertebra_with_its_needles(case, folder):
    target = read_planned_target(folder, "T12")
    assert target.level == "T12"
    assert target.vertebra_id == case.vertebra.id
    needles = needles_of(case.plan)
    assert [n.side for n in target.needles] == [n.way.side for n in needles]
    for got, planned in zip(target.needles, needles, strict=True):
        np.testing.assert_allclose(got.entry_mm, start_mm(planned.way))
        np.testing.assert_allclose(got.tip_mm, planned.way.tip_mm)
    assert [n.name for n in target.needles] == [n.key for n in needles]


def test_plan_and_monitor_hold_a_needle_against_the_same_medial_line(case, folder):
    target = read_planned_target(folder, "T12")
    for answer in case.plan.sides:
        at, _ = monitored_line(target, answer.side)
        drawn = case.vertebra.frame.to_local(planned_line(case.vertebra, answer.corridor))
        np.testing.assert_allclose(drawn[:, 0], at, atol=1e-6)


@pytest.fixture
def quick(monkeypatch):
    """Without pictures, which these tests do not look at."""
    from thecal.needle.outputs.page import LevelPictures

    monkeypatch.setattr(outputs, "level_pictures", lambda *_: LevelPictures((), (), None))


@pytest.mark.usefixtures("quick")
def test_a_new_plan_takes_the_files_of_the_old_one_away_and_leaves_others(case, hopeless, folder, tmp_path):
    out = tmp_path / "plan"
    shutil.copytree(folder, out)
    (out / "meshes" / "mine.txt").write_text("mine")
    (out / "notes.txt").write_text("mine")
    names = write_plan(out, case.volume, case.spine, [hopeless])
    assert held(out) == sorted([*names, "meshes/mine.txt", "notes.txt"])
    assert "slicer/T12.mrk.json" not in names


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("told", [None, '{"schema": "mine", "files": ["meshes/mine.glb"]}', "no json"])
def test_what_is_not_of_a_plan_stays_where_it_is(told, case, hopeless, tmp_path):
    mine = ("slicer/mine.mrk.json", "meshes/mine.glb", "watch/mine.npz", "plan.dcm")
    for name in mine:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    if told is not None:
        (tmp_path / "plan.json").write_text(told)
    write_plan(tmp_path, case.volume, case.spine, [hopeless])
    assert all((tmp_path / name).read_text() == "mine" for name in mine)


@pytest.mark.usefixtures("quick")
def test_a_list_of_files_that_points_elsewhere_takes_nothing_away(case, hopeless, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "mine.txt").write_text("mine")
    (out / "notes.txt").write_text("mine")
    files = ["../mine.txt", "notes.txt", str(tmp_path / "mine.txt"), "meshes/../notes.txt"]
    (out / "plan.json").write_text(json.dumps({"schema": "thecal.plan/1", "files": files}))
    write_plan(out, case.volume, case.spine, [hopeless])
    assert (tmp_path / "mine.txt").exists()
    assert (out / "notes.txt").exists()


@pytest.mark.usefixtures("quick")
def test_where_a_step_fails_the_folder_is_as_it_was(case, folder, tmp_path, monkeypatch):
    out = tmp_path / "plan"
    shutil.copytree(folder, out)
    before = {name: (out / name).read_bytes() for name in held(out)}

    def broken(*_, **__):
        raise InputError("the last step fails")

    monkeypatch.setattr("thecal.needle.outputs.page.render_plan", broken)
    with pytest.raises(InputError):
        write_plan(out, case.volume, case.spine, [case.plan], plan_json='{"new": 1}')
    assert {name: (out / name).read_bytes() for name in held(out)} == before
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


@pytest.mark.usefixtures("quick")
def test_the_same_plan_gives_the_same_bytes(case, folder, tmp_path):
    # Of the page without its pictures, which this run leaves out; theirs are compared below.
    for name in write_plan(tmp_path / "again", case.volume, case.spine, [case.plan]):
        if name != "plan.html":
            assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_same_plan_gives_the_same_pictures(case):
    scene = scene_of(case.volume, case.spine, case.vertebra, case.plan)
    needles = needles_of(case.plan)[:1]
    assert crossing_picture(scene, needles).svg == crossing_picture(scene, needles).svg


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be_written_to_is_one_plain_sentence(case, tmp_path):
    (tmp_path / "plan").write_text("a file")
    with pytest.raises(InputError, match="not a folder"):
        write_plan(tmp_path / "plan", case.volume, case.spine, [case.plan])
