"""Texts that other engines encode, Ray and Spark: the index is the one that a local build makes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import polars as pl
import psutil
import pytest
from filelock import FileLock

from seealso import api
from seealso.cluster.node import NodeInfo
from seealso.config import Settings, load_settings
from seealso.config.indexing import EncoderSettings
from seealso.config.inputs import CatalogueSettings
from seealso.encoder import Bundle, VectorCache, find_serving_bundle, read_keyed
from seealso.encoder.reader import cores
from seealso.errors import ConfigError, DataError, MissingExtraError, SeeAlsoError
from seealso.indexer.ahead import load_vectors
from seealso.indexer.batches import TextEncoder
from seealso.indexer.on_ray import Worker, encode_on_ray, find_reason
from seealso.indexer.ray_session import require_ray, start_ray
from tests.bundles import ROOT
from tests.integration.catalogues import OpenShop, Record, Shop, films, write_lines

# Ray warns of its own settings
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.data.context")

ITEMS = 120
AT_ONCE = 8


@pytest.fixture(scope="module")
def two_workers() -> Iterator[None]:
    """Ray, with two workers: it is started once."""
    require_ray()
    with start_ray(1) as workers:
        assert workers == cores()
        yield


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Shop:
    return open_shop(opensearch_latest.url)


def stored(shop: Shop) -> dict[str, Record]:
    """Return the documents of the live index, but for when and with what they were written.

    A vector differs in its last bits by the batch that its text was read in, and so do the
    projection that is fitted on it and the digests that name that.
    """
    found = shop.documents(*(f"f{n}" for n in range(ITEMS + 10)))
    return {key: {**one, "updated_at": None, "digest": None} for key, one in found.items()}


def in_parts(shop: Shop, items: list[Record]) -> dict[str, Any]:
    """Write the catalogue as a folder of Parquet files, and return what names it."""
    folder = shop.folder / "parts"
    folder.mkdir()
    for n in range(0, len(items), 50):
        pl.DataFrame(items[n : n + 50]).write_parquet(folder / f"part-{n:03}.parquet")
    return {"path": str(folder)}


def encode(shop: Shop) -> None:
    """Encode on Ray, a few texts at a time."""
    settings = shop.settings()
    bundle = find_serving_bundle(settings)
    encode_on_ray(bundle, settings, ITEMS, texts_of_a_batch=AT_ONCE)


def known(shop: Shop) -> int:
    """Return how many vectors the cache has."""
    return len(VectorCache(shop.cache).known().heads)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors each file has had that was taken into the cache."""
    numbers: list[int] = []

    def count(file: Path) -> pl.DataFrame:
        found = read_keyed(file)
        numbers.append(found.height)
        return found

    monkeypatch.setattr("seealso.indexer.on_ray.read_keyed", count)
    return numbers


class Stop(Exception):
    """Ends a build in the middle."""


def raise_stop(*_: object) -> None:
    raise Stop


def refuse(*_: object) -> None:
    raise AssertionError("a text was left to the build")


@pytest.mark.slow
def test_an_index_built_on_ray_is_the_one_built_here(
    two_workers: None, shop: Shop, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    items = films(ITEMS)
    shop.stock(items, [{"user_id": "ann", "item_id": "f3"}])
    shop.build()
    local = stored(shop)
    shop.cache.unlink()
    with monkeypatch.context() as patched:
        patched.setattr("seealso.log.Ticker.__call__", raise_stop)
        with pytest.raises(Stop):
            encode(shop)
    before = known(shop)
    assert 0 < before < ITEMS
    taken.clear()
    with monkeypatch.context() as patched:
        patched.setattr("seealso.encoder.encoder.Encoder._run", refuse)
        report = api.build_index(shop.settings(catalogue=in_parts(shop, items)), engine="ray")
    assert (report.items, report.written) == (ITEMS, ITEMS)
    # what was in the cache, or in a file that the first one left, was not encoded again
    assert sum(taken) == ITEMS - before
    on_ray = stored(shop)
    expected, found = ({key: one.pop("vector") for key, one in every.items()}
                       for every in (local, on_ray))  # fmt: skip
    assert on_ray == local
    for key, vector in expected.items():
        assert found[key] == pytest.approx(vector, abs=1e-5)
    assert not Path(f"{shop.cache}.parts").exists()


@pytest.mark.slow
def test_a_lost_worker_costs_its_batch(
    two_workers: None, shop: Shop, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stock(films(ITEMS))
    killed: list[int] = []

    def kill_one(*_: object) -> None:
        if not killed:
            killed.append(next(one.pid for one in children() if works(one)))
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr("seealso.log.Ticker.__call__", kill_one)
    encode(shop)
    assert not psutil.pid_exists(killed[0])
    assert known(shop) == ITEMS
    assert sum(taken) <= ITEMS + 2 * AT_ONCE


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def works(process: psutil.Process) -> bool:
    try:
        return any("MapWorker" in part for part in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def listening(process: psutil.Process) -> set[str]:
    """Return the addresses that a process listens on."""
    try:
        found = process.net_connections("inet")
    except psutil.NoSuchProcess:
        return set()
    return {one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN}


@pytest.mark.slow
def test_what_a_worker_says_is_said_here(
    two_workers: None, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.stock(films(ITEMS))
    here = TextEncoder.of(shop.bundle, shop.settings())
    elsewhere = replace(here, folder=shop.folder / "elsewhere")
    monkeypatch.setattr(TextEncoder, "of", lambda *_: elsewhere)
    with pytest.raises(SeeAlsoError, match=r"a worker of Ray failed: .*elsewhere") as caught:
        encode(shop)
    assert "run the build again" in str(caught.value.hint)
    assert known(shop) == 0


def test_nobody_else_reaches_the_workers(two_workers: None) -> None:
    found = set().union(*map(listening, (psutil.Process(), *children())))
    assert {address.removeprefix("::ffff:") for address in found} == {"127.0.0.1"}
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_what_ray_cannot_do_is_said_before(tiny: Bundle, tmp_path: Path) -> None:
    uncached = Settings(encoder=EncoderSettings(cache=False))
    with pytest.raises(ConfigError, match="--engine ray needs the cache of vectors"):
        encode_on_ray(tiny, uncached, 1)
    indexed = Settings(
        encoder=EncoderSettings(cache=tmp_path / "v.sqlite"),
        catalogue=CatalogueSettings(index="items"),
    )
    with pytest.raises(ConfigError, match="reads files, and the catalogue is an index"):
        encode_on_ray(tiny, indexed, 1)


def test_texts_that_kill_every_worker_end_the_build(tiny: Bundle, tmp_path: Path) -> None:
    worker = Worker(TextEncoder.of(tiny, Settings(encoder=EncoderSettings(cache=False))), tmp_path)
    batch = pl.DataFrame({"text": ["Heat", "Up"], "texts": [1, 1]}).to_arrow()
    (done,) = worker(batch).to_pylist()
    assert (done["texts"], done["fault"]) == (2, "")
    assert read_keyed(tmp_path / done["part"]).height == 2
    assert [one.name for one in tmp_path.iterdir()] == [done["part"]]
    # as if each of four had died of it
    (tmp_path / f".{done['part']}.lost").write_bytes(b"....")
    (again,) = worker(batch).to_pylist()
    assert again["fault"] == "4 workers died of the same 2 texts"


def test_a_full_disk_is_the_fault_that_a_worker_reports(
    tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        # as polars says it
        raise pl.exceptions.ComputeError("No space left on device (os error 28)")

    worker = Worker(TextEncoder.of(tiny, Settings(encoder=EncoderSettings(cache=False))), tmp_path)
    monkeypatch.setattr(pl.DataFrame, "write_parquet", fill)
    batch = pl.DataFrame({"text": ["Heat", "Up"], "texts": [1, 1]}).to_arrow()
    (done,) = worker(batch).to_pylist()
    assert (done["part"], done["fault"]) == ("", "No space left on device (os error 28)")


def test_the_reason_is_found_in_what_ray_says() -> None:
    page = "\x1b[36mray::MapWorker(pid=1)\x1b[39m\n  File 'x.py', line 3\nKeyError: 'text'\n"
    assert find_reason(page, in_worker=True) == "KeyError: 'text'"
    assert find_reason(page, in_worker=False) == "ray::MapWorker(pid=1)"
    assert find_reason("", in_worker=True) == ""


def test_one_build_at_a_time_encodes_into_a_cache(tiny: Bundle, tmp_path: Path) -> None:
    items = write_lines(tmp_path / "items.jsonl", films(3))
    cache = tmp_path / "v.sqlite"
    settings = Settings(
        encoder=EncoderSettings(cache=cache), catalogue=CatalogueSettings(path=items)
    )
    with (
        FileLock(f"{cache}.parts.lock"),
        pytest.raises(SeeAlsoError, match=r"v\.sqlite: another build encodes on Ray"),
    ):
        encode_on_ray(tiny, settings, 3)


def test_an_engine_that_is_not_there_is_said_before_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for plan in (api.build_index, api.plan_build_index):
        with pytest.raises(ConfigError, match="engine: must be local or ray, not 'spark'"):
            plan(Settings(), engine=cast(Any, "spark"))
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(MissingExtraError, match="ray is not installed") as caught:
        api.build_index(Settings(), engine="ray")
    assert caught.value.hint == "pip install 'seealso[ray]'"


def test_vectors_that_are_none_are_refused(tmp_path: Path) -> None:
    settings = Settings(encoder=EncoderSettings(cache=tmp_path / "v.sqlite"))
    with pytest.raises(DataError, match="no Parquet file in this folder"):
        load_vectors(settings, tmp_path)
    pl.DataFrame({"title": ["Heat"]}).write_parquet(tmp_path / "items.parquet")
    with pytest.raises(DataError, match=r"items\.parquet: holds no vectors of texts: it has the"):
        load_vectors(settings, tmp_path)


SPARK = " ".join(
    (
        "--master local[2]",
        "--conf spark.ui.enabled=false",
        "--conf spark.driver.bindAddress=127.0.0.1",
        "--conf spark.driver.host=127.0.0.1",
        "pyspark-shell",
    )
)


@pytest.mark.slow
def test_texts_that_spark_encoded_are_read_from_its_files(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = films(ITEMS)
    catalogue = {**shop.chosen()["catalogue"], **in_parts(shop, items)}
    config = shop.folder / "seealso.toml"
    chosen = {**shop.chosen(), "catalogue": catalogue}
    config.write_text(
        "".join(
            f"[{section}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items())
            for section, values in chosen.items()
        )
    )
    target = shop.folder / "vectors"
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "spark" / "encode.py"), str(config), str(target)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYSPARK_PYTHON": sys.executable, "PYSPARK_SUBMIT_ARGS": SPARK},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with monkeypatch.context() as patched:
        patched.setattr("seealso.encoder.encoder.Encoder._run", refuse)
        report = api.build_index(load_settings(config), vectors=target)
    assert report.written == ITEMS
    assert report.verification.least_cosine > 0.999
