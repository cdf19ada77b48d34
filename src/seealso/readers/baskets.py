"""Rows that name several items, such as an order: one event for each of them."""

from typing import Final

import polars as pl

from seealso.readers.cells import as_lists

_ITEMS: Final = pl.col("item").list.len().fill_null(0)
_VALUES: Final = pl.col("value").list.len().fill_null(0)


def one_item_each(
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
        item=as_lists(items), value=as_lists(values) if several else values
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
