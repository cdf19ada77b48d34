"""From the columns of a source to the ones that the settings name, as text or numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import polars as pl

from seealso.errors import DataError

LONGEST_TEXT = 1_000_000
"""Most characters of one value: a longer one is a dump, not a description."""

LONGEST_ID = 512
"""Most UTF-8 bytes of an id: OpenSearch refuses a longer ``_id``."""


@dataclass
class ColumnCheck:
    """Watches whether a source has the columns that the settings name.

    Parameters
    ----------
    source
        What messages call the source.
    section
        The settings section that names the columns.
    wanted
        The columns that must be there, under their names in the source.
    key
        Columns without which no row is of use.
    """

    source: str
    section: str
    wanted: Sequence[str]
    key: Sequence[str]
    seen: dict[str, None] = field(default_factory=dict)

    def see(self, columns: Iterable[str], *, sparse: bool) -> None:
        """Take note of `columns`.

        Raises
        ------
        DataError
            A wanted column is missing; in a sparse source only the key columns must be in
            every batch, the others in any (see `finish`).
        """
        self.seen.update(dict.fromkeys(columns))
        self._require(self.key if sparse else self.wanted)

    def finish(self) -> None:
        """Require every wanted column, now that all have been seen."""
        if self.seen:
            self._require(self.wanted)

    def _require(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.seen:
                raise missing(self.source, self.section, name, tuple(self.seen))


def missing(source: str, section: str, name: str, columns: Sequence[str]) -> DataError:
    """Return the error that says which columns `source` has instead of `name`."""
    close = get_close_matches(name, columns, n=1)
    folded = [column for column in columns if column.casefold() == name.casefold()]
    guess = next(iter(folded or close), None)
    advice = f"is it {guess!r}? " if guess else ""
    return DataError(
        f"{source} has no column {name!r}; it has {', '.join(columns) or 'none'}",
        hint=f"{advice}name the column in [{section}] of seealso.toml",
        file=source,
        field=name,
    )


def renamed(frame: pl.DataFrame, names: Mapping[str, str], source: str) -> pl.DataFrame:
    """Return `frame` under the new `names`.

    Raises
    ------
    DataError
        A new name is taken by another column.
    """
    new = {old: name for old, name in names.items() if old in frame.columns}
    after = [new.get(column, column) for column in frame.columns]
    for name in new.values():
        if after.count(name) > 1:
            raise DataError(
                f"{source}: rename makes two columns {name!r}",
                hint="rename or drop the one that has the name already",
                file=source,
                field=name,
            )
    return frame.rename(new)


def column(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return the column `name`, all null where a sparse batch lacks it."""
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, [None] * frame.height, dtype=pl.String)


def as_text(values: pl.Series, source: str) -> pl.Series:
    """Return `values` as text: whole numbers without a fraction, lists joined by blanks.

    Blank texts and NaN become null.

    Raises
    ------
    DataError
        The column holds objects or bytes that are not text.
    """
    if isinstance(values.dtype, pl.List | pl.Array):
        inner = values.cast(pl.List(pl.String))
        texts = inner.list.eval(pl.element().drop_nulls()).list.join(" ")
    elif values.dtype.is_float():
        texts = _whole(values)
    elif values.dtype == pl.String:
        texts = values
    elif values.dtype in (pl.Struct, pl.Object):
        raise DataError(
            f"{source}: column {values.name!r} holds objects, not text",
            hint="make one plain column of it",
            file=source,
            field=values.name,
        )
    else:
        texts = _cast(values, source)
    return texts.set(texts.str.strip_chars() == "", None)


def _whole(values: pl.Series) -> pl.Series:
    finite = values.cast(pl.Float64).fill_nan(None)
    whole = ((finite == finite.round(0)) & (finite.abs() < 2.0**53)).fill_null(False)
    integers = finite.set(~whole, None).cast(pl.Int64).cast(pl.String)
    return integers.zip_with(whole, finite.cast(pl.String))


def _cast(values: pl.Series, source: str) -> pl.Series:
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError as exc:
        raise DataError(
            f"{source}: column {values.name!r} is not UTF-8 text",
            hint="write the column as text",
            file=source,
            field=values.name,
        ) from exc


def as_numbers(values: pl.Series) -> pl.Series:
    """Return `values` as float64; null where there is none, and where it is no number."""
    if values.dtype == pl.String:
        return values.str.strip_chars().cast(pl.Float64, strict=False)
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64)
    return pl.Series(values.name, [None] * len(values), dtype=pl.Float64)


def faults(mask: pl.Series) -> list[int]:
    """Return the positions where `mask` is true."""
    return mask.fill_null(False).arg_true().to_list()
