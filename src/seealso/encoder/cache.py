"""Cache of encoded texts on disk: a text is read by the model once, whatever is built from it.

It holds raw vectors, so a new projection or template costs no encoding of known texts.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from seealso.encoder.keyed import KnownKeys, key_vectors, text_key
from seealso.errors import ConfigError
from seealso.types import Vector

_KEYS_AT_ONCE = 500
_BUSY_SECONDS = 60.0


class VectorCache:
    """A SQLite file of vectors, safe with several threads and processes.

    Every call opens the file and closes it again: nothing is shared between threads, nothing
    survives a fork, and one call serves thousands of texts.

    Parameters
    ----------
    file
        The file; made with its folder if it is not there.

    Raises
    ------
    ConfigError
        The file is not such a cache, or cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise self._unusable(exc) from exc
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
            )

    def get_many(self, model: str, texts: Sequence[str], dimension: int) -> dict[str, Vector]:
        """Return the vectors that are known.

        Parameters
        ----------
        model
            What made the vectors: model fingerprint and digest of the model file.
        texts
            Prefixed texts.
        dimension
            Length of a vector; entries of another length are ignored.

        Returns
        -------
        dict
            Vectors of shape (dimension,) by text.
        """
        by_key = {text_key(model, text): text for text in texts}
        keys = list(by_key)
        known: dict[str, Vector] = {}
        with self._open() as db:
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                batch = keys[start : start + _KEYS_AT_ONCE]
                marks = ",".join("?" * len(batch))
                query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608
                for key, vector in db.execute(query, batch):
                    if len(vector) == 4 * dimension:
                        known[by_key[key]] = np.frombuffer(vector, dtype="<f4")
        return known

    def put_many(self, model: str, texts: Sequence[str], vectors: Vector) -> None:
        """Keep one vector for each text, in one transaction.

        Parameters
        ----------
        model
            What made the vectors: model fingerprint and digest of the model file.
        texts
            n prefixed texts.
        vectors
            Shape (n, dimension), raw unit vectors.
        """
        self.add(key_vectors(model, texts, vectors))

    def add(self, keyed: pl.DataFrame) -> None:
        """Keep vectors that have their keys already, in one transaction.

        Parameters
        ----------
        keyed
            Rows as `keyed.KEYED` has them.
        """
        if keyed.is_empty():
            return
        values = keyed["vector"].explode().to_numpy().astype("<f4")
        ends = np.cumsum(keyed["vector"].list.len().to_numpy())[:-1]
        rows = zip(keyed["key"], (one.tobytes() for one in np.split(values, ends)), strict=True)
        with self._open() as db:
            db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def known(self) -> KnownKeys:
        """Return what is in it, small enough to be sent to other processes."""
        with self._open() as db:
            heads = b"".join(key[:8] for (key,) in db.execute("SELECT key FROM vectors"))
        return KnownKeys(np.unique(np.frombuffer(heads, dtype="<u8")))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for one transaction; what goes wrong in it is a ConfigError."""
        try:
            with closing(sqlite3.connect(self._file, timeout=_BUSY_SECONDS)) as db, db:
                yield db
        except sqlite3.Error as exc:
            raise self._unusable(exc) from exc

    def _unusable(self, exc: Exception) -> ConfigError:
        return ConfigError(
            f"{self._file}: not usable as vector cache: {exc}",
            hint="delete the file, or set encoder.cache to another one",
            file=str(self._file),
            field="encoder.cache",
        )
