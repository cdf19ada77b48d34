"""Broken rows are counted, the first messages kept, and a second reading counts afresh."""

import pytest

from seealso.errors import DataError
from seealso.interactions import Problem, Problems


def broken(*places):
    return [Problem(place, "price", "is not a number") for place in places]


def test_counts_all_and_keeps_the_first():
    problems = Problems("skip", limit=2)
    problems.reading("catalogue", "a.csv").report(broken(5, 3, 4), "line")
    assert problems.count == 3
    assert problems.messages == (
        "a.csv line 3: price is not a number",
        "a.csv line 4: price is not a number",
    )


def test_stop_raises_at_the_lowest_line_and_says_what_to_do():
    with pytest.raises(DataError, match=r"a\.csv line 3: price is not a number") as caught:
        Problems("stop").reading("catalogue", "a.csv").report(broken(5, 3), "line")
    assert "--on-error skip" in caught.value.hint
    assert caught.value.context == {"file": "a.csv", "line": 3, "field": "price"}


def test_a_second_reading_of_the_same_source_counts_afresh():
    problems = Problems()
    problems.reading("catalogue", "a.csv").report(broken(1, 2), "line")
    problems.reading("events", "a.csv").report(broken(7), "line")
    problems.reading("catalogue", "a.csv").report(broken(1, 2), "line")
    assert problems.count == 3


def test_the_summary_names_each_source():
    problems = Problems()
    assert problems.summary() == "no broken rows"
    problems.reading("catalogue", "a.csv")
    problems.reading("events", "b.csv").report(broken(1), "line")
    assert problems.summary() == "1 broken row left out (b.csv: 1)"
    problems.reading("catalogue", "a.csv").report(broken(1, 2), "line")
    assert problems.summary() == "3 broken rows left out (a.csv: 2, b.csv: 1)"
