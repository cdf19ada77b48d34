"""One thing is no plural."""

from datetime import UTC, datetime

import pytest

from seealso.indexer.event_summary import EventSummary
from seealso.indexer.verification import Verification
from seealso.wording import format_count


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 users"), (1, "1 user"), (2, "2 users"), (8000, "8,000 users")]
)
def test_a_count_says_how_many_of_what(number: int, words: str) -> None:
    assert format_count(number, "user") == words


def test_reports_of_one_thing_say_so() -> None:
    assert Verification("films-1", 1, 1, 0.9999, 1.0).summary.startswith("1 document, cosine")
    day = datetime(2026, 11, 30, tzinfo=UTC)
    assert str(EventSummary(8000, 1, first=day, last=day)).startswith("8,000 of 1 user, from")
