"""Encodes the texts of a catalogue on workers of Ray.

Each file of the catalogue is read by a task, and its texts are encoded by as many workers as there
are cores, each with a model of its own. A worker writes what it has encoded as one Parquet file for
each batch; this process takes the files into the cache, from which the build reads. So a lost
worker costs its batch, and a build that is killed the batches that were in work.
"""

import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from filelock import FileLock, Timeout

from seealso.config import CatalogueSettings, Settings
from seealso.encoder import Bundle, KnownKeys, VectorCache, cached_as, read_keyed
from seealso.errors import ConfigError, DataError, SeeAlsoError
from seealso.indexer.ahead import find_files, require_cache
from seealso.indexer.batches import TextEncoder, TextReader
from seealso.indexer.documents import hash_content
from seealso.indexer.ray_session import require_ray, start_ray
from seealso.log import progress
from seealso.readers import FileSource

if TYPE_CHECKING:
    import pyarrow as pa
    import ray

TEXTS_OF_A_BATCH: Final = 1024
"""What one worker encodes at a time, and what is lost with it at most."""

MOST_LOST: Final = 3
"""Workers that one batch may cost: after so many, it is the batch that kills them."""

_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
"""What colours the lines of Ray."""

_AGAIN: Final = "run the build again: it goes on where this one ended; or use --engine local"


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
        Ray cannot be started, a worker fails, or a batch is lost again and again.
    """
    require_ray()
    cache = require_cache(settings, "--engine ray")
    parts = _split_catalogue(settings.catalogue)
    encoder = TextEncoder.of(bundle, settings)
    with _lock_folder(settings) as folder:
        _take_left(cache, folder)
        reader = _UnknownTexts(
            TextReader(settings.catalogue, settings.text),
            cache.known(),
            cached_as(bundle, encoder.precision),
            bundle.item_prefix,
        )
        total = items * (1 + len(settings.text.views))
        with (
            start_ray(encoder.threads) as workers,
            progress("encoding on ray", total) as tick,
            # a Ray of the caller's own goes on, and must not go on with this
            closing(_run(parts, reader, encoder, folder, workers, texts_of_a_batch)) as batches,
        ):
            for done in batches:
                if done["fault"]:
                    raise SeeAlsoError(f"a worker of Ray failed: {done['fault']}", hint=_AGAIN)
                if done["part"]:
                    _take(cache, folder / done["part"])
                tick(done["texts"])
        _take_left(cache, folder)
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


@contextmanager
def _lock_folder(settings: Settings) -> Iterator[Path]:
    """Give the folder beside the cache that workers write to, to one build at a time."""
    cache = Path(settings.encoder.cache or "").absolute()
    folder = cache.with_name(f"{cache.name}.parts")
    try:
        with FileLock(f"{folder}.lock", timeout=0):
            folder.mkdir(exist_ok=True)
            yield folder
    except Timeout as exc:
        raise SeeAlsoError(
            f"{cache}: another build encodes on Ray into this cache",
            hint="wait until it has ended, or set encoder.cache to another file",
            file=str(cache),
        ) from exc


def _take_left(cache: VectorCache, folder: Path) -> None:
    """Take what a lost worker or an earlier build wrote and could not report; clear the rest."""
    for file in find_files(folder):
        _take(cache, file)
    for file in folder.iterdir():
        file.unlink()


def _take(cache: VectorCache, file: Path) -> None:
    # a batch that was encoded twice has one file
    if file.exists():
        cache.add(read_keyed(file))
        file.unlink()


def _run(
    parts: Sequence[FileSource],
    reader: "_UnknownTexts",
    encoder: TextEncoder,
    folder: Path,
    workers: int,
    batch: int,
) -> Generator[Mapping[str, Any], None, None]:
    """Yield what workers report of each batch."""
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
        Worker,
        batch_size=batch,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=1, max_size=workers),
        num_cpus=encoder.threads,
        fn_constructor_args=(encoder, folder),
    )
    try:
        yield from done.iter_rows()
    except ray.exceptions.RayError as exc:
        in_worker = isinstance(exc, ray.exceptions.RayTaskError)
        what = f"{type(exc).__name__}: {find_reason(str(exc), in_worker=in_worker)}"
        raise SeeAlsoError(f"Ray ended with {what}", hint=_AGAIN) from exc


def find_reason(text: str, *, in_worker: bool) -> str:
    """Return the line of what Ray says that has the reason."""
    lines = _COLOURS.sub("", text).strip().splitlines() or [""]
    # the traceback of a worker ends with its error; what Ray says of itself begins with the reason
    return lines[-1 if in_worker else 0].strip()


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


class Worker:
    """Encodes batches of texts and writes them; Ray starts another one where one is lost."""

    def __init__(self, encoder: TextEncoder, folder: Path) -> None:
        self._encoder = encoder
        self._folder = folder

    def __call__(self, batch: "pa.Table") -> "pa.Table":
        """Write the vectors of a batch as a file, and return its name and the number of texts."""
        texts = pl.DataFrame(batch)
        name = f"{hash_content(texts['text'].to_list())}.parquet"
        try:
            wrote = self._write(name, texts["text"])
            fault = ""
        except (SeeAlsoError, OSError, pl.exceptions.PolarsError) as exc:
            # raised here, it would reach the build as a page of Ray's own
            wrote, fault = False, str(exc)
        done = {"part": [name if wrote else ""], "texts": [texts["texts"].sum()], "fault": [fault]}
        return pl.DataFrame(done).to_arrow()

    def _write(self, name: str, texts: pl.Series) -> bool:
        """Encode texts and write them as a file that appears whole or not at all, if there are any.

        The same texts have the same name: whoever encodes them once more replaces the file.
        """
        lost = self._folder / f".{name}.lost"
        with lost.open("a+b") as file:
            if file.tell() > MOST_LOST:
                raise SeeAlsoError(f"{file.tell()} workers died of the same {len(texts)} texts")
            file.write(b".")
        keyed = self._encoder.encode(texts)
        if not keyed.is_empty():
            partial = self._folder / f".{os.getpid()}-{name}"
            keyed.write_parquet(partial)
            partial.replace(self._folder / name)
        lost.unlink()
        return not keyed.is_empty()
