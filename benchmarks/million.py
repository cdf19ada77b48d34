"""The paths to one ranking over a million items, where approximate search has to pay."""

from benchmarks.measure import Report, Target
from benchmarks.ranking import rank


def run(items: int) -> Report:
    """Measure the paths on ten times the small catalogue (a million as a rule)."""
    return rank("million", 10 * items, rounds=30, heap="6g", ann=Target("at least", 20))
