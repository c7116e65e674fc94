"""Small injections for tests."""

from __future__ import annotations

from dataclasses import replace

from thecal.phantom.fluoroscope import Fluoroscope
from thecal.phantom.injection import Injection, InjectionSpec, draw_spec, inject
from thecal.phantom.leak_ways import LeakKind
from thecal.phantom.patient import Case


def short_spec(
    case: Case,
    kind: LeakKind,
    *,
    leak_ml: float = 0.4,
    ml: float = 3.0,
    frames: int = 54,
    quanta: float = 500.0,
) -> InjectionSpec:
    """An injection of a few seconds into T12, 5 pictures a second, the first 6 s without cement."""
    vertebra = next(v for v in case.spine.vertebrae if v.level == "T12")
    drawn = draw_spec(11, vertebra, 16.0, kind=kind)
    flow = replace(
        drawn.flow,
        leak_ml=0.0 if kind == "none" else leak_ml,
        body_ml=ml,
        start_s=6.0,
        ml_s=(ml + leak_ml) / (frames / 5.0 - 6.4),
        leak_from=0.4,
        keep_ahead=None,
        cleft=False,
    )
    scope = Fluoroscope(quanta=quanta, scatter=0.4, log=True, bits=8)
    return replace(drawn, flow=flow, scope=scope, gas=(), fps=5.0, frames=frames)


def short_injection(case: Case, kind: LeakKind, **choices: float) -> Injection:
    """The injection of ``short_spec``."""
    vertebra = next(v for v in case.spine.vertebrae if v.level == "T12")
    return inject(case.volume, case.spine, vertebra, short_spec(case, kind, **choices))  # type: ignore[arg-type]
