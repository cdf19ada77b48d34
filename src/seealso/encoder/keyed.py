"""Raw vectors by the digest of their text and the model that read it.

That is what the cache holds, and what other engines write as Parquet: whoever encoded a text,
nobody has to do it again.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.errors import DataError
from seealso.types import Vector

KEYED: Final = pl.Schema(
    {"key": pl.Binary(), "model": pl.String(), "vector": pl.List(pl.Float32())}
)
"""Columns of vectors: digest of model and text, what read it, and the vector."""


def text_key(model: str, text: str) -> bytes:
    """Return 20 bytes that stand for a prefixed text as `model` reads it."""
    known_by = f"{model}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(known_by, digest_size=20).digest()


@dataclass(frozen=True)
class KnownKeys:
    """Keys of texts that need not be encoded again.

    Attributes
    ----------
    heads
        The first 8 bytes of each, sorted: 80 MB for ten million. Two texts that share them are
        one in a billion catalogues; the second one is then left to the build.
    """

    heads: npt.NDArray[np.uint64]

    def drop(self, model: str, prefix: str, texts: Iterable[str]) -> list[str]:
        """Return those of `texts` that are not known, each once, blank ones left out."""
        distinct = [text for text in dict.fromkeys(texts) if text and not text.isspace()]
        keys = b"".join(text_key(model, prefix + text)[:8] for text in distinct)
        heads = np.frombuffer(keys, dtype="<u8")
        unknown = ~np.isin(heads, self.heads)
        return [text for text, new in zip(distinct, unknown, strict=True) if new]


def key_vectors(model: str, texts: Sequence[str], vectors: Vector) -> pl.DataFrame:
    """Return vectors with the keys of their texts.

    Parameters
    ----------
    model
        What made the vectors: model fingerprint and digest of the model file.
    texts
        n prefixed texts.
    vectors
        Shape (n, dimension), raw unit vectors.

    Returns
    -------
    polars.DataFrame
        n rows of `KEYED`.
    """
    if len(texts) != len(vectors):
        raise ValueError(f"{len(texts)} texts have {len(vectors)} vectors")
    if not texts:
        return KEYED.to_frame()
    rows = pl.Series("vector", vectors.astype(np.float32)).cast(KEYED["vector"])
    keys = pl.Series("key", [text_key(model, text) for text in texts], dtype=pl.Binary)
    return pl.DataFrame([keys, rows]).select("key", pl.lit(model).alias("model"), "vector")


def read_keyed(file: Path) -> pl.DataFrame:
    """Read a Parquet file of keyed vectors.

    Raises
    ------
    DataError
        It cannot be read, or holds something else.
    """
    try:
        found = pl.read_parquet(file, glob=False, hive_partitioning=False)
    except (OSError, pl.exceptions.PolarsError) as exc:
        raise DataError(
            f"{file}: no readable Parquet file: {str(exc).splitlines()[0]}",
            hint="delete it: its texts are encoded again",
            file=str(file),
        ) from exc
    try:
        keyed = found.select(KEYED.names()).cast(KEYED)
    except pl.exceptions.PolarsError as exc:
        raise _no_vectors(file, f"it has the columns {', '.join(found.columns)}") from exc
    if keyed.null_count().sum_horizontal().item():
        raise _no_vectors(file, "some values are missing")
    if (keyed["key"].bin.size() != len(text_key("", ""))).any():
        raise _no_vectors(file, "some keys have another length than 20 bytes")
    if not keyed["vector"].explode(empty_as_null=True).is_finite().all():
        raise _no_vectors(file, "some vectors are not finite")
    return keyed


def _no_vectors(file: Path, why: str) -> DataError:
    return DataError(
        f"{file}: holds no vectors of texts: {why}",
        hint=f"such files have the columns {', '.join(KEYED.names())}",
        file=str(file),
    )
