"""Fills the cache of vectors before a build reads from it: with what others have encoded."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from seealso.config import Settings
from seealso.encoder import Bundle, VectorCache, open_cache, read_keyed
from seealso.errors import ConfigError, DataError
from seealso.log import progress

EncodeAhead: TypeAlias = Callable[[Bundle, Settings, int], object]
"""Encodes the texts of a catalogue of so many items into the cache; the rest is up to the build."""


def require_cache(settings: Settings, what: str) -> VectorCache:
    """Return the cache that `what` fills.

    Raises
    ------
    ConfigError
        It is switched off, or cannot be used.
    """
    cache = open_cache(settings)
    if cache is None:
        raise ConfigError(
            f"{what} needs the cache of vectors, which is switched off",
            hint="set encoder.cache to a file",
            field="encoder.cache",
        )
    return cache


def load_vectors(settings: Settings, folder: Path) -> int:
    """Take the vectors of a folder of Parquet files into the cache, and return their number.

    Parameters
    ----------
    settings
        ``encoder.cache`` is used.
    folder
        Files with the columns of `keyed.KEYED`, as Spark or another engine has written them with
        `encode_rows`; also one such file.

    Raises
    ------
    ConfigError
        The cache is switched off.
    DataError
        There are no such files, or they hold something else.
    """
    cache = require_cache(settings, "--vectors")
    files = find_files(folder) if folder.is_dir() else [folder]
    if not files:
        raise DataError(
            f"{folder}: no Parquet file in this folder",
            hint="name the folder that the vectors were written to",
            file=str(folder),
        )
    loaded = 0
    with progress("loading vectors", len(files)) as tick:
        for file in files:
            keyed = read_keyed(file)
            cache.add(keyed)
            loaded += keyed.height
            tick()
    return loaded


def find_files(folder: Path) -> list[Path]:
    """Return the Parquet files below a folder, but for those that are still being written."""
    return sorted(
        file
        for file in folder.rglob("*.parquet")
        if not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    )
