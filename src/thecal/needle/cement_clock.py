"""How stiff the cement is by now, and what pressure its cannula needs: expectations, with their certainty."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, pi
from typing import Final, Literal

from thecal.errors import InputError
from thecal.needle.cements import Cement, Certainty, TimeFigure, What, cement, cements

Phase = Literal["too fluid", "toothpaste", "too stiff", "cured", "not known"]
ROOM_C: Final = (15.0, 30.0)
"""Room temperatures for which an answer is given; the figures are of 20 to 25."""
NO_WORD_FOR: Final = "no published figure is known here"


@dataclass(frozen=True)
class Moment:
    """When something is expected, s after mixing began, with one standard deviation where it is published."""

    at_s: float
    sd_s: float | None
    certainty: Certainty
    source: str
    note: str = ""


@dataclass(frozen=True)
class Viscosity:
    """Pa.s, the range that the figures allow."""

    low: float
    high: float
    certainty: Certainty


@dataclass(frozen=True)
class Now:
    """What is expected at a moment.

    Attributes
    ----------
    since_s : float
        Since mixing began.
    phase : Phase
    text : str
        One sentence.
    viscosity : Viscosity or None
        None outside the published times.
    """

    since_s: float
    phase: Phase
    text: str
    viscosity: Viscosity | None


@dataclass(frozen=True)
class CementClock:
    """One cement at one room temperature.

    Attributes
    ----------
    cement : Cement
    room_c : float
    begins, ends, cured : Moment or None
        "Toothpaste" begins and ends, and the cement has cured; None where it is not published.
    injected : (Moment, Moment) or None
        The span of times at which a study injected it: neither the first nor the last that is possible.
    """

    cement: Cement
    room_c: float
    begins: Moment | None
    ends: Moment | None
    cured: Moment | None
    injected: tuple[Moment, Moment] | None

    def viscosity(self, since_s: float) -> Viscosity | None:
        """Between two published points the logarithm grows evenly; before the first and after the last, None.

        Growth of the viscosity is roughly exponential in the working time (from memory).
        """
        points = [
            (point, self.room_time_s(60.0 * point.min, point.at_degc)) for point in self.cement.viscosity
        ]
        for (before, start), (after, end) in pairwise(points):
            if start <= since_s <= end:
                share = (since_s - start) / (end - start)
                low = exp(log(before.low) + share * (log(after.low) - log(before.low)))
                high = exp(log(before.high) + share * (log(after.high) - log(before.high)))
                certainty: Certainty = "memory" if "memory" in (before.certainty, after.certainty) else "read"
                return Viscosity(low, high, certainty)
        return None

    def viscosity_span_s(self) -> tuple[float, float] | None:
        """From the first to the last published viscosity, s after mixing began; None where there are none."""
        if not self.cement.viscosity:
            return None
        times = [self.room_time_s(60.0 * point.min, point.at_degc) for point in self.cement.viscosity]
        return times[0], times[-1]

    def viscosity_is_the_window(self) -> bool:
        """Whether the viscosities are but the borders of "toothpaste" at the times of its window.

        The curve then says nothing that the window does not say.
        """
        table = cements()
        borders = {
            (self.begins.at_s if self.begins else None, table.value("toothpaste_from")),
            (self.ends.at_s if self.ends else None, table.value("toothpaste_to")),
        }
        points = {
            (self.room_time_s(60.0 * point.min, point.at_degc), point.low) for point in self.cement.viscosity
        }
        return bool(points) and points <= borders

    def room_time_s(self, seconds: float, at_degc: float | None) -> float:
        """A time that was published for a temperature, at this room's."""
        if at_degc is None:
            return seconds
        return float(seconds * 2.0 ** ((at_degc - self.room_c) / cements().value("cure_time_halves_over")))

    def at(self, since_s: float) -> Now:
        """What is expected so long after mixing began."""
        name = self.cement.name
        if self.cured is not None and since_s >= self.cured.at_s:
            return Now(since_s, "cured", f"{name} is expected to have cured", None)
        if self.ends is not None and since_s > self.ends.at_s:
            return Now(since_s, "too stiff", f"{name} is expected to be stiffer than toothpaste", None)
        if self.begins is not None and since_s < self.begins.at_s:
            wait = _words(self.begins.at_s - since_s)
            text = f"{name} is expected to be too fluid for another {wait}"
            return Now(since_s, "too fluid", text, self.viscosity(since_s))
        if self.begins is not None and self.ends is not None:
            left = _words(self.ends.at_s - since_s)
            text = f"{name} is expected to be like toothpaste for another {left}"
            return Now(since_s, "toothpaste", text, self.viscosity(since_s))
        text = f"How stiff {name} is by now is not known: {NO_WORD_FOR}"
        return Now(since_s, "not known", text, self.viscosity(since_s))

    def certainty(self) -> Certainty | None:
        """The least certain of the moments that are shown; None where there are none."""
        moments = [m for m in (self.begins, self.ends, self.cured) if m is not None]
        if not moments:
            return None
        return "memory" if any(m.certainty == "memory" for m in moments) else "read"


def cement_clock(brand: str, room_c: float) -> CementClock:
    """The clock of a cement.

    Parameters
    ----------
    brand : str
    room_c : float
        Room temperature, degrees C, which powder and liquid have taken on.

    Raises
    ------
    InputError
        Where nothing is known of the brand, or the room is colder or warmer than the figures reach.
    """
    known = cement(brand)
    if not ROOM_C[0] <= room_c <= ROOM_C[1]:
        raise InputError(
            f"The room's temperature is a number from {ROOM_C[0]:.0f} to {ROOM_C[1]:.0f} degrees C"
        )
    bare = CementClock(known, room_c, None, None, None, None)

    def moment(what: What) -> Moment | None:
        figure = known.figure(what)
        return None if figure is None else _moment(bare, figure)

    first, last = moment("injected_from"), moment("injected_to")
    injected = None if first is None or last is None else (first, last)
    return CementClock(
        known, room_c, moment("toothpaste_begins"), moment("toothpaste_ends"), moment("cured"), injected
    )


def cannula_pressure_mpa(
    viscosity_pa_s: float, inner_mm: float, length_mm: float, flow_ml_min: float
) -> float:
    """Pressure that drives a Newtonian fluid through a cannula, MPa (Poiseuille).

    Cement thins under shear, so that this is more than it needs at the same viscosity at rest. About 95 %
    of the pressure was spent in the cannula (Baroud & Steffen 2005, doi 10.1007/s00586-004-0822-1, abstract).

    Raises
    ------
    InputError
        Where a figure is not positive.
    """
    if not all(0.0 < value < 1e6 for value in (viscosity_pa_s, inner_mm, length_mm, flow_ml_min)):
        raise InputError("Viscosity, inner diameter, length and flow are positive numbers")
    flow_m3_s = flow_ml_min * 1e-6 / 60.0
    radius_m = inner_mm / 2000.0
    return 8.0 * viscosity_pa_s * (length_mm / 1000.0) * flow_m3_s / (pi * radius_m**4) / 1e6


def pressure_words(mpa: float) -> str:
    """A pressure against what hands reached in vivo."""
    table = cements()
    mean, highest = table.value("hand_pressure_mean_peak"), table.value("hand_pressure_highest")
    if mpa > highest:
        return f"{mpa:.1f} MPa, more than the highest that was measured in vivo ({highest:.1f} MPa)"
    if mpa > mean:
        return f"{mpa:.1f} MPa, above the mean peak in vivo ({mean:.1f} MPa)"
    return f"{mpa:.1f} MPa, below the mean peak in vivo ({mean:.1f} MPa)"


def _moment(clock: CementClock, figure: TimeFigure) -> Moment:
    at_s = clock.room_time_s(60.0 * figure.value, figure.at_degc)
    sd_s = None if figure.sd is None else clock.room_time_s(60.0 * figure.sd, figure.at_degc)
    return Moment(at_s, sd_s, figure.certainty, cements().sources[figure.source], figure.note)


def _words(seconds: float) -> str:
    whole = max(round(seconds), 0)
    return f"{whole // 60}:{whole % 60:02d} min"
