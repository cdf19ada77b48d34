"""Cells of every column type that Parquet knows become texts, ids, numbers and times."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from seealso.readers.values.cells import parse_lists, parse_texts, quote_value
from seealso.readers.values.conventions import Conventions
from seealso.readers.values.ids import parse_id, parse_ids
from seealso.readers.values.numbers import parse_numbers
from seealso.readers.values.times import parse_times


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (pl.Series([2**64 - 1], dtype=pl.UInt64), "18446744073709551615"),
        (pl.Series([2**100], dtype=pl.Int128), str(2**100)),
        (pl.Series([Decimal("501.00")]), "501"),
        (pl.Series([Decimal("1.50")]), "1.5"),
        (pl.Series([Decimal(10) ** 30], dtype=pl.Decimal(38, 0)), str(10**30)),
        (pl.Series([1.5], dtype=pl.Float32), "1.5"),
        (pl.Series([3.0], dtype=pl.Float32), "3"),
        (pl.Series([1e-3]), "0.001"),
        (pl.Series(["x"], dtype=pl.Categorical), "x"),
        (pl.Series(["x"], dtype=pl.Enum(["x"])), "x"),
        (pl.Series([b"caf\xc3\xa9"]), "café"),
        (pl.Series([True]), "true"),
        (pl.Series([time(9)]), "09:00:00"),
        (pl.Series([timedelta(days=1)]), "P1D"),
        (pl.Series([None]), None),
        (pl.Series([["a"]]), "a"),
        (pl.Series([[b"a"]]), "a"),
    ],
)
def test_texts_and_ids_of_every_type(values: pl.Series, text: str | None) -> None:
    assert parse_texts(values).values.to_list() == [text]
    assert parse_ids(values).values.to_list() == [text]


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Binary])
def test_numbers_and_times_of_every_type_of_text(kind: Any) -> None:
    numbers = pl.Series(["24,90", "x"]).cast(kind)
    read = parse_numbers(numbers, Conventions())
    assert (read.values.to_list(), list(read.faults)) == ([24.9, None], [1])
    times = parse_times(pl.Series(["2024-02-29", "x"]).cast(kind))
    assert times.values.to_list() == [datetime(2024, 2, 29, tzinfo=UTC), None]
    assert list(times.faults) == [1]


def test_what_can_be_no_number_and_no_time_is_broken() -> None:
    for values in (pl.Series([time(9)]), pl.Series([timedelta(1)]), pl.Series([{"x": 1}])):
        assert list(parse_numbers(values, Conventions()).faults) == [0]
        assert list(parse_times(values).faults) == [0]


def test_lists_keep_their_empty_places() -> None:
    lists = parse_lists(pl.Series([[1.0, None, 2.5], [], None]))
    assert lists.to_list() == [["1", None, "2.5"], [], None]


def test_one_id_is_spelled_as_a_column_of_them_is() -> None:
    for text in ("501.0", " 501 ", "\ufeff501", "007", "007.0", "-1.0", "1.0.0", "NULL", "", "a b"):
        assert parse_id(text) == parse_ids(pl.Series([text])).values[0], text


def test_a_value_in_a_message_is_short() -> None:
    assert quote_value("x" * 100) == "'" + "x" * 39 + "..."
    assert quote_value(datetime(9999, 12, 31)) == "9999-12-31 00:00:00"
    assert quote_value(Decimal("1.5")) == "1.5"
