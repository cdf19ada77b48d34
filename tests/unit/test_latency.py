"""The parts of a latency add up to its total."""

import pytest

from seealso.plugin.latency import Stopwatch


def test_parts_add_up_to_the_total() -> None:
    watch = Stopwatch()
    for part in ("profile", "transport", "profile"):
        sum(range(20_000))
        watch.cut(part)
    watch.move(0.01, source="transport", to="search")
    parts = dict(watch.parts())
    total = parts.pop("total")
    assert set(parts) == {"profile", "transport", "search"}
    assert parts["search"] == pytest.approx(0.01)
    assert all(part > 0 for part in parts.values())
    assert sum(parts.values()) == pytest.approx(total)


def test_no_part_falls_below_nothing() -> None:
    watch = Stopwatch()
    watch.cut("transport")
    whole = watch.parts()["transport"]
    watch.move(1e6, source="transport", to="search")
    assert watch.parts() == {"transport": 0, "search": whole, "total": whole}
