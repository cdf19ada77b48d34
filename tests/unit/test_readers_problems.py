"""Broken rows are counted, the first messages kept, and a second reading counts afresh."""

import pytest

from seealso.errors import DataError
from seealso.readers import Problem, Problems


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


def test_the_summary_names_each_source_and_kind():
    problems = Problems()
    assert problems.summary() == ""
    problems.reading("catalogue", "a.csv")
    problems.reading("events", "b.csv").report(broken(1), "line")
    assert problems.summary() == (
        "b.csv: 1 broken row left out\n  b.csv line 1: price is not a number"
    )
    values = [Problem(n, "price", "is not a number", repr(f"x{n}"), "value") for n in range(2, 9)]
    rows = [
        Problem(1, "", "2 fields where the header has 3"),
        Problem(9, "", "4 fields where the header has 3"),
    ]
    reading = problems.reading("catalogue", "a.csv")
    reading.report([*values, *rows], "line")
    reading.tally(1200, "row is blank", "rows are blank")
    reading.note("1.129 is read as 1129")
    assert problems.summary().splitlines() == [
        "a.csv: 2 broken rows and 7 broken values left out",
        "  a.csv line 1: 2 fields where the header has 3",
        "  a.csv line 9: 4 fields where the header has 3",
        "  a.csv line 2: price is not a number ('x2')",
        "  a.csv line 3: price is not a number ('x3')",
        "  a.csv line 4: price is not a number ('x4')",
        "  ... and 4 more of this kind",
        "b.csv: 1 broken row left out",
        "  b.csv line 1: price is not a number",
    ]
    assert problems.notes == ("a.csv: 1,200 rows are blank", "a.csv: 1.129 is read as 1129")
    assert (problems.count, problems.values) == (3, 7)


def test_a_broken_value_stops_nothing_and_does_not_count_in_a_broken_row():
    problems = Problems("stop")
    reading = problems.reading("catalogue", "a.csv")
    reading.report([Problem(3, "price", "is not a number", "'x'", "value")], "line")
    assert (problems.count, problems.values) == (0, 1)
    assert problems.messages == ("a.csv line 3: price is not a number ('x')",)
    problems = Problems("skip")
    reading = problems.reading("catalogue", "a.csv")
    reading.report(
        [Problem(3, "a", "is bad", None, "value"), Problem(3, "item_id", "is empty")], "line"
    )
    assert problems.messages == ("a.csv line 3: item_id is empty",)
    assert (problems.count, problems.values) == (1, 0)


def test_kinds_beyond_all_measure_are_told_together():
    problems = Problems("skip")
    reading = problems.reading("events", "a.csv")
    reading.report([Problem(n, f"column{n}", "is bad") for n in range(500)], "line")
    assert problems.count == 500
    assert len(problems.summary().splitlines()) < 60
