"""Splits cells that hold several values: lists written as text, and the items of an order.

Forms of lists are ``a|b``, ``["a", "b"]`` of JSON, ``['a', 'b']`` of Python and ``{a,"b c"}`` of
PostgreSQL.
"""

import re
from typing import Final

import polars as pl

from seealso.readers.values.cells import BLANKS, Cells, find_faults, parse_lists

_BRACKETS: Final = r"^(?:\[.*\]|\{.*\})$"
_QUOTED_START: Final = r"""^[\[{]\s*["']"""
_OBJECTS: Final = r"""^\[?\s*\{\s*["'][^"']*["']\s*:"""
_VALUE: Final = re.compile(
    r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|$|(?=\s["']))""", re.DOTALL
)


def is_written_list(values: pl.Series) -> pl.Series:
    """Return which cells are a list of quoted texts, written as text."""
    if values.dtype != pl.String:
        return pl.repeat(False, len(values), eager=True)
    plain = values.str.strip_chars(BLANKS)
    written = plain.str.contains(_BRACKETS) & plain.str.contains(_QUOTED_START)
    return (written & ~plain.str.contains(_OBJECTS)).fill_null(False)


def split_lists(values: pl.Series, separator: str) -> Cells:
    """Return the values of each text; brackets around them and quotes are taken off.

    Parameters
    ----------
    values
        Texts; a blank one is null afterwards.
    separator
        The separator of two values if there are no brackets. In brackets it is a comma, which must
        be the separator where values have no quotes: ``[Sale]`` may be a name.
    """
    plain = values.str.strip_chars(BLANKS)
    plain = plain.set(plain == "", None)
    objects = plain.str.contains(_OBJECTS).fill_null(False)
    opened = plain.str.contains(_BRACKETS) & (
        plain.str.contains(_QUOTED_START) | plain.str.contains(r"^.\s*.$")
    )
    if separator == ",":
        opened |= plain.str.contains(_BRACKETS) & plain.str.contains(",", literal=True)
    lists = plain.set(objects, None).str.split(separator)
    texts = plain.filter(opened.fill_null(False) & ~objects).unique()
    if not texts.is_empty():
        read = {text: _parse_list(text) for text in texts}
        inner = pl.Series([read.get(text) for text in plain], dtype=pl.List(pl.String))
        lists = inner.zip_with(inner.is_not_null(), lists)
    reason = "holds objects written as text: make plain columns of them"
    return Cells(lists.alias(values.name), find_faults(values, objects, reason))


def _parse_list(text: str) -> list[str]:
    """Return the values between the brackets around a text."""
    inner = text[1:-1].strip()
    found: list[str] = []
    at = 0
    while at < len(inner):
        value = _VALUE.match(inner, at)
        if value is None:
            # a quote that is not closed: the rest is one value
            return [*found, inner[at:]]
        quoted = value[1] if value[1] is not None else value[2]
        bare = value[3].strip() if quoted is None else ""
        found.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare)
        at = value.end()
    return found


_ITEMS: Final = pl.col("item").list.len().fill_null(0)
_VALUES: Final = pl.col("value").list.len().fill_null(0)


def explode_items(
    rows: pl.DataFrame, items: pl.Series, values: pl.Series
) -> tuple[pl.DataFrame, dict[int, str]]:
    """Return the events of rows with lists of items.

    Parameters
    ----------
    rows
        Of n rows, in which they stand.
    items
        The lists of items, shape (n,); null and an empty list are one event without an item.
    values
        The value of each row, which holds for all its items; or lists with a value for each.

    Returns
    -------
    pl.DataFrame
        `rows`, each as often as it has items, with an ``item``, its ``value``, and ``of``: how
        many items the row names.
    dict[int, str]
        What is wrong with rows whose values do not fit their items, by position; they have no
        events.
    """
    several = isinstance(values.dtype, pl.List | pl.Array)
    frame = rows.with_columns(
        item=parse_lists(items), value=parse_lists(values) if several else values
    ).with_row_index("_row")
    faults: dict[int, str] = {}
    if several:
        wrong = (_VALUES > 1) & (_VALUES != _ITEMS)
        for row, length, of in frame.filter(wrong).select("_row", _VALUES, of=_ITEMS).iter_rows():
            faults[row] = f"has {length} values for {of} items"
        frame = frame.filter(~wrong)
        first = pl.col("value").list.get(0, null_on_oob=True)
    else:
        first = pl.col("value")
    repeated = first.repeat_by(pl.max_horizontal(_ITEMS, 1))
    parallel = pl.when(_VALUES > 1).then("value").otherwise(repeated) if several else repeated
    nothing = pl.lit([None], dtype=pl.List(pl.String))
    return (
        frame.with_columns(
            item=pl.when(_ITEMS > 0).then("item").otherwise(nothing), value=parallel, of=_ITEMS
        )
        .explode("item", "value")
        .drop("_row"),
        faults,
    )
