"""Writes ids as a person would, whatever a program or a spreadsheet has made of them."""

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from seealso.readers.values.cells import (
    BLANKS,
    NULL_TEXTS,
    Cells,
    evaluate,
    parse_texts,
    take_one,
)

LONGEST_ID: Final = 512
"""Most UTF-8 bytes of an id: OpenSearch refuses a longer ``_id``."""

SCIENTIFIC: Final = r"^-?\d(?:[.,]\d+)?[Ee]\+\d+$"
"""A number as spreadsheets and statistics programs write it where it is long: 1.23457E+12."""

# digits behind the first of numbers that a float of 64 bits holds exactly
_EXACT_DIGITS: Final = 14

ROUNDED: Final = "was rounded by Excel: format the column as text and export again"

# what is written of floats that lost digits
_INEXACT: Final = r"^-?\d\.\d{16}e\+\d{2,}$"

# what pandas makes of whole numbers; 007.0 was not made of one
_WHOLE: Final = r"^(-?(?:0|[1-9][0-9]*))\.0+$"

# what keeps Excel from making a number of an id
_FORMULA: Final = r'^="(.*)"$'


def parse_ids(values: pl.Series, nulls: Sequence[str] | None = None) -> Cells:
    """Return each cell as an id: without blanks around it, and ``501.0`` as ``501``.

    Leading zeros and case stay. An empty cell is null; a list, an id over 512 bytes, and a number
    that has lost digits are broken.

    Parameters
    ----------
    values
        A column of any type.
    nulls
        The words for an empty value, where the settings name them.
    """
    one = take_one(values)
    texts = parse_texts(one.values, nulls)
    if one.values.dtype.is_integer():
        return Cells(texts.values, one.faults)
    spelled = evaluate(_spell_id(pl.col(values.name)), texts.values)
    if one.values.dtype.is_float():
        exact = 2.0**24 if one.values.dtype == pl.Float32 else 2.0**53
        inexact = one.values.abs() >= exact
    else:
        inexact = spelled.str.contains(_INEXACT)
    ids = Cells(spelled, {**texts.faults, **one.faults})
    ids = ids.reject(spelled.str.len_bytes() > LONGEST_ID, f"has more than {LONGEST_ID} bytes")
    ids = ids.reject(inexact, "is a number too large to be exact: write it as text")
    ids = Cells(_restore_digits(ids.values), ids.faults)
    return ids.reject(ids.values.str.contains(SCIENTIFIC), ROUNDED)


def parse_id(text: str) -> str | None:
    """Return the id that a text names, or None where it is empty; as `parse_ids` does."""
    plain = text.strip(BLANKS)
    if plain.lower() in NULL_TEXTS:
        return None
    return _restore_number(re.sub(_WHOLE, r"\1", re.sub(_FORMULA, r"\1", plain)))


def parse_named_id(text: str) -> str:
    """Return the id that a caller names, also one like ``null``; empty where `text` is blank."""
    return parse_id(text) or text.strip()


def _spell_id(text: pl.Expr) -> pl.Expr:
    plain = text.str.strip_chars(BLANKS)
    return plain.str.replace(_FORMULA, "$1").str.replace(_WHOLE, "$1")


def _restore_digits(ids: pl.Series) -> pl.Series:
    """Return ids with whole numbers written out that have an exponent and all their digits."""
    odd = ids.filter(ids.str.contains(r"^-?\d\.\d+[Ee]\+?\d+$").fill_null(False)).unique()
    return ids.replace(odd, pl.Series([_restore_number(one) for one in odd], dtype=pl.String))


def _restore_number(text: str) -> str:
    """Return the digits of a whole number with an exponent, if none is lost; else the text."""
    written = re.fullmatch(r"(-?\d)\.(\d+)[Ee](\+?)(\d{1,2})", text)
    if written is None:
        return text
    first, digits, plus, exponent = *written.groups()[:3], int(written[4])
    # with a plus, programs write so many digits, and no others; Java writes all there are
    lost = plus and len(digits) < exponent
    if lost or digits[exponent:].strip("0") or exponent > _EXACT_DIGITS:
        return text
    return first + digits[:exponent].ljust(exponent, "0")
