"""Kill -9 while events are taken in, between any two writes: nothing is lost or counted twice."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from seealso.cluster.node import NodeInfo
from seealso.indexer.events.store import events_name
from tests.integration.catalogues import OpenShop, Shop, films, write_lines
from tests.integration.test_live_events import alike, state
from tests.live import event, forgotten, ingested
from tests.members import FILMS, KEY, built, choices

KILLED = """
import os, signal, sys
from seealso.cluster import Cluster
from seealso.cli.main import main

plain, after, sent = Cluster.request, sys.argv[1], []

def watched(self, method, path, *more, **params):
    answer = plain(self, method, path, *more, **params)
    if path.endswith("/_bulk") or "position-" in path and method == "PUT":
        sent.append(path)
        if len(sent) == int(after):
            os.kill(os.getpid(), signal.SIGKILL)
    return answer

Cluster.request = watched
main(sys.argv[2:])
"""
"""Kills itself behind the n-th write."""

RECORDS = [event(f"ann-{n % 5}" if n % 7 else f"new-{n}", f"f{(11 * n) % 40}", n)
           for n in range(30)]  # fmt: skip
SMALL = {"live": {"batch": 10, "poll_seconds": 0.05}}


@pytest.fixture
def shops(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Iterator[tuple[Shop, Shop]]:
    """Two shops that are alike."""
    made = []
    for _ in range(2):
        shop = open_shop(opensearch_latest.url, events={"time": "day", "type": "kind"}, **SMALL)
        shop.stock(films(FILMS), choices())
        shop.build()
        built(shop)
        made.append(shop)
    yield made[0], made[1]
    for shop in made:
        forgotten(shop)
        for name in shop.cluster.request("GET", f"/_alias/{shop.alias}-users"):
            shop.cluster.request("DELETE", f"/{name}")


def strip_collaborative(shop: Shop) -> dict[str, dict[str, object]]:
    return {key.removeprefix(shop.alias): one for key, one in state(shop).items()}


def run(shop: Shop, *command: str, killed_after: int | None = None) -> str:
    """Run a command in a process of its own; it has to be killed, or to end well."""
    start = ["-m", "seealso"] if killed_after is None else ["-c", KILLED, str(killed_after)]
    done = subprocess.run(
        [sys.executable, *start, *shop.arguments(*command)],
        capture_output=True,
        text=True,
        env=os.environ | {"SEEALSO_USERS_KEY": KEY},
        check=False,
    )
    assert done.returncode == (0 if killed_after is None else -signal.SIGKILL), done.stderr
    return done.stdout


@pytest.mark.slow
def test_killed_between_any_two_writes(shops: tuple[Shop, Shop]) -> None:
    quiet, troubled = shops
    ingested(quiet, RECORDS)
    wanted = strip_collaborative(quiet)
    file = write_lines(troubled.folder / "log.jsonl", RECORDS)
    # the states of items and users; then of each batch of ten: events, items, users, position
    for place in (3, 3, 4, 7):
        run(troubled, "events", "follow", str(file), killed_after=place)
    out = run(troubled, "events", "follow", str(file), "--idle", "0.5", "--json")
    taken = [json.loads(line) for line in out.splitlines()]
    assert sum(one["events"] for one in taken) < len(RECORDS)
    assert alike(wanted, strip_collaborative(troubled))
    # what was left off is known: nothing is read again
    again = run(troubled, "events", "follow", str(file), "--idle", "0.5", "--json")
    assert again == ""
    # and a whole file once more changes nothing
    done = json.loads(run(troubled, "events", "ingest", str(file), "--json"))
    assert (done["written"], done["repeated"], done["users"], done["items"]) == (0, 30, 0, 0)
    assert alike(wanted, strip_collaborative(troubled))
    held = troubled.cluster.request(
        "POST", f"/{events_name(troubled.alias)}/_count", {"query": {"exists": {"field": "user"}}}
    )
    assert held["count"] == len(RECORDS)
