"""Numbers as shops write them, and what decides where a cell can be read in two ways."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from seealso.config import CatalogueSettings
from seealso.readers import Problems, Rows, read_items
from seealso.readers.values.numbers import parse_number


@dataclass(frozen=True)
class Batches:
    """A source in memory, as often as one likes."""

    batches: tuple[Any, ...]
    separator: str = ","
    name: str = "shop.csv"

    def rows(self):
        place = 2
        for batch in self.batches:
            frame = pl.DataFrame(
                {
                    "item_id": [f"i{place + n}" for n in range(len(batch))],
                    "title": "t",
                    "price": batch,
                },
                strict=False,
            )
            yield Rows(frame, range(place, place + len(batch)), separator=self.separator)
            place += len(batch)


def prices(*batches, separator=",", problems=None, **format_):
    settings = CatalogueSettings(numbers=("price",), format=format_)
    source = Batches(batches, separator)
    read = read_items(source, settings, problems or Problems("stop"))
    return [item.fields.get("price") for batch in read for item in batch]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("24", 24), ("24.00", 24), (" 24,90 ", 24.9), ("-1,5", -1.5), ("\u22123,5", -3.5),
        ("+2.5", 2.5), (",5", 0.5), (".5", 0.5), ("1e3", 1000), ("0,125", 0.125),
        ("1.129,00", 1129), ("1,299.00", 1299), ("1.299.000", 1_299_000), ("1,299,000", 1_299_000),
        ("1 129,00", 1129), ("1\u202f129,5", 1129.5), ("1\u00a0129", 1129), ("1'129.50", 1129.5),
        ("12,34,567.89", 1_234_567.89), ("1234,5678", 1234.5678),
        ("24.00 EUR", 24), ("129.99 USD", 129.99), ("EUR 24,90", 24.9), ("\u20ac 24,90", 24.9),
        ("24,90\u00a0\u20ac", 24.9), ("$1,299.00", 1299), ("US$ 5.50", 5.5), ("-$5.00", -5),
        ("R$ 1.129,00", 1129), ("24,- kr", 24), ("149 kr.", 149), ("CHF 12.-", 12),
        ("99 z\u0142", 99),
        ("1 290 \u0440\u0443\u0431.", 1290), ("\u00a5900", 900), ("24.00eur", 24),
    ],
)  # fmt: skip
def test_a_number_in_many_forms(text, number):
    assert prices([text]) == [pytest.approx(number)]


@pytest.mark.parametrize(
    "text",
    ["call us", "24.00/kg", "from 24", "24-30", "1.2.3", "1,2,3", "12.34,567,89", "10 kg", "24 25",
     "1,29.00.1", "EUR", "15%", "0x10", "1_000", "(5)"],
)  # fmt: skip
def test_what_is_no_number(text):
    problems = Problems("stop")
    assert prices([text], problems=problems) == [None]
    assert problems.messages == (f"shop.csv line 2: price is not a number ({text!r})",)


@pytest.mark.parametrize(
    ("cells", "separator", "read"),
    [
        (["1.129", "24.90"], ",", [1.129, 24.9]),
        (["1.129", "24,90"], ",", [1129, 24.9]),
        (["1,129", "24.90"], ",", [1129, 24.9]),
        (["1,129", "24,90"], ",", [1.129, 24.9]),
        (["1.129", "7"], ",", [1.129, 7]),
        (["1,129", "7"], ",", [1129, 7]),
        (["1.129", "7"], ";", [1129, 7]),
        (["1,129", "7"], ";", [1.129, 7]),
        (["1.129 EUR", "24,90 EUR"], ",", [1129, 24.9]),
        (["24,90", "24.90"], ",", [24.9, 24.9]),
    ],
)
def test_other_cells_tell_the_decimal_mark(cells, separator, read):
    assert prices(cells, separator=separator) == read


def test_the_decision_is_the_same_for_the_whole_file():
    """The cell that tells may come long after the first one that has to be read."""
    assert prices(["1.129"], ["7", "2.500"], ["24,90"]) == [1129, 7, 2500, 24.9]
    assert prices(["24,90"], ["1.129"]) == [24.9, 1129]


def test_what_was_guessed_is_said():
    problems = Problems("stop")
    prices(["1.129"], ["24,90"], problems=problems)
    assert problems.notes == (
        "shop.csv: 1.129 is read as 1129: other numbers have a decimal comma",
    )
    problems = Problems("stop")
    prices(["1.129"], problems=problems)
    assert problems.notes == (
        "shop.csv: 1.129 is read as a little over 1, no other number shows it: set format.decimal "
        "if "
        "that is wrong",
    )


def test_the_decimal_mark_can_be_set():
    assert prices(["1.129", "24.90"], decimal=",") == [1129, 24.9]
    assert prices(["1,129", "24,90"], decimal=".") == [1129, 24.9]


def test_numbers_with_types():
    assert prices([1, 2]) == [1, 2]
    assert prices([1.5, float("nan")]) == [1.5, None]
    assert prices([Decimal("1.129"), None]) == [1.129, None]
    assert prices([True, False]) == [None, None]


def test_a_thousand_digits_take_no_time():
    assert parse_number("1," * 500_000, ".") is None
    assert parse_number("1 " * 500_000 + "x", ".") is None
