"""The clock says what is published, says where it is not, and refuses what it does not know."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.cli import run
from thecal.cli.clock import face_of
from thecal.errors import InputError
from thecal.needle.cement_clock import cannula_pressure_mpa, cement_clock, pressure_words
from thecal.needle.cements import cement, cements
from thecal.terms import RESEARCH_USE


def test_a_cement_goes_from_fluid_by_toothpaste_to_stiff() -> None:
    clock = cement_clock("simplex p", 22.0)
    phases = [clock.at(60.0 * minute).phase for minute in range(12)]
    assert phases == ["too fluid"] * 6 + ["toothpaste"] * 3 + ["too stiff"] * 3
    assert clock.begins is not None
    assert (clock.begins.at_s, clock.begins.sd_s) == pytest.approx((306.0, 42.0))


def test_twelve_degrees_more_halve_the_time() -> None:
    cold, warm = cement_clock("CMW 1", 16.0), cement_clock("CMW 1", 28.0)
    assert cold.cured is not None
    assert warm.cured is not None
    assert cold.cured.at_s == pytest.approx(2.0 * warm.cured.at_s)
    assert cement_clock("CMW 1", 25.0).cured.at_s == pytest.approx(8.7 * 60.0)


def test_the_law_of_temperature_agrees_with_a_second_source() -> None:
    """Ten degrees made four cements 1.5 to 2.0 times as fast (doi 10.1007/BF00419028, abstract)."""
    slow, fast = cement_clock("Palacos R", 18.0).cured, cement_clock("Palacos R", 28.0).cured
    assert 1.5 < slow.at_s / fast.at_s < 2.0


def test_what_is_not_published_is_not_guessed() -> None:
    palacos = cement_clock("Palacos R", 22.0)
    assert palacos.begins is None
    assert palacos.ends is None
    now = palacos.at(240.0)
    assert now.phase == "not known"
    assert now.viscosity is None
    assert palacos.at(3600.0).phase == "cured"


def test_a_time_of_injection_in_a_study_is_not_taken_for_a_window() -> None:
    clock = cement_clock("Vertebroplastic", 22.0)
    assert [moment.at_s for moment in clock.injected] == [210.0, 570.0]
    assert clock.at(300.0).phase == "not known"


def test_an_unknown_brand_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match=r"Nothing is known of the cement Foo.*Simplex P, CMW 1"):
        cement_clock("Foo", 22.0)


def test_a_room_beyond_the_figures_is_refused() -> None:
    for room in (4.0, 37.0, float("nan")):
        with pytest.raises(InputError, match="from 15 to 30"):
            cement_clock("CMW 1", room)


def test_every_figure_names_its_source_and_memory_is_called_memory() -> None:
    table = cements()
    figures = [*table.general, *(f for c in table.cements for f in (*c.figures, *c.viscosity))]
    assert len(figures) > 15
    for figure in figures:
        assert figure.source in table.sources
        if figure.source == "memory":
            assert figure.certainty == "memory"
    for known in table.cements:
        assert cement(known.name.upper()) is known
        times = [point.min for point in known.viscosity]
        assert times == sorted(times)


def test_the_pressure_is_poiseuilles() -> None:
    """By hand: 8 x 100 Pa.s x 0.12 m x 66.7 mm3/s / (pi x (1.2 mm)^4) = 0.98 MPa."""
    assert cannula_pressure_mpa(100.0, 2.4, 120.0, 4.0) == pytest.approx(0.982, abs=0.001)
    assert cannula_pressure_mpa(200.0, 2.4, 120.0, 4.0) == pytest.approx(1.965, abs=0.001)
    assert cannula_pressure_mpa(100.0, 1.8, 120.0, 4.0) == pytest.approx(3.105, abs=0.001)
    assert "below the mean peak" in pressure_words(0.98)
    assert "more than the highest" in pressure_words(5.0)
    with pytest.raises(InputError):
        cannula_pressure_mpa(100.0, 0.0, 120.0, 4.0)


@given(st.floats(15.0, 30.0), st.floats(0.0, 1200.0), st.floats(0.0, 300.0))
def test_cement_only_ever_stiffens(room_c: float, since_s: float, later_s: float) -> None:
    order = ["too fluid", "toothpaste", "too stiff"]
    clock = cement_clock("Simplex P", room_c)
    first, second = clock.at(since_s), clock.at(since_s + later_s)
    assert order.index(first.phase) <= order.index(second.phase)
    if first.viscosity is not None and second.viscosity is not None:
        assert first.viscosity.low <= second.viscosity.low * (1 + 1e-9)
        assert 100.0 * (1 - 1e-9) <= first.viscosity.low <= 500.0 * (1 + 1e-9)


def test_a_cement_without_published_times_is_not_said_to_be_read_anywhere() -> None:
    bare = replace(cement_clock("Palacos R", 22.0), begins=None, ends=None, cured=None)
    assert bare.certainty() is None
    footing = face_of(bare, lambda at_s: at_s)(60.0).footing
    assert footing == "No published times are at hand. Feel the cement."


def test_the_clock_opens_with_research_use_and_prints_nothing_of_what_it_refuses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["clock", "Simplex P"]) == 0
    assert capsys.readouterr().out.startswith(RESEARCH_USE)
    assert run(["clock", "Simplex P", "--flow", "0"]) == 2
    assert capsys.readouterr().out == ""


def test_viscosity_and_pressure_are_said_against_time_and_for_now(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clock", "Simplex P", "--room-temp", "22", "--since", "5.1"]) == 0
    said = capsys.readouterr().out
    assert "Now, 5:06 min after mixing began" in said
    now = next(line for line in said.splitlines() if "viscosity now" in line)
    assert "100 Pa.s, 1.0 MPa, below the mean peak in vivo" in now
    assert "from memory, not checked" in now
    table = [line for line in said.splitlines() if "Pa.s, " in line and line.strip()[0].isdigit()]
    assert len(table) >= 6
    viscous = [float(line.split(" min")[1].split("Pa.s")[0]) for line in table]
    assert viscous == sorted(viscous)
    assert (viscous[0], viscous[-1]) == (100.0, 500.0)
    assert "These are the times of the toothpaste window" in said


def test_a_moment_that_no_figure_reaches_has_no_viscosity_and_no_pressure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["clock", "Palacos R", "--since", "6"]) == 0
    said = capsys.readouterr().out
    now = next(line for line in said.splitlines() if "viscosity now" in line)
    assert "not known" in now
    assert "MPa" not in now
    assert "One point makes no curve" in said
    assert "toothpaste window" not in said
    assert run(["clock", "Palacos R", "--since", "-1"]) == 2
