"""Encodes the texts of a catalogue on workers of Ray.

Each file of the catalogue is read by a task, and its texts are encoded by as many workers as there
are cores, each with a model of its own. A worker writes what it has encoded as one Parquet file for
each batch; this process takes the files into the cache, from which the build reads. So a lost
worker costs its batch, and a build that is killed the batches that were in work.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from seealso.config import CatalogueSettings, Settings
from seealso.encoder import Bundle, KnownKeys, VectorCache, cached_as, read_keyed
from seealso.errors import ConfigError, DataError, SeeAlsoError
from seealso.indexer.ahead import find_files, require_cache
from seealso.indexer.batches import TextEncoder, TextReader
from seealso.indexer.ray_session import require_ray, start_ray
from seealso.log import progress
from seealso.readers import FileSource

if TYPE_CHECKING:
    import pyarrow as pa
    import ray

TEXTS_OF_A_BATCH: Final = 1024
"""What one worker encodes at a time, and what is lost with it at most."""


def encode_on_ray(
    bundle: Bundle, settings: Settings, items: int, *, texts_of_a_batch: int = TEXTS_OF_A_BATCH
) -> None:
    """Encode what the cache lacks of the texts of a catalogue.

    Parameters
    ----------
    bundle
        What reads the texts.
    settings
        Sections ``catalogue``, ``text`` and ``encoder`` are used.
    items
        Items of the catalogue.
    texts_of_a_batch
        What one worker encodes at a time.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    ConfigError
        The catalogue is an index, or the cache is switched off.
    SeeAlsoError
        Ray cannot be started, or a worker fails in a way that no other worker would mend.
    """
    require_ray()
    cache = require_cache(settings, "--engine ray")
    parts = _split_catalogue(settings.catalogue)
    folder = _folder_beside(settings)
    _take_all(cache, folder)
    encoder = TextEncoder.of(bundle, settings)
    model = cached_as(bundle, encoder.precision)
    reader = _UnknownTexts(
        TextReader(settings.catalogue, settings.text), cache.known(), model, bundle.item_prefix
    )
    total = items * (1 + len(settings.text.views))
    with start_ray(encoder.threads) as workers, progress("encoding on ray", total) as tick:
        for done in _run(parts, reader, encoder, folder, workers, texts_of_a_batch):
            if done["part"]:
                _take(cache, folder / done["part"])
            tick(done["texts"])
    _take_all(cache, folder)
    with suppress(OSError):  # another build may write to it
        folder.rmdir()


def _split_catalogue(chosen: CatalogueSettings) -> list[FileSource]:
    if chosen.path is None:
        raise ConfigError(
            "--engine ray reads files, and the catalogue is an index",
            hint="set catalogue.path, or build with --engine local",
            field="catalogue.path",
        )
    # workers have working folders of their own
    path = chosen.path.absolute()
    return FileSource(path, format=chosen.format, columns=chosen.columns).split()


def _folder_beside(settings: Settings) -> Path:
    """Return the folder beside the cache that workers write to."""
    cache = Path(settings.encoder.cache or "").absolute()
    folder = cache.with_name(f"{cache.name}.parts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _take_all(cache: VectorCache, folder: Path) -> None:
    """Take what an earlier build left, and what a lost worker wrote but could not report."""
    for file in find_files(folder):
        _take(cache, file)


def _take(cache: VectorCache, file: Path) -> None:
    with suppress(FileNotFoundError):  # another build may have been faster
        cache.add(read_keyed(file))
        file.unlink()


def _run(
    parts: Sequence[FileSource],
    reader: "_UnknownTexts",
    encoder: TextEncoder,
    folder: Path,
    workers: int,
    batch: int,
) -> Iterator[Mapping[str, Any]]:
    """Yield what workers report of each batch; raises what a worker raises again and again."""
    import ray
    from ray.data import ActorPoolStrategy

    # of values that are at hand: to read any would take a core, and the workers have all of them
    numbers = ray.data.from_items(list(range(len(parts))), override_num_blocks=len(parts))
    # once for each machine, however many parts there are: what is known may be large
    work = ray.put((reader, parts))
    texts = numbers.map_batches(
        _read_parts,
        batch_size=1,
        num_cpus=0,
        concurrency=min(workers, len(parts)),
        fn_kwargs={"work": [work]},
    )
    # blocks are what workers get and lose: a block for each batch
    done = texts.repartition(target_num_rows_per_block=batch).map_batches(
        _Worker,
        batch_size=batch,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=1, max_size=workers),
        num_cpus=encoder.threads,
        fn_constructor_args=(encoder, folder),
    )
    try:
        yield from done.iter_rows()
    except ray.exceptions.RayError as exc:
        cause = getattr(exc, "cause", None)
        if isinstance(cause, SeeAlsoError):
            raise cause from exc
        raise SeeAlsoError(
            f"Ray: {str(exc).strip().splitlines()[-1]}",
            hint="run the build again: it goes on where this one ended; or use --engine local",
        ) from exc


@dataclass(frozen=True)
class _UnknownTexts:
    """Reads the texts of a part of the catalogue that the cache lacks."""

    reader: TextReader
    known: KnownKeys
    model: str
    prefix: str

    def read(self, part: FileSource) -> "Iterator[pa.Table]":
        """Yield texts, and for how many of the catalogue each stands."""
        # what cannot be read was reported by the build, which has read the whole
        with suppress(DataError):
            for texts in self.reader.read(part):
                unknown = self.known.drop(self.model, self.prefix, texts)
                # those that are known or blank stand in one row without a text
                stand = [len(texts) - len(unknown), *[1] * len(unknown)]
                yield pl.DataFrame({"text": ["", *unknown], "texts": stand}).to_arrow()


def _read_parts(numbers: Mapping[str, Any], work: "list[ray.ObjectRef]") -> "Iterator[pa.Table]":
    import ray

    reader, parts = ray.get(work[0])
    for number in numbers["item"]:
        yield from reader.read(parts[number])


class _Worker:
    """Encodes batches of texts and writes them; Ray starts another one where one is lost."""

    def __init__(self, encoder: TextEncoder, folder: Path) -> None:
        self._encoder = encoder
        self._folder = folder

    def __call__(self, batch: "pa.Table") -> "pa.Table":
        """Write the vectors of a batch as a file, and return its name and the number of texts."""
        texts = pl.DataFrame(batch)
        keyed = self._encoder.encode(texts["text"])
        name = "" if keyed.is_empty() else write_part(keyed, self._folder)
        return pl.DataFrame({"part": [name], "texts": [texts["texts"].sum()]}).to_arrow()


def write_part(keyed: pl.DataFrame, folder: Path) -> str:
    """Write vectors as a file that appears whole or not at all, and return its name.

    The same texts have the same name: whoever encodes them once more replaces the file.
    """
    name = f"{blake2b(b''.join(keyed['key']), digest_size=16).hexdigest()}.parquet"
    partial = folder / f".{os.getpid()}-{name}"
    keyed.write_parquet(partial)
    partial.replace(folder / name)
    return name
