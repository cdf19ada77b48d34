"""One writer at a time: locks that hold across hosts, and are free when their holder is gone."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from seealso.cluster import Cluster, hold, indices, locks
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError
from seealso.indexer import build as building
from seealso.indexer import lifecycle
from tests.faults import lose_an_answer
from tests.integration.catalogues import OpenShop, Shop, films

HOLDER = """
import sys, time
from seealso.cluster import Cluster, hold
with hold(Cluster(sys.argv[1]), sys.argv[2], "build", "-"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def cluster(opensearch: NodeInfo) -> Iterator[Cluster]:
    cluster = Cluster(opensearch.url, retries=1)
    yield cluster
    cluster.close()


@pytest.fixture
def alias(cluster: Cluster, index_name: str) -> Iterator[str]:
    """An alias whose locks go in the end."""
    yield index_name
    indices.delete(cluster, locks.lock_index_name(index_name))


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become tenths."""
    monkeypatch.setattr(locks, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(locks, "EXPIRES_S", 2.0)
    monkeypatch.setattr(locks, "LOOK_S", 0.05)


def from_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the files that tell whether a process of this host is alive."""
    monkeypatch.setattr(locks, "_life_file", lambda token: Path("/nowhere") / token)


def hold_briefly(cluster: Cluster, alias: str) -> None:
    with hold(cluster, alias, "build", "somebody builds"):
        pass


def test_one_holds_it_and_then_the_other(cluster: Cluster, alias: str) -> None:
    with hold(cluster, alias, "build", "somebody builds") as lock:
        with pytest.raises(ClusterError, match=f"{alias}: somebody builds") as caught:
            hold_briefly(cluster, alias)
        assert "process" in str(caught.value.hint)
        with hold(cluster, alias, "users", "another lock is not held by this"):
            pass
        lock.require()
    hold_briefly(cluster, alias)


def test_no_file_stays_whatever_happens(
    cluster: Cluster, alias: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def fail() -> None:
        with hold(cluster, alias, "build", "somebody builds"):
            assert len([*tmp_path.iterdir()]) == 1
            with pytest.raises(ClusterError, match="somebody builds"):
                hold_briefly(cluster, alias)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert [*tmp_path.iterdir()] == []


def test_of_many_one_gets_it(cluster: Cluster, alias: str) -> None:
    inside, most = [0], [0]

    def enter(_: int) -> bool:
        try:
            with hold(cluster, alias, "build", "-"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.2)
                inside[0] -= 1
        except ClusterError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        entered = list(pool.map(enter, range(8)))
    assert most == [1]
    assert any(entered)


def test_a_stopped_process_of_this_host_keeps_its_lock_and_a_killed_one_does_not(
    cluster: Cluster, alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", HOLDER, cluster.url, alias]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ClusterError):
            hold_briefly(cluster, alias)
        holder.send_signal(signal.SIGSTOP)
        monkeypatch.setattr(locks, "HEARTBEAT_S", 0.2)
        time.sleep(1)
        with pytest.raises(ClusterError) as refused:
            hold_briefly(cluster, alias)
        told = rf"it has been asleep for \d+ s: continue or kill process {holder.pid} on this host"
        assert re.fullmatch(told, refused.value.hint or "")
        holder.send_signal(signal.SIGKILL)
    started = time.monotonic()
    hold_briefly(cluster, alias)
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("brisk")
def test_on_another_host_it_is_free_when_it_has_stood_still(
    cluster: Cluster, alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(locks.Lock, "beat", lambda *_: None)
        with hold(cluster, alias, "build", "-") as dead:
            from_another_host(patched)
            started = time.monotonic()
            taken = locks.Lock(cluster, alias, "build")
            taken.take("-")
            assert 1.9 < time.monotonic() - started < 10
            # who stood still notices before it does what only the holder may do
            with pytest.raises(ClusterError, match="was paused for so long"):
                dead.require()
            taken.require()
            taken.release()
    hold_briefly(cluster, alias)


@pytest.mark.usefixtures("brisk")
def test_on_another_host_signs_of_life_are_seen(
    cluster: Cluster, alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold(cluster, alias, "build", "-") as lock:
        from_another_host(monkeypatch)
        with pytest.raises(ClusterError, match="somebody builds"):
            locks.Lock(cluster, alias, "build").take("somebody builds")
        lock.require()


@pytest.mark.parametrize("after", [0, 1, 2])
def test_lost_answers_lose_no_lock(
    opensearch_latest: NodeInfo, index_name: str, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    cluster = Cluster(opensearch_latest.url, retries=1)
    asked = lose_an_answer(monkeypatch, "PUT", "/_doc/build", after=after)
    with hold(cluster, index_name, "build", "-") as lock:
        lock.require()
    hold_briefly(cluster, index_name)
    indices.delete(cluster, locks.lock_index_name(index_name))
    assert len(asked) >= 5


def test_the_index_for_locks_is_met_by_no_wildcard(cluster: Cluster, alias: str) -> None:
    hold_briefly(cluster, alias)
    assert cluster.request("GET", f"/{alias}-*") == {}
    assert cluster.exists(f"/{locks.lock_index_name(alias)}")


def test_a_name_that_is_somebody_elses_is_left_alone(cluster: Cluster, alias: str) -> None:
    name = locks.lock_index_name(alias)
    indices.create(cluster, name, {})
    with pytest.raises(ClusterError, match=f"{name}: .* was not made by seealso"):
        hold_briefly(cluster, alias)
    assert cluster.request("GET", f"/{name}/_count")["count"] == 0


@pytest.mark.parametrize("kind", ["_index_template", "_template"])
def test_templates_of_others_change_nothing(
    cluster: Cluster, alias: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the alias point to the index for locks for a moment."""
    given = {
        "aliases": {alias: {}},
        "settings": {"index": {"default_pipeline": "no-such-pipeline"}},
        "mappings": {"_source": {"enabled": False}, "dynamic": "strict"},
    }
    more = {"template": given} if kind == "_index_template" else given
    cluster.request("PUT", f"/{kind}/{alias}", {"index_patterns": [f"{alias}-*"], **more})
    plain, seen = Cluster._send, []

    def look(self: Cluster, method: str, path: str, *rest: Any) -> Any:
        answer = plain(self, method, path, *rest)
        if (method, path) == ("PUT", f"/{locks.lock_index_name(alias)}"):
            seen.append(indices.resolve_alias(self, alias))
        return answer

    monkeypatch.setattr(Cluster, "_send", look)
    try:
        with hold(cluster, alias, "build", "-"), pytest.raises(ClusterError):
            hold_briefly(cluster, alias)
        assert seen == [[]]
        assert indices.resolve_alias(cluster, alias) == []
    finally:
        cluster.request("DELETE", f"/{kind}/{alias}")
    left = cluster.request("GET", "/_index_template")["index_templates"]
    assert f"seealso-{locks.lock_index_name(alias)}" not in [one["name"] for one in left]


@pytest.mark.alone
def test_indices_that_are_not_created_by_themselves(cluster: Cluster, alias: str) -> None:
    flag = "action.auto_create_index"
    cluster.request("PUT", "/_cluster/settings", {"transient": {flag: "false"}})
    try:
        hold_briefly(cluster, alias)
    finally:
        cluster.request("PUT", "/_cluster/settings", {"transient": {flag: None}})


# --- what holds it --------------------------------------------------------------------------------


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Shop:
    """A shop with two indices, of which the second is live."""
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(30))
    shop.build()
    shop.build()
    return shop


def test_another_host_cannot_clear_what_a_build_writes(
    shop: Shop, open_shop: OpenShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = open_shop(shop.url)
    there.alias = shop.alias
    there.stock(films(31))
    plain, said = building.write_catalogue, []

    def meanwhile(*arguments: object, **more: object) -> object:
        for act in (
            there.build,
            lambda: lifecycle.rollback(there.cluster, there.alias),
            lambda: lifecycle.swap(there.cluster, there.alias, shop.names[0]),
            lambda: lifecycle.prune(there.cluster, there.alias, 1),
        ):
            with pytest.raises(ClusterError, match="another build or update is running") as caught:
                act()
            said.append(caught.value.message)
        return plain(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(building, "write_catalogue", meanwhile)
    report = shop.build()
    assert len(said) == 4
    assert shop.live == report.index == shop.names[-1]
    assert indices.count(shop.cluster, shop.alias) == 30


def test_what_went_live_meanwhile_is_not_deleted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever moves the alias by hand takes no lock."""
    first = shop.names[0]
    plain = lifecycle.find_prunable

    def late(*arguments: object) -> object:
        found = plain(*arguments)  # type: ignore[arg-type]
        indices.point_alias(shop.cluster, shop.alias, first)
        return found

    monkeypatch.setattr(lifecycle, "find_prunable", late)
    assert lifecycle.prune(shop.cluster, shop.alias, 1) == []
    assert shop.live == first


def test_a_build_that_was_overtaken_moves_no_alias(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.live
    finish = indices.finish_loading

    def overtaken(*arguments: object, **more: object) -> None:
        finish(*arguments, **more)  # type: ignore[arg-type]
        taken = locks.Lock(shop.cluster, shop.alias, "build")
        found = taken._read()
        assert taken._write(locks._version_of(found))

    monkeypatch.setattr(indices, "finish_loading", overtaken)
    with pytest.raises(ClusterError, match="was paused for so long"):
        shop.build()
    assert shop.live == before


# --- moves of the alias ---------------------------------------------------------------------------


def test_a_move_whose_answer_was_lost_is_no_failure(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_an_answer(monkeypatch, "POST", "/_aliases")
    report = shop.build()
    assert shop.live == report.index
    assert indices.meta(shop.cluster, report.index)["live_since"]


def test_two_moves_at_once_leave_one_index_behind_the_alias(
    opensearch: NodeInfo, index_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(opensearch.url, retries=1)
    names = [f"{index_name}-{n}" for n in range(3)]
    for name in names:
        indices.create(cluster, name, {})
    indices.point_alias(cluster, index_name, names[0])
    plain, armed = indices.act_on_aliases, [True]

    def meanwhile(*arguments: object) -> None:
        if armed:
            armed.pop()
            indices.point_alias(cluster, index_name, names[1])
        plain(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(indices, "act_on_aliases", meanwhile)
        with pytest.raises(ClusterError, match=f"{index_name}: the alias could not be moved"):
            indices.point_alias(cluster, index_name, names[2])
    assert indices.resolve_alias(cluster, index_name) == [names[1]]
    for name in names:
        indices.delete(cluster, name)
