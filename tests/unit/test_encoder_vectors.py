"""The encoder: golden numbers, order, duplicates, batches, the cache, users, bounded memory."""

import multiprocessing
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seealso.config import TextSettings
from seealso.encoder import Bundle, BundleStore, Encoder, VectorCache, bind, fit_projection
from seealso.encoder.encoder import cached_as
from seealso.encoder.reader import Tokens, token_batches
from seealso.errors import ConfigError
from seealso.types import Vector

# first five numbers of SentenceTransformer.encode(normalize_embeddings=True)
GOLDEN = {
    "Toy Story (1995)": [-0.08283506, 0.05303043, 0.05357653, -0.0279354, 0.0161338],
    "A wireless mouse with six buttons.": [
        -0.06215903,
        -0.01040459,
        -0.04166215,
        -0.05248842,
        -0.02391372,
    ],
    "无线鼠标": [0.05180632, 0.05501929, 0.05781948, 0.01012383, 0.00319446],
}
TITLES = [
    "Toy Story (1995)",
    "Heat",
    "A wireless mouse with six buttons, adjustable weight and a braided cable of two metres.",
    "Sudden Death (1995)",
    "Up",
    "The Assassination of Jesse James by the Coward Robert Ford (2007), a western drama",
]


class CountingEncoder(Encoder):
    """Counts what goes through the model."""

    runs = 0
    texts = 0

    def _run(self, ids: Tokens, mask: Tokens) -> Vector:
        self.runs += 1
        self.texts += len(ids)
        return super()._run(ids, mask)


@pytest.mark.parametrize("text", GOLDEN)
def test_minilm_gives_its_golden_numbers(minilm: Bundle, text: str) -> None:
    found = Encoder(minilm).encode_items([text])[0]
    np.testing.assert_allclose(found[:5], GOLDEN[text], atol=1e-5)


def test_int8_stays_close_to_fp32_on_titles(minilm: Bundle) -> None:
    full, small = (Encoder(minilm, precision=p).encode_items(TITLES) for p in ("fp32", "int8"))
    assert (full * small).sum(axis=1).mean() >= 0.98


def test_rows_have_unit_length_and_their_order(tiny: Bundle) -> None:
    encoder = Encoder(tiny)
    together = encoder.encode_items(TITLES)
    assert together.shape == (len(TITLES), 128)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    search_coordinates = np.vstack([encoder.encode_items([text]) for text in TITLES])
    np.testing.assert_allclose(together, search_coordinates, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_items(TITLES[::-1]), together[::-1], atol=1e-5)


def test_the_size_of_batches_changes_nothing(tiny: Bundle) -> None:
    small = CountingEncoder(tiny, tokens_per_batch=64)
    large = CountingEncoder(tiny)
    np.testing.assert_allclose(small.encode_items(TITLES), large.encode_items(TITLES), atol=1e-5)
    assert small.runs > large.runs == 1


def test_duplicates_are_read_once(tiny: Bundle) -> None:
    encoder = CountingEncoder(tiny)
    vectors = encoder.encode_items(["Heat", "Up", "Heat", "Heat", "Up"])
    assert encoder.texts == 2
    np.testing.assert_array_equal(vectors[[2, 3, 4]], vectors[[0, 0, 1]])


def test_empty_texts_are_zero_rows(tiny: Bundle) -> None:
    encoder = CountingEncoder(tiny)
    vectors = encoder.encode_items(["", "Heat", " \t\n"])
    assert vectors.any(axis=1).tolist() == [False, True, False]
    assert encoder.encode_users(["", " "]).any() == np.False_
    assert encoder.encode_items([]).shape == (0, 128)
    assert encoder.encode_users([]).shape == (0, 128)
    assert encoder.texts == 1


def test_ticks_add_up_to_the_texts(tiny: Bundle) -> None:
    ticks: list[int] = []
    Encoder(tiny).encode_items(["Heat", "", "Up", "Heat"], tick=ticks.append)
    assert sum(ticks) == 4


def test_text_beyond_the_length_is_not_read(tiny: Bundle) -> None:
    encoder = Encoder(replace(tiny, max_length=8))
    long = "one two three four five six " + "seven " * 500
    np.testing.assert_allclose(
        encoder.encode_items([long]),
        encoder.encode_items(["one two three four five six"]),
        atol=1e-5,
    )
    assert encoder.count_tokens("one two three") == 5
    assert encoder.count_tokens("seven " * 500) == 502


def test_half_a_surrogate_pair_is_only_a_strange_character(tiny: Bundle) -> None:
    assert Encoder(tiny).encode_items(["broken \ud83d emoji"]).any()


def test_prefixes_are_read_but_not_for_empty_texts(tiny: Bundle) -> None:
    plain = Encoder(tiny)
    prefixed = Encoder(replace(tiny, item_prefix="passage: ", user_prefix="query: "))
    np.testing.assert_allclose(
        prefixed.encode_items(["Heat", ""]), plain.encode_items(["passage: Heat", ""]), atol=1e-5
    )
    np.testing.assert_allclose(
        prefixed.encode_users(["Heat"]), plain.encode_users(["query: Heat"]), atol=1e-5
    )


def test_the_projection_is_applied_to_items_and_users(tiny: Bundle, tmp_path: Path) -> None:
    raw = Encoder(tiny).raw_items(TITLES)
    fitted = fit_projection(raw, whiten=True, dimension=4)
    bound = bind(tiny, text=TextSettings(), projection=fitted, store=BundleStore(tmp_path))
    encoder = Encoder(bound)
    assert encoder.dimension == 4
    np.testing.assert_allclose(encoder.encode_items(TITLES), fitted.apply(raw), atol=1e-4)
    np.testing.assert_allclose(encoder.encode_users(TITLES), fitted.apply(raw), atol=1e-4)
    np.testing.assert_allclose(encoder.raw_items(TITLES), raw, atol=1e-5)


def test_known_texts_do_not_go_through_the_model(tiny: Bundle, tmp_path: Path) -> None:
    first = CountingEncoder(tiny, cache=VectorCache(tmp_path / "v.sqlite"))
    vectors = first.encode_items(TITLES)
    second = CountingEncoder(tiny, cache=VectorCache(tmp_path / "v.sqlite"))
    np.testing.assert_array_equal(second.encode_items(TITLES), vectors)
    assert (first.texts, second.texts) == (len(TITLES), 0)
    second.encode_items([*TITLES, "Jumanji (1995)"])
    assert second.texts == 1


def test_a_new_projection_needs_no_encoding(tiny: Bundle, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "v.sqlite")
    fitted = fit_projection(Encoder(tiny, cache=cache).raw_items(TITLES), whiten=True, dimension=3)
    bound = bind(tiny, text=TextSettings(), projection=fitted, store=BundleStore(tmp_path))
    encoder = CountingEncoder(bound, cache=cache)
    assert encoder.encode_items(TITLES).shape == (len(TITLES), 3)
    assert encoder.runs == 0


def test_precision_model_and_prefix_have_entries_of_their_own(
    tiny: Bundle, minilm: Bundle, tmp_path: Path
) -> None:
    cache = VectorCache(tmp_path / "v.sqlite")
    for bundle, precision in ((tiny, "fp32"), (tiny, "int8"), (minilm, "fp32")):
        encoder = CountingEncoder(bundle, precision=precision, cache=cache)
        encoder.encode_items(["Heat"])
        assert encoder.texts == 1
    prefixed = CountingEncoder(replace(tiny, item_prefix="passage: "), cache=cache)
    prefixed.encode_items(["Heat"])
    assert prefixed.texts == 1


def test_users_are_remembered_in_memory_and_never_on_disk(tiny: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "v.sqlite"
    encoder = CountingEncoder(tiny, cache=VectorCache(file))
    first = encoder.encode_users(["I like old films"])
    np.testing.assert_array_equal(encoder.encode_users(["I like old films"]), first)
    assert encoder.texts == 1
    known = VectorCache(file).get_many(cached_as(tiny, "fp32"), ["I like old films"], 128)
    assert known == {}


def test_only_the_newest_users_are_remembered(tiny: Bundle) -> None:
    encoder = CountingEncoder(tiny)
    encoder.encode_users([f"user {n}" for n in range(1030)])
    encoder.encode_users(["user 0"])
    assert encoder.texts == 1031
    encoder.encode_users(["user 1029"])
    assert encoder.texts == 1031


def test_threads_share_an_encoder_and_a_cache(tiny: Bundle, tmp_path: Path) -> None:
    encoder = Encoder(tiny, cache=VectorCache(tmp_path / "v.sqlite"))
    expected = Encoder(tiny).encode_items(TITLES)
    found: list[Vector] = []
    threads = [
        threading.Thread(target=lambda: found.append(encoder.encode_items(TITLES)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for vectors in found:
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def write_vectors(file: Path, worker: int) -> None:
    cache = VectorCache(file)
    for n in range(20):
        cache.put_many("m", [f"{worker}-{n}"], np.full((1, 4), worker, dtype=np.float32))


def test_processes_share_a_cache(tmp_path: Path) -> None:
    file = tmp_path / "v.sqlite"
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=write_vectors, args=(file, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    texts = [f"{worker}-{n}" for worker in range(3) for n in range(20)]
    known = VectorCache(file).get_many("m", texts, 4)
    assert {text: vector[0] for text, vector in known.items()} == {
        text: float(text[0]) for text in texts
    }


def test_a_file_that_is_no_cache_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be mistaken for one " * 20)
    with pytest.raises(ConfigError, match=r"notes\.txt: not usable as vector cache"):
        VectorCache(file)


def test_entries_of_another_length_are_ignored(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "v.sqlite")
    cache.put_many("m", ["Heat"], np.ones((1, 3), dtype=np.float32))
    assert cache.get_many("m", ["Heat"], 4) == {}
    assert cache.get_many("m", ["Heat"], 3)["Heat"].tolist() == [1, 1, 1]


def test_a_stream_holds_one_batch_at_a_time(tiny: Bundle) -> None:
    encoder = Encoder(tiny)
    given = 0

    def batches() -> Iterator[list[str]]:
        nonlocal given
        for start in range(0, 60_000, 1000):
            given += 1
            # few distinct texts, so that the model has little to do
            yield [f"film {n % 7}" for n in range(start, start + 1000)]

    stream = map(encoder.encode_items, batches())
    next(stream)
    assert given == 1
    tracemalloc.start()
    texts = sum(len(vectors) for vectors in stream)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert texts == 59_000
    assert peak < 6_000_000 < texts * 128 * 4  # all rows at once would be 30 MB


def test_an_unknown_precision_is_refused(tiny: Bundle) -> None:
    with pytest.raises(ConfigError, match=r"encoder\.precision: 'fp8'"):
        Encoder(tiny, precision="fp8")


def test_token_batches_keep_the_budget_and_every_text() -> None:
    lengths = [3, 100, 5, 5, 64, 300, 1, 7]
    batches = list(token_batches(lengths, 128))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) * max(lengths[place] for place in batch) <= 128 or len(batch) == 1


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_shared_model_gives_the_same_numbers(
    tiny: Bundle, tmp_path: Path, precision: str
) -> None:
    own = Encoder(tiny, precision=precision).encode_users(TITLES)
    for _ in range(2):  # made, and found
        shared = Encoder(tiny, precision=precision, shared=tmp_path).encode_users(TITLES)
        np.testing.assert_array_equal(own, shared)
    (packed,) = tmp_path.iterdir()
    assert (packed / "weights").stat().st_size > 0


def test_weights_of_a_shared_model_are_in_memory_once(minilm: Bundle, tmp_path: Path) -> None:
    Encoder(minilm, shared=tmp_path).encode_users(TITLES)
    resident, own = 0, 0
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *values = line.split()
        if not name.endswith(":"):
            inside = bool(values) and values[-1].startswith(str(tmp_path))
        elif inside and name == "Rss:":
            resident += int(values[0])
        elif inside and name == "Anonymous:":
            own += int(values[0])
    assert resident > 20_000  # KiB that any process may map
    assert own == 0


def test_threads_that_encode_at_the_same_time_get_their_own_texts(tiny: Bundle) -> None:
    encoder = Encoder(tiny, threads=1)
    texts = [f"film number {n} of a long evening" for n in range(64)]
    with ThreadPoolExecutor(16) as pool:
        found = np.vstack(list(pool.map(lambda text: encoder.encode_users([text]), texts)))
    np.testing.assert_allclose(found, Encoder(tiny).encode_items(texts), atol=1e-5)
