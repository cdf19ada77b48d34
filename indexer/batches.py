"""Rows of a catalogue to vectors, batch by batch: what Ray, Spark and other engines run.

Rows become items and texts by the readers and templates of a build, and vectors by its encoder.
What comes out is what the cache of a build holds, so the build has nothing left to encode.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from seealso.config import CatalogueSettings, Settings, TextSettings, with_fitted
from seealso.encoder import Bundle, Encoder, ItemText, find_serving_bundle, item_encoder
from seealso.errors import MissingExtraError
from seealso.readers import Problems, Rows, RowSource, read_part

if TYPE_CHECKING:
    import pyarrow as pa

VECTOR_COLUMNS: Final = "key binary, model string, vector array<float>"
"""What `encode_rows` yields, in the words of Spark."""


@dataclass(frozen=True)
class TextReader:
    """Reads the texts of a catalogue's items, of all their views.

    Attributes
    ----------
    columns, text
        Sections ``catalogue`` and ``text`` of the settings.
    """

    columns: CatalogueSettings
    text: TextSettings

    def read(self, source: RowSource) -> Iterator[list[str]]:
        """Yield the texts of some rows at a time; broken rows are left to the build, to report."""
        item_text = ItemText(self.text)
        for items in read_part(source, self.columns, Problems("skip")):
            yield [text for item in items for text in item_text.render_views(item.fields)]


@dataclass(frozen=True)
class TextEncoder:
    """Encodes texts in any process: it travels as plain values, and opens the model where it runs.

    Attributes
    ----------
    folder
        The bundle, which every worker must see there.
    precision, threads, tokens_per_batch, shared
        As section ``encoder`` of the settings has them; but 0 threads are one.
    """

    folder: Path
    precision: str
    threads: int
    tokens_per_batch: int
    shared: Path | None

    @classmethod
    def of(cls, bundle: Bundle, settings: Settings) -> "TextEncoder":
        """Return the encoder of the items that the settings name.

        Raises
        ------
        BundleError
            As `item_encoder`.
        """
        item_encoder(bundle, settings)
        chosen = settings.encoder
        return cls(
            bundle.folder.resolve(),
            chosen.precision,
            chosen.threads or 1,
            chosen.tokens_per_batch,
            chosen.shared and chosen.shared.absolute(),
        )

    def encode(self, texts: Iterable[str]) -> pl.DataFrame:
        """Return what `Encoder.encode_keyed` does."""
        return _open(self).encode_keyed(texts)


@lru_cache(maxsize=1)
def _open(chosen: TextEncoder) -> Encoder:
    """Return the model of a worker, which is loaded once for all its batches."""
    return Encoder(
        Bundle.load(chosen.folder),
        precision=chosen.precision,
        runs=chosen.threads,
        tokens_per_batch=chosen.tokens_per_batch,
        shared=chosen.shared,
    )


@dataclass(frozen=True)
class _FrameRows:
    """Rows that an engine has read."""

    frame: pl.DataFrame
    name: str = "rows"

    def rows(self) -> Iterator[Rows]:
        yield Rows(self.frame, range(1, self.frame.height + 1), unit="row")


def encode_rows(
    settings: Settings,
) -> "Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]":
    """Return a function from rows of the catalogue to vectors, as ``mapInArrow`` of Spark runs it.

    Parameters
    ----------
    settings
        Sections ``catalogue``, ``text`` and ``encoder`` are used. The workers must see the folder
        of the bundle.

    Returns
    -------
    function
        Of Arrow batches of rows as the catalogue has them; the batches that it yields have the
        columns `VECTOR_COLUMNS`. ``seealso index build --vectors`` reads them as Parquet files.

    Raises
    ------
    BundleError
        The bundle is not in the store, or cannot be used.
    MissingExtraError
        pyarrow is not installed.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as exc:
        raise MissingExtraError.of("pyarrow", "ray") from exc
    bundle = find_serving_bundle(settings)
    chosen = with_fitted(settings, bundle.fitted)
    reader = TextReader(chosen.catalogue, chosen.text)
    encoder = TextEncoder.of(bundle, chosen)

    def encode(batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        for batch in batches:
            rows = pl.DataFrame(batch)
            if rows.is_empty():
                continue
            for texts in reader.read(_FrameRows(rows)):
                yield from _to_arrow(encoder.encode(texts))

    return encode


def _to_arrow(keyed: pl.DataFrame) -> "list[pa.RecordBatch]":
    import pyarrow as pa

    # the plain types, which every engine knows: polars has large ones
    vectors = pa.list_(pa.float32())
    schema = pa.schema([("key", pa.binary()), ("model", pa.string()), ("vector", vectors)])
    batches: list[pa.RecordBatch] = keyed.to_arrow().cast(schema).to_batches()
    return batches
