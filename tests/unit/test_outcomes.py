"""What came of lists, from rows of UBI and events: pure."""

from typing import Any

import pytest

from seealso.plugin.search.outcomes import summarise


def row(query_id: str, ids: list[str], **attributes: str) -> dict[str, Any]:
    said = {"query_id": query_id, "query_response_hit_ids": ids, "query_attributes": attributes}
    return said if ids else {"query_id": query_id}


def test_lists_are_counted_by_their_own_events() -> None:
    rows = [
        row("a", ["x", "y"], tail="1", expected="0.25"),
        row("b", ["x", "z"], tail="0", expected="0.75"),
        # of an earlier version, and an empty one
        row("c", ["y"]),
        row("d", []),
    ]
    events = {("a", "x"), ("a", "y"), ("b", "y"), ("c", "y"), ("elsewhere", "x")}
    found = summarise(rows, events, items=10)
    assert (found.lists, found.click_through, found.coverage) == (4, 0.5, pytest.approx(0.3))
    assert (found.tail_share, found.calibration) == (0.25, 1.0)


def test_what_no_row_says_is_not_known() -> None:
    found = summarise([row("c", ["y"])], set(), items=0)
    assert (found.tail_share, found.calibration, found.coverage) == (None, None, 0.0)
