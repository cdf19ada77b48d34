"""Reads numbers with a decimal comma, marks between thousands, or a currency.

Most cells show by themselves which mark is which: ``24,90``, ``1.129,00``, ``1,299,000``. For a
cell such as ``1.129`` the rest of the source decides.
"""

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from seealso.readers.values.cells import (
    BLANKS,
    GAPS,
    NULL_WORDS,
    Cells,
    find_faults,
    is_null_word,
    take_one,
)
from seealso.readers.values.conventions import Conventions, Mark

_CODES: Final = (
    "AED|ALL|AMD|ARS|AUD|AZN|BAM|BDT|BGN|BHD|BOB|BRL|BYN|CAD|CHF|CLP|CNY|COP|CRC|CZK|DKK|DOP|DZD|"
    "EGP|EUR|GBP|GEL|GHS|GTQ|HKD|HNL|HRK|HUF|IDR|ILS|INR|IQD|IRR|ISK|JOD|JPY|KES|KRW|KWD|KZT|LBP|"
    "LKR|MAD|MDL|MKD|MNT|MXN|MYR|NGN|NOK|NPR|NZD|OMR|PAB|PEN|PHP|PKR|PLN|PYG|QAR|RON|RSD|RUB|SAR|"
    "SEK|SGD|THB|TND|TRY|TWD|TZS|UAH|UGX|USD|UYU|UZS|VES|VND|XAF|XOF|ZAR"
)
_WORDS: Final = r"euros?|kr\.?|Kč|zł|Ft|lei|лв\.?|руб\.?|р\.|грн\.?|Fr\.|Rs\.?|RM|Rp\.?|TL|円|元|원"
_SYMBOLS: Final = "[$¢-¥֏؋৲৳฿៛₠-⃀﷼￠￡￥￦]"
_CURRENCY: Final = rf"(?:[A-Z]{{0,3}}{_SYMBOLS}|{_CODES}|{_WORDS})"
_WRITTEN: Final = re.compile(
    rf"(?:{_CURRENCY}\s*)?([-+\u2212]?)\s*(?:{_CURRENCY}\s*)?"
    rf"([.,]?\d[\d.,{GAPS}]*?)(?:[.,][-\u2013\u2014]{{1,2}})?\s*{_CURRENCY}?",
    re.IGNORECASE,
)
_GAPPED: Final = re.compile(rf"\d{{1,3}}(?:[{GAPS}]\d{{3}})+(?:[.,]\d+)?")

# characters; no number is longer, and patterns take their time
_LONGEST: Final = 80

# 1.129: a thousand and more, or little more than one
_AMBIGUOUS: Final = r"^[^0-9.,]*[1-9][0-9]{0,2}[.,][0-9]{3}[^0-9.,]*$"
_TWO_WAYS: Final = "can be read in two ways, as thousands or with a fraction: set format.decimal"


def parse_numbers(
    values: pl.Series, conventions: Conventions, nulls: Sequence[str] | None = None
) -> Cells:
    """Return each cell as a float64; null where it is empty, and where it is no finite number.

    Parameters
    ----------
    values
        A column of any type.
    conventions
        Asked for the decimal mark where a cell can be read in two ways; without an answer such a
        cell is broken.
    nulls
        The words for an empty value, where the settings name them.
    """
    one = take_one(values)
    values = one.values
    empty = values.is_null()
    two_ways = pl.repeat(False, len(values), eager=True)
    if values.dtype == pl.String:
        texts = values.str.strip_chars(BLANKS)
        empty = is_null_word(texts, nulls, NULL_WORDS)
        texts = texts.set(empty, None)
        ambiguous = texts.str.contains(_AMBIGUOUS).fill_null(False)
        mark = conventions.decimal() if ambiguous.any() else "."
        if mark is None:
            texts, two_ways = texts.set(ambiguous, None), ambiguous
        numbers = _parse_texts(texts, ambiguous, mark or ".")
    elif values.dtype.is_numeric():
        numbers = values.cast(pl.Float64)
    else:
        numbers = pl.Series(values.name, [None] * len(values), dtype=pl.Float64)
    empty = empty.fill_null(True) | numbers.is_nan().fill_null(False)
    faults = find_faults(values, numbers.is_null() & ~empty, "is not a number")
    faults |= find_faults(values, two_ways, _TWO_WAYS)
    infinite = numbers.is_infinite().fill_null(False)
    faults |= find_faults(values, infinite, "is infinite")
    return Cells(numbers.set(infinite, None).fill_nan(None), {**faults, **one.faults})


def _parse_texts(texts: pl.Series, ambiguous: pl.Series, mark: Mark) -> pl.Series:
    numbers = texts.cast(pl.Float64, strict=False)
    if mark == ",":
        numbers = numbers.set(ambiguous, None)
    odd = texts.filter(numbers.is_null() & texts.is_not_null()).unique()
    if odd.is_empty():
        return numbers
    read = [parse_number(text, mark) for text in odd]
    return numbers.fill_null(texts.replace_strict(odd, read, default=None, return_dtype=pl.Float64))


def parse_number(text: str, decimal: Mark) -> float | None:
    """Return the number that a text expresses, or None.

    Parameters
    ----------
    text
        Such as ``24.00 EUR``, ``-1 129,5``, ``$1,299.00``; without blanks around it.
    decimal
        What ``.`` and ``,`` mean where the text does not say.
    """
    written = _WRITTEN.fullmatch(text) if len(text) <= _LONGEST else None
    if written is None:
        return None
    sign, body = written.groups()
    if _GAPPED.fullmatch(body):
        body = re.sub(f"[{GAPS}]", "", body)
    plain = _place_point(body, decimal)
    if plain is None:
        return None
    return -float(plain) if sign in ("-", "\u2212") else float(plain)


def _place_point(body: str, decimal: Mark) -> str | None:
    """Return digits with a decimal point, or None if the marks are in no valid order."""
    marks = re.sub(r"\d", "", body)
    if marks.strip(".,"):
        return None
    if len(marks) <= 1:
        if re.match(_AMBIGUOUS, body) and marks != decimal:
            return body.replace(marks, "")
        return body.replace(",", ".")
    group, last = marks[0], marks[-1]
    grouped = rf"\d{{1,3}}(?:{re.escape(group)}\d{{2,3}})*{re.escape(group)}\d{{3}}"
    if last != group:
        grouped += rf"{re.escape(last)}\d+"
    if not re.fullmatch(grouped, body):
        return None
    return body.replace(group, "").replace(last, ".") if last != group else body.replace(group, "")
