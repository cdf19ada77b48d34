"""Turns the cells of a column into texts and lists; a broken cell costs itself alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from seealso.errors import DataError

LONGEST_TEXT: Final = 1_000_000
"""Most characters of one value: a longer one is a dump, not a description."""

LONGEST_MET: Final = 40
"""Most characters of a value in a message."""

BLANKS: Final = " \t\r\n\v\f\0\u00a0\u1680\u2007\u2009\u200b\u202f\u2028\u2029\u3000\ufeff"
"""What does not count around an id: blanks that are seen and blanks that are not."""

GAPS: Final = "\u0020\u00a0\u2007\u2009\u202f'\u2019"
"""Characters between groups of digits."""

NULL_WORDS: Final = frozenset(
    {
        "", "null", "(null)", "#null!", "na", "n/a", "#n/a", "#na", "n.a.", "<na>", "nan", "none",
        "nil", "undefined", "\\n", "-", "--", "\u2013", "\u2014", "?", ".",
    }
)  # fmt: skip
"""Words for an empty number or time, in lower case."""

NULL_TEXTS: Final = frozenset({"", "null", "nan", "\\n", "<na>"})
"""Words for an empty text or id, in lower case: a film may be called None, an item NA."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell.

    Attributes
    ----------
    reason
        What is wrong, as the end of a sentence that starts with the column.
    value
        What was met.
    """

    reason: str
    value: str | None = None


@dataclass(frozen=True)
class Cells:
    """One column as it was read.

    Attributes
    ----------
    values
        Of one type, n of them, null where a cell is empty or broken.
    faults
        What is wrong with the broken cells, by position.
    """

    values: pl.Series
    faults: Mapping[int, Fault] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the source calls the column."""
        return self.values.name

    def reject(self, mask: pl.Series, reason: str) -> "Cells":
        """Return the cells with those of `mask` empty, and a fault for each."""
        found = find_faults(self.values, mask, reason)
        return Cells(self.values.set(mask.fill_null(False), None), {**found, **self.faults})


def quote_value(value: Any) -> str:
    """Return a value as messages show it: quoted where it is text, and shortened."""
    text = repr(value) if isinstance(value, str | bytes | list) else str(value)
    return text if len(text) <= LONGEST_MET else f"{text[:LONGEST_MET]}..."


def find_true(mask: pl.Series) -> list[int]:
    """Return the positions where `mask` is true."""
    return mask.fill_null(False).arg_true().to_list()


def find_faults(values: pl.Series, mask: pl.Series, reason: str) -> dict[int, Fault]:
    """Return the fault of each cell where `mask` is true, with its value."""
    return {row: Fault(reason, quote_value(values[row])) for row in find_true(mask)}


def is_null_word(
    texts: pl.Series, words: Sequence[str] | None, default: frozenset[str]
) -> pl.Series:
    """Return where a text means an empty value.

    Parameters
    ----------
    texts
        Without blanks around them.
    words
        The words of the settings (``format.nulls``), as they are written there, or None.
    default
        The words without such a setting, in lower case.
    """
    if words is not None:
        return texts.is_in(["", *words])
    # few words, all short: only short texts are put into lower case
    long = texts.str.len_bytes() > max(map(len, default))
    if long.all():
        return ~long
    return texts.set(long, "x").str.to_lowercase().is_in(list(default))


def take_one(values: pl.Series) -> Cells:
    """Return one value of each cell: lists of one are opened, longer ones are broken."""
    if isinstance(values.dtype, pl.Array):
        values = values.arr.to_list()
    if not isinstance(values.dtype, pl.List):
        return _to_text(values)
    present = values.list.drop_nulls()
    several = (present.list.len() > 1).fill_null(False)
    faults = {
        row: Fault("is a list", quote_value(present[row].head(5).to_list()))
        for row in find_true(several)
    }
    plain = _to_text(present.list.get(0, null_on_oob=True).set(several, None))
    return Cells(plain.values, {**plain.faults, **faults})


def _to_text(values: pl.Series) -> Cells:
    """Return columns of categories or bytes as text, and others unchanged."""
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        return Cells(values.cast(pl.String))
    return Cells(*_decode(values)) if values.dtype == pl.Binary else Cells(values)


def parse_texts(values: pl.Series, nulls: Sequence[str] | None = None) -> Cells:
    """Return each cell as text: whole numbers without a fraction, lists joined by blanks.

    Blank texts, NaN and words for an empty value become null; bytes that are not UTF-8 are
    broken.

    Parameters
    ----------
    values
        A column of any type.
    nulls
        The words for an empty value, where the settings name them.

    Raises
    ------
    DataError
        The column holds objects.
    """
    faults: dict[int, Fault] = {}
    if isinstance(values.dtype, pl.List | pl.Array):
        texts = parse_lists(values).list.drop_nulls().list.join(" ")
    elif values.dtype == pl.Binary:
        texts, faults = _decode(values)
    else:
        texts = evaluate(_write_cell(pl.col(values.name), values.dtype, values.name), values)
        if nulls is None and values.dtype.is_numeric():
            return Cells(texts)
    plain = texts.str.strip_chars(BLANKS)
    empty = is_null_word(plain, nulls, NULL_TEXTS)
    return Cells(texts.set(empty, None) if empty.any() else texts, faults)


def strip_blanks(cells: Cells) -> Cells:
    """Return texts without the blanks around them."""
    return Cells(cells.values.str.strip_chars(BLANKS), cells.faults)


def parse_lists(values: pl.Series) -> pl.Series:
    """Return a column of lists as lists of text; an empty place in a list stays null.

    Lists within lists are opened.

    Raises
    ------
    DataError
        They hold objects.
    """
    lists = values.arr.to_list() if isinstance(values.dtype, pl.Array) else values
    while isinstance(inner := getattr(lists.dtype, "inner", None), pl.List):
        lists = lists.list.eval(pl.element().explode())
    if inner == pl.Binary:
        inner = pl.String()
        texts = [one and [b and b.decode(errors="replace") for b in one] for one in lists.to_list()]
        lists = pl.Series(lists.name, texts, dtype=pl.List(inner))
    return evaluate(
        pl.col(values.name).list.eval(_write_cell(pl.element(), inner, values.name)), lists
    )


def evaluate(expression: pl.Expr, values: pl.Series) -> pl.Series:
    """Return what an expression makes of a column, under its name."""
    return values.to_frame().select(expression.alias(values.name)).to_series()


def _write_cell(cell: pl.Expr, kind: Any, name: str) -> pl.Expr:
    """Return the text of a cell of some type, as a person would write it."""
    if kind == pl.String:
        return cell
    if kind in (pl.Struct, pl.Object, pl.Binary) or isinstance(kind, pl.Array):
        raise DataError(
            f"column {name!r} holds objects or bytes, not text",
            hint=f"name a path into it, such as {name}.{kind.fields[0].name}"
            if isinstance(kind, pl.Struct) and kind.fields
            else "make one plain column of it",
            field=name,
        )
    if kind.is_decimal():
        return cell.cast(pl.String).str.replace(r"\.0*$", "").str.replace(r"(\.\d*?)0+$", "$1")
    if isinstance(kind, pl.Duration):
        return cell.dt.to_string()
    if not kind.is_float():
        return cell.cast(pl.String)
    finite = cell.fill_nan(None)
    whole = (finite == finite.round(0)) & (finite.abs() < 2.0**53)
    number = pl.when(whole).then(finite).cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(whole).then(number).otherwise(finite.cast(pl.String))


def _decode(values: pl.Series) -> tuple[pl.Series, dict[int, Fault]]:
    try:
        return values.cast(pl.String), {}
    except pl.exceptions.ComputeError:
        texts, faults = [], {}
        for row, one in enumerate(values):
            try:
                texts.append(None if one is None else one.decode())
            except UnicodeDecodeError:
                texts.append(None)
                faults[row] = Fault("is not UTF-8", quote_value(one))
        return pl.Series(values.name, texts, dtype=pl.String), faults
