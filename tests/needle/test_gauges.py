from __future__ import annotations

import pytest

from thecal.errors import InputError
from thecal.needle.gauges import GAUGES, gauge


def test_gauges_run_from_wide_to_thin_and_say_where_their_figures_come_from():
    sizes = [g.outer_mm for g in GAUGES.values()]
    assert sizes == sorted(sizes, reverse=True)
    assert all(g.inner_mm < g.outer_mm and "memory" in g.source for g in GAUGES.values())


def test_a_needle_nobody_makes_is_told_in_one_sentence():
    with pytest.raises(InputError, match="none of 10G, 11G"):
        gauge("9G")
