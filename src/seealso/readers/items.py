"""Reads a catalogue: rows become items, and faults name their line and column."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat

import polars as pl

from seealso.config import CatalogueSettings
from seealso.errors import ConfigError, DataError
from seealso.readers.problems import Problem, Problems
from seealso.readers.rows import Rows, RowSource, batches
from seealso.readers.values.cells import (
    BLANKS,
    LONGEST_TEXT,
    Cells,
    Fault,
    find_true,
    parse_lists,
    parse_texts,
)
from seealso.readers.values.columns import (
    ColumnCheck,
    find_no_objects,
    find_objects,
    rename_columns,
    select_column,
)
from seealso.readers.values.conventions import Conventions, find_number_conventions
from seealso.readers.values.ids import parse_ids
from seealso.readers.values.lists import is_written_list, split_lists
from seealso.readers.values.numbers import parse_numbers
from seealso.types import Item

RESERVED = frozenset(
    {
        "item_id", "text", "vector", "importance", "interactions", "counted", "tail", "digest",
        "updated_at",
    }
)  # fmt: skip
"""Field names that the index uses itself."""


_REPEATED = (
    "ids are repeated with other texts: if these are rows of other store views or languages, "
    "export only one of them"
)

# what is not seen and no end of a line; what stands for nothing around a text is cut off
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"


def read_items(
    source: RowSource, columns: CatalogueSettings, problems: Problems
) -> Iterator[list[Item]]:
    """Return an iterator over the items of `source` in batches, in its order.

    Parameters
    ----------
    source
        The catalogue.
    columns
        Which columns are read, and as what. Text columns become str; keyword columns str, or
        list[str] where the source has a list or `lists` names a separator; number columns float.
        Empty values are left out, NaN among them. A row that repeats an id, or has none,
        and has no text either is a variant or a picture of the same item: the first row counts.
    problems
        Takes the broken rows: no id, an id over 512 bytes or there already; and the broken
        values: a text over 1,000,000 characters, a number that is none.

    Raises
    ------
    ConfigError
        A column is named twice, or as a field that the index uses itself.
    DataError
        While reading: a column is missing, the catalogue is empty, the file cannot be read, or
        a row is broken and `problems` stops there.
    """
    _check_names(columns)
    return _items(source, columns, problems, least=1)


def read_part(
    source: RowSource, columns: CatalogueSettings, problems: Problems
) -> Iterator[list[Item]]:
    """Return what `read_items` does, for a part of a catalogue: it may have no items."""
    _check_names(columns)
    return _items(source, columns, problems, least=0)


def _check_names(columns: CatalogueSettings) -> None:
    keywords = dict.fromkeys((*columns.keywords, *columns.lists))
    names = [*dict.fromkeys(columns.text), *keywords, *dict.fromkeys(columns.numbers)]
    for name, times in Counter(names).items():
        if name in RESERVED:
            raise ConfigError(
                f"catalogue: a column cannot be called {name!r}, the index uses that name itself",
                hint=f"rename it: [catalogue] rename = {{ {name} = 'my_{name}' }}",
                field=name,
            )
        if times > 1:
            raise ConfigError(
                f"catalogue: {name!r} is named as two of text, keywords (or lists) and numbers",
                hint="name it once; the text template can use every field",
                field=name,
            )


def _items(
    source: RowSource, columns: CatalogueSettings, problems: Problems, least: int
) -> Iterator[list[Item]]:
    reading = problems.reading("catalogue", source.name)
    old = {new: old for old, new in columns.rename.items()}
    key = old.get(columns.id, columns.id)
    check = ColumnCheck(source.name, "catalogue", columns.columns, (key,))
    numbers = tuple(old.get(name, name) for name in columns.numbers)
    conventions = find_number_conventions(source, numbers, columns.format.decimal, reading.note)
    first: dict[str, tuple[str, int]] = {}
    for rows in batches(source, columns.columns):
        check.see(rows)
        batch, broken, continued = _build_items(rows, columns, source.name, first, conventions)
        if any(one.repeats for one in broken):
            reading.note(_REPEATED)
        for name in _find_written_lists(rows, columns):
            reading.note(f"{name} holds lists written as text: name it in catalogue.lists")
        reading.take(rows, broken)
        reading.tally(
            continued,
            "further row of an item (a variant, a picture): the first row of an item counts",
            "further rows of the same items (variants, pictures): the first row of each counts",
        )
        if batch:
            yield batch
    check.finish()
    if len(first) < least:
        raise DataError(
            f"{source.name} has no items"
            + (f": all {reading.count} rows are broken" if reading.count else ""),
            hint=reading.messages[0] if reading.messages else "check [catalogue] in seealso.toml",
            file=source.name,
        )


def _build_items(
    rows: Rows,
    columns: CatalogueSettings,
    source: str,
    first: dict[str, tuple[str, int]],
    conventions: Conventions,
) -> tuple[list[Item], list[Problem], int]:
    """Return the items of some rows, what is broken, and how many rows continue an item.

    `first` says on which line each id was met; in a source of several files its unit names the
    file.
    """
    frame = rename_columns(rows.frame, columns.rename, source)
    ids = _parse_item_ids(frame, columns)
    texts, others = _parse_columns(frame, columns, conventions)
    cells = [_add_shape_faults(each, rows, columns) for each in (*texts, *others)]
    ids = _add_shape_faults(ids, rows, columns)
    broken: list[Problem] = []
    names = [each.name for each in cells]
    columns_of_values = [each.values.to_list() for each in cells]
    values = zip(*columns_of_values, strict=True) if cells else repeat((), rows.frame.height)
    items: list[Item] = []
    built: set[int] = set()
    continued = 0
    for row, (item_id, place, fields) in enumerate(
        zip(ids.values.to_list(), rows.places, values, strict=True)
    ):
        has_text = not texts or any(fields[: len(texts)])
        if row in ids.faults:
            broken.append(Problem(place, ids.name, ids.faults[row].reason, ids.faults[row].value))
        elif not has_text and (item_id in first or (item_id is None and first)):
            # shops export a row for each variant and picture below that of the item
            continued += 1
        elif item_id is None:
            broken.append(Problem(place, ids.name, "is empty"))
        elif item_id in first:
            unit, number = first[item_id]
            reason = f"{item_id!r} already exists, on {unit} {number}"
            broken.append(Problem(place, ids.name, reason, repeats=True))
        else:
            # plain tuples, millions of them: the garbage collector passes over those
            first[item_id] = rows.unit, place
            present = {n: v for n, v in zip(names, fields, strict=True) if v is not None}
            items.append(Item(item_id, present))
            built.add(row)
    broken += [
        Problem(rows.places[row], each.name, fault.reason, fault.value, "value")
        for each in cells
        for row, fault in each.faults.items()
        if row in built
    ]
    return items, broken, continued


def _parse_columns(
    frame: pl.DataFrame, columns: CatalogueSettings, conventions: Conventions
) -> tuple[list[Cells], list[Cells]]:
    """Return the text columns, and those of keywords and numbers."""
    nulls = columns.format.nulls
    texts = [
        _drop_long(_clean(parse_texts(select_column(frame, name), nulls)))
        for name in dict.fromkeys(columns.text)
    ]
    others = [
        _parse_keywords(select_column(frame, name), columns.lists.get(name), nulls)
        for name in dict.fromkeys((*columns.keywords, *columns.lists))
    ]
    others += [
        parse_numbers(select_column(frame, name), conventions, nulls)
        for name in dict.fromkeys(columns.numbers)
    ]
    return texts, others


def _add_shape_faults(cells: Cells, rows: Rows, columns: CatalogueSettings) -> Cells:
    """Return `cells` with the faults of objects instead of values, and of the reverse."""
    old = {new: old for old, new in columns.rename.items()}
    column = select_column(rows.frame, old.get(cells.name, cells.name))
    faults = find_objects(rows, column, columns.columns) | find_no_objects(rows, column)
    return Cells(cells.values, {**faults, **cells.faults}) if faults else cells


def _parse_item_ids(frame: pl.DataFrame, columns: CatalogueSettings) -> Cells:
    values = select_column(frame, columns.id)
    if columns.id == "_id":
        # the id of a document is what it is: somebody may write to it
        return Cells(values.cast(pl.String))
    return parse_ids(values, columns.format.nulls)


def _parse_keywords(values: pl.Series, separator: str | None, nulls: Sequence[str] | None) -> Cells:
    if isinstance(values.dtype, pl.List | pl.Array):
        lists, faults = parse_lists(values), {}
    else:
        texts = _clean(parse_texts(values, nulls))
        if separator is None:
            return _drop_long(texts)
        split = split_lists(texts.values, separator)
        lists, faults = split.values, {**texts.faults, **split.faults}
    parts = lists.list.eval(pl.element().str.strip_chars(BLANKS))
    parts = parts.list.eval(pl.element().filter(pl.element().is_not_null() & (pl.element() != "")))
    length = parts.list.eval(pl.element().str.len_chars()).list.sum()
    empty = (parts.list.len() == 0).fill_null(True) | (length > LONGEST_TEXT).fill_null(False)
    return Cells(parts.set(empty, None), {**faults, **_find_too_long(length)})


def _find_written_lists(rows: Rows, columns: CatalogueSettings) -> list[str]:
    """Return the keyword columns that contain lists as text and are not named as lists."""
    old = {new: old for old, new in columns.rename.items()}
    names = [name for name in columns.keywords if name not in columns.lists]
    values = (select_column(rows.frame, old.get(name, name)) for name in names)
    return [n for n, one in zip(names, values, strict=True) if is_written_list(one).any()]


def _clean(cells: Cells) -> Cells:
    """Return texts without blanks around them and without control characters."""
    return Cells(cells.values.str.replace_all(_CONTROL, "").str.strip_chars(BLANKS), cells.faults)


def _drop_long(cells: Cells) -> Cells:
    """Return texts without those that are too long."""
    # bytes are counted already, characters are not
    if (cells.values.str.len_bytes().max() or 0) <= LONGEST_TEXT:  # type: ignore[operator]
        return cells
    if not (long := _find_too_long(cells.values.str.len_chars())):
        return cells
    mask = pl.int_range(len(cells.values), eager=True).is_in(list(long))
    return Cells(cells.values.set(mask, None), {**cells.faults, **long})


def _find_too_long(lengths: pl.Series) -> dict[int, Fault]:
    return {
        row: Fault(f"has {lengths[row]:,} characters, more than {LONGEST_TEXT:,}")
        for row in find_true(lengths > LONGEST_TEXT)
    }
