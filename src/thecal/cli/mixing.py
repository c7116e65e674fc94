"""When the cement of a watch was mixed, by a clock that nobody sets."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from thecal.errors import InputError

if TYPE_CHECKING:
    from thecal.needle.cement_clock import CementClock

ROOM_C: Final = 21.0
"""Where nobody says how warm the room is."""
DAY_S: Final = 86_400.0


@dataclass(frozen=True)
class Mixed:
    """A cement and the instant at which its mixing began.

    Attributes
    ----------
    clock : CementClock
    room_c : float
    instant_s : float
        By the computer's monotonic clock.
    """

    clock: CementClock
    room_c: float
    instant_s: float

    def since_s(self) -> float:
        """How long ago that is now, s."""
        return monotonic() - self.instant_s


def mixed_cement(
    brand: str | None, room_c: float | None, mixed_at: str | None, since_s: float | None
) -> Mixed | None:
    """What the options of a watch say of the cement; None where they name none.

    Parameters
    ----------
    brand : str or None
    room_c : float or None
    mixed_at : str or None
        A time of day.
    since_s : float or None
        Or how long before now.

    Raises
    ------
    InputError
        Where they do not say one thing, or nothing is known of the cement.
    """
    now_s, now = monotonic(), datetime.datetime.now().astimezone()
    if brand is None:
        if mixed_at is not None or since_s is not None:
            raise InputError("--mixed-at and --since-mixing are of a cement: --cement names it")
        if room_c is not None:
            raise InputError("--room-temp is of the cement clock: --cement names the cement")
        return None
    from thecal.needle.cement_clock import cement_clock

    room = ROOM_C if room_c is None else room_c
    clock = cement_clock(brand, room)
    if (mixed_at is None) == (since_s is None):
        raise InputError("The cement clock needs --mixed-at or --since-mixing, one of them")
    if mixed_at is not None:
        since_s = since(mixed_at, now)
    if since_s is None or not 0.0 <= since_s < DAY_S:
        raise InputError("--since-mixing is in seconds, from 0 to those of a day")
    return Mixed(clock, room, now_s - since_s)


def since(mixed_at: str, now: datetime.datetime) -> float:
    """Seconds from a time of day up to now; after midnight it is one of yesterday.

    Parameters
    ----------
    mixed_at : str
        HH:MM or HH:MM:SS, by the clock on the wall.
    now : datetime
        With its zone.

    Raises
    ------
    InputError
        Where it is no time, or nearer in the future than in the past.
    """
    try:
        began = datetime.time.fromisoformat(mixed_at)
    except ValueError as error:
        raise InputError("--mixed-at is a time of day, HH:MM:SS") from error
    ago = (now - _at(now.date(), began)).total_seconds()
    if ago < 0.0:
        ago = (now - _at(now.date() - datetime.timedelta(days=1), began)).total_seconds()
    # Cement sets within the hour; what is said to be of 12 hours ago is a clock that goes before.
    if ago > DAY_S / 2:
        raise InputError("--mixed-at lies in the future: mixing began in the last 12 hours")
    return ago


def _at(day: datetime.date, time: datetime.time) -> datetime.datetime:
    return datetime.datetime.combine(day, time).astimezone()
