"""The parts of a latency add up to its total."""

import pytest

from seealso.plugin.latency import Stopwatch


def test_parts_add_up_to_the_total() -> None:
    watch = Stopwatch()
    for part in ("profile", "rendering", "profile"):
        sum(range(20_000))
        watch.cut(part)
    sum(range(20_000))
    watch.cut_in_two("search", 0.01, "transport")
    parts = dict(watch.parts())
    total = parts.pop("total")
    assert list(parts) == ["profile", "rendering", "search", "transport"]
    assert parts["search"] == pytest.approx(0.01)
    assert all(part > 0 for part in parts.values())
    assert sum(parts.values()) == pytest.approx(total)


def test_no_part_falls_below_nothing() -> None:
    watch = Stopwatch()
    watch.cut_in_two("search", 1e6, "transport")
    parts = watch.parts()
    assert parts == {"search": parts["total"], "transport": 0, "total": parts["total"]}
    assert 0 < parts["total"] < 1e6
