"""Texts to unit vectors: every distinct text is read once, in batches of similar length.

Known texts come from a cache; what the model must read goes through it in bounded windows.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import polars as pl

from seealso.encoder.batching import Batching
from seealso.encoder.bundle import Bundle
from seealso.encoder.cache import VectorCache
from seealso.encoder.keyed import key_vectors
from seealso.encoder.reader import TWINS, Reader, Tokens, cores, token_batches
from seealso.log import Tick, no_progress
from seealso.types import Vector

_WINDOW = 4096
_REMEMBERED_USERS = 1024


class Encoder:
    """Encodes the texts of items and users with one bundle.

    Safe to share between threads.

    Parameters
    ----------
    bundle
        The bundle.
    precision
        Which twin of the model reads: ``fp32`` or ``int8``.
    threads
        Threads of one run; 0 takes all cores that this process may use.
    runs
        Batches of item texts, or calls for users, that are read beside each other; 0 for as many as
        the cores have room for.
    tokens_per_batch
        Most tokens of one run, padding included.
    cache
        Where raw vectors of item texts are kept between runs; users' texts never go there.
    shared
        Folder of models that several processes share in memory.

    Attributes
    ----------
    bundle
        The bundle.
    dimension
        Length of the vectors of texts.

    Raises
    ------
    ConfigError
        The precision is unknown.
    BundleError
        The model or the tokenizer cannot be loaded.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        precision: str = "fp32",
        threads: int = 1,
        runs: int = 0,
        tokens_per_batch: int = 256,
        cache: VectorCache | None = None,
        shared: Path | None = None,
    ) -> None:
        self.bundle = bundle
        self.dimension = bundle.text_dimension
        self._reader = Reader(bundle, precision, threads, shared)
        self._tokens_per_batch = tokens_per_batch
        self._cache = cache
        self._precision = precision
        self._width = self.dimension
        if bundle.projection is not None:
            self._width = len(bundle.projection.mean)
        self._users: OrderedDict[str, Vector] = OrderedDict()
        self._users_lock = Lock()
        # one thread a batch and a batch for each core: threads of one run wait for each other
        # after every operator
        self._runs = runs or cores() // (threads or cores()) or 1
        self._read_users = Batching(self._encode_unknown, self._runs)

    def encode_items(self, texts: Sequence[str], *, tick: Tick | None = None) -> Vector:
        """Encode texts of items.

        Parameters
        ----------
        texts
            n texts, without the prefix.
        tick
            Called with the number of texts that were just finished; the numbers add up to n.

        Returns
        -------
        Vector
            Shape (n, dimension), unit rows; a zero row for an empty text.
        """
        return self._project(self.raw_items(texts, tick=tick))

    def raw_items(self, texts: Sequence[str], *, tick: Tick | None = None) -> Vector:
        """Encode texts of items as `encode_items` does, without the projection.

        Returns
        -------
        Vector
            Shape (n, d), where d is the model's own dimension.
        """
        places = _places(texts)
        rows = np.zeros((len(texts), self._width), dtype=np.float32)
        done = tick or no_progress
        if blank := len(texts) - sum(map(len, places.values())):
            done(blank)
        # by length of the string first: a window then holds texts of similar length
        distinct = sorted(places, key=len)
        for start in range(0, len(distinct), _WINDOW):
            window = distinct[start : start + _WINDOW]
            for text, vector in self._window(window, self.bundle.item_prefix):
                rows[places[text]] = vector
                done(len(places[text]))
        return rows

    def encode_keyed(self, texts: Iterable[str]) -> pl.DataFrame:
        """Encode texts of items for whoever keeps the vectors.

        Parameters
        ----------
        texts
            Texts without the prefix.

        Returns
        -------
        polars.DataFrame
            A row of `keyed.KEYED` for each different text that is not blank, as the cache takes it.
        """
        prefix = self.bundle.item_prefix
        distinct = sorted(_places(list(texts)), key=len)
        return self._key([(prefix + text, vector) for text, vector in self._read(distinct, prefix)])

    def encode_users(self, texts: Sequence[str]) -> Vector:
        """Encode texts of users; the newest are remembered in memory, none is written to disk.

        Parameters
        ----------
        texts
            n texts, without the prefix.

        Returns
        -------
        Vector
            Shape (n, content_dimension of the bundle), unit rows; a zero row for an empty text.
        """
        places = _places(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        known = self._recall(places)
        if unknown := [text for text in places if text not in known]:
            known.update(zip(unknown, self._read_users(unknown), strict=True))
        for text, vector in known.items():
            rows[places[text]] = vector
        self._remember(known)
        return self.bundle.word_vectors(rows)

    def _encode_unknown(self, texts: Sequence[str]) -> list[Vector]:
        """Return the vector of each text, in their order; they may come of several users."""
        distinct = list(dict.fromkeys(texts))
        found: dict[str, Vector] = {}
        for start in range(0, len(distinct), _WINDOW):
            window = distinct[start : start + _WINDOW]
            # as many calls are read beside each other as there is room for: each reads alone
            read = list(self._read(window, self.bundle.user_prefix, runs=1))
            projected = self._project(np.stack([vector for _, vector in read]))
            found.update(zip((text for text, _ in read), projected, strict=True))
        return [found[text] for text in texts]

    def count_tokens(self, text: str) -> int:
        """Return how many tokens `text` has, special tokens included, before any cut."""
        return self._reader.count(text)

    def _project(self, raw: Vector) -> Vector:
        projection = self.bundle.projection
        return raw if projection is None else projection.apply(raw)

    def _window(self, texts: Sequence[str], prefix: str) -> Iterator[tuple[str, Vector]]:
        """Yield each text with its raw vector, from the cache where it is known there."""
        if self._cache is None:
            yield from self._read(texts, prefix)
            return
        prefixed = [prefix + text for text in texts]
        known = self._cache.get_many(cached_as(self.bundle, self._precision), prefixed, self._width)
        unknown = []
        for text, full in zip(texts, prefixed, strict=True):
            if (vector := known.get(full)) is None:
                unknown.append(text)
            else:
                yield text, vector
        fresh = []
        for text, vector in self._read(unknown, prefix):
            fresh.append((prefix + text, vector))
            yield text, vector
        self._cache.add(self._key(fresh))

    def _key(self, read: Sequence[tuple[str, Vector]]) -> pl.DataFrame:
        """Return prefixed texts and their raw vectors as the cache holds them."""
        vectors = np.array([vector for _, vector in read], dtype=np.float32)
        model = cached_as(self.bundle, self._precision)
        return key_vectors(model, [text for text, _ in read], vectors)

    def _read(
        self, texts: Sequence[str], prefix: str, runs: int | None = None
    ) -> Iterator[tuple[str, Vector]]:
        """Yield each text with its raw vector, read by the model; shortest texts first.

        So many batches as `runs` are read beside each other, or as this encoder reads of items.
        """
        if not texts:
            return
        tokens = self._reader.tokenise([prefix + text for text in texts])
        # a tokenizer may drop every character of a text: as good as an empty one
        silent = [text for text, ids in zip(texts, tokens, strict=True) if not ids]
        yield from ((text, np.zeros(self._width, dtype=np.float32)) for text in silent)
        read = [(text, ids) for text, ids in zip(texts, tokens, strict=True) if ids]
        batches = [*token_batches([len(ids) for _, ids in read], self._tokens_per_batch)]

        def run(batch: Sequence[int]) -> Vector:
            return self._run(*self._reader.pad([read[i][1] for i in batch]))

        for batch, vectors in zip(batches, _run_all(run, batches, runs or self._runs), strict=True):
            yield from zip((read[i][0] for i in batch), vectors, strict=True)

    def _run(self, ids: Tokens, mask: Tokens) -> Vector:
        return self._reader.run(ids, mask)

    def _recall(self, texts: Iterable[str]) -> dict[str, Vector]:
        with self._users_lock:
            return {text: self._users[text] for text in texts if text in self._users}

    def _remember(self, vectors: dict[str, Vector]) -> None:
        with self._users_lock:
            for text, vector in vectors.items():
                self._users[text] = vector.copy()  # a row would keep its whole batch alive
                self._users.move_to_end(text)
            while len(self._users) > _REMEMBERED_USERS:
                self._users.popitem(last=False)


def cached_as(bundle: Bundle, precision: str) -> str:
    """Return what the cache knows the vectors of a bundle by: another file, other vectors.

    Parameters
    ----------
    bundle
        A bundle that was loaded or written, so that the digests of its files are known.
    precision
        ``fp32`` or ``int8``.
    """
    # the fingerprint holds what else makes a vector, but an int8 twin can be made in several ways
    return f"{bundle.model_fingerprint}-{bundle.files[TWINS[precision]]}"


def _run_all(
    run: Callable[[Sequence[int]], Vector], batches: Sequence[Sequence[int]], runs: int
) -> Iterator[Vector]:
    """Yield what is read of each batch, in their order; so many are read at once."""
    if runs == 1 or len(batches) == 1:
        yield from map(run, batches)
        return
    with ThreadPoolExecutor(runs, "encode") as pool:
        try:
            yield from pool.map(run, batches)
        finally:
            # whoever stops early waits for what runs, not for what has not begun
            pool.shutdown(cancel_futures=True)


def _places(texts: Sequence[str]) -> dict[str, list[int]]:
    """Return the positions of each distinct text; empty ones are left out."""
    places: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        if text and not text.isspace():
            places.setdefault(text, []).append(position)
    return places
