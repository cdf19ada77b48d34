"""The service under load: 1 to 64 clients, beside the same searches sent straight to OpenSearch.

A process of its own serves, as `seealso serve` does. What it adds to a search is a ratio of medians
in turns; the time for profiles, which a straight search has not, is taken off and stated apart.
While clients ask, the alias moves to and fro, first between two indices of one bundle, then between
indices of several bundles, of which the service can keep two.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

import orjson

from benchmarks.clients import Answers, Target, ask
from benchmarks.films import ALIAS, Stage, film_index
from benchmarks.measure import Figure, Report, figure
from benchmarks.measure import Target as Goal
from benchmarks.node import ROOT
from benchmarks.recommending import HISTORY, REGULARS, Recording, histories
from seealso.cluster import Cluster, indices
from seealso.encoder import BundleStore
from seealso.indexer.binding import bind_to_catalogue
from seealso.log import progress
from seealso.plugin import Recommender

CLIENTS: Final = (1, 4, 16, 64)
WORKERS: Final = 2
ROUNDS: Final = 5
SECONDS: Final = 4.0
"""Of one contender in one round."""
WARM_UP: Final = 20.0
"""Seconds that each contender is asked before."""
QUESTIONS: Final = 2000
"""More than the service remembers the words of: each list with words has some to encode."""
SIZE: Final = 10
SLOWER: Final = 1.3
"""Times that a list may take of what its search takes, the profile beside."""
Pair = tuple[Target, Target]
"""The service, and OpenSearch itself with the searches of the same lists."""
PARTS: Final = {"p50": 0.5, "p99": 0.99}
MOVING: Final = 16
"""Clients who ask while the alias moves."""
MOVES: Final = 12
BUNDLES: Final = 3
"""More than the service keeps, so that each move to the next loads one."""


@contextmanager
def service(stage: Stage, workers: int) -> Iterator[str]:
    """Run ``seealso serve`` in processes of its own; it must end as it should."""
    settings = stage.settings
    chosen = {
        "cluster.url": stage.cluster.url,
        "index.alias": ALIAS,
        "encoder.bundle": settings.encoder.bundle,
        "encoder.store": str(settings.encoder.store),
        "encoder.cache": str(settings.encoder.cache),
        "service.workers": workers,
    }
    changes = [f"{name}={orjson.dumps(value).decode()}" for name, value in chosen.items()]
    options = [part for one in changes for part in ("--set", one)]
    command = [sys.executable, "-m", "seealso", *options, "serve", "--port", "0"]
    log = ROOT / f"service-{workers}.log"
    with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr) as process:
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait(60)
    if "Traceback" in log.read_text():
        raise AssertionError(log.read_text())


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    begun = Event()
    while not begun.wait(0.1):
        written = log.read_text()
        if "listening on " in written:
            return written.split("listening on ")[1].split(",")[0]
        if process.poll() is not None:
            raise AssertionError(written)
    raise AssertionError("unreachable")


def questions(stage: Stage, items: int, *, words: bool) -> list[dict[str, Any]]:
    """Return what is asked: histories of ten items, and words of two titles where they are."""
    draw, titles = histories(items, REGULARS), stage.films.titles
    return [
        {"history": draw(turn), "size": SIZE}
        | ({"words": f"like {titles[turn]}, or {titles[-turn - 1]}"} if words else {})
        for turn in range(QUESTIONS)
    ]


def straight(stage: Stage, asked: Sequence[Mapping[str, Any]]) -> Target:
    """Return the searches that the recommender sends for these lists, for OpenSearch itself."""
    cluster = Recording(stage.cluster.url)
    with Recommender(cluster, stage.settings) as recommender:
        for one in asked:
            recommender.recommend(**one)
    bodies = cluster.searches
    if len(bodies) != len(asked):
        raise AssertionError(f"{len(bodies)} requests for {len(asked)} lists")
    return Target(stage.cluster.url, "/_msearch", "application/x-ndjson", bodies, _check_searches)


def served(address: str, asked: Sequence[Mapping[str, Any]]) -> Target:
    """Return the same lists, for the service."""
    bodies = [orjson.dumps(one) for one in asked]
    return Target(address, "/v1/recommend", "application/json", bodies, _check_list)


def _check_searches(answer: Any) -> float:
    if any(one["status"] != 200 or not one["hits"]["hits"] for one in answer["responses"]):
        raise ValueError(f"no hits: {answer!r:.200}")
    return 0.0


def _check_list(answer: Any) -> float:
    if len(answer["items"]) != SIZE or answer["degraded"]:
        raise ValueError(f"no list: {answer!r:.200}")
    return float(answer["took_ms"]["profile"])


def measure(contenders: Mapping[str, Pair]) -> Iterator[Figure]:
    """Ask all of them in turns, more and more clients at once."""
    # of every contender, since it was warm
    every: dict[str, list[Answers]] = {name: [] for name in contenders}
    with progress("asking", len(CLIENTS) * ROUNDS * len(contenders)) as tick:
        for target in chain.from_iterable(contenders.values()):
            ask(target, CLIENTS[1], _after(WARM_UP))
        for clients in CLIENTS:
            rounds: dict[str, list[tuple[Answers, Answers]]] = {name: [] for name in contenders}
            for turn in range(ROUNDS):
                for name, (ours, theirs) in contenders.items():
                    # which of both is first changes from round to round
                    order = (ours, theirs) if turn % 2 else (theirs, ours)
                    found = {one.url: ask(one, clients, _after(SECONDS)) for one in order}
                    rounds[name].append((found[ours.url], found[theirs.url]))
                    every[name].append(found[ours.url])
                    tick(1)
            for name, some in rounds.items():
                yield from _figures(f"{_many(clients)}, {name}", some)
    for name, answers in every.items():
        yield _errors(f"{name}, of all clients", answers)


def _figures(name: str, rounds: Sequence[tuple[Answers, Answers]]) -> Iterator[Figure]:
    yield figure(
        f"{name}: p50 without the profile, times that of its searches",
        "x",
        [
            (ours.quantile(0.5) - ours.beside_median) / theirs.quantile(0.5)
            for ours, theirs in rounds
        ],
        Goal("at most", SLOWER),
    )
    yield figure(f"{name}: lists a second", "1/s", [ours.rate for ours, _ in rounds])
    for what, share in PARTS.items():
        waited = [ours.quantile(share) * 1000 for ours, _ in rounds]
        yield figure(f"{name}: {what}", "ms", waited)
    profiles = [ours.beside_median * 1000 for ours, _ in rounds]
    yield figure(f"{name}: of that, the profile", "ms", profiles)
    for what, share in PARTS.items():
        waited = [theirs.quantile(share) * 1000 for _, theirs in rounds]
        yield figure(f"{name}: its searches alone, {what}", "ms", waited)


def while_moving(
    target: Target, cluster: Cluster, names: Sequence[str], pause: float, what: str
) -> Iterator[Figure]:
    """Move the alias from one index to the next while clients ask."""
    over = Event()

    def move() -> None:
        try:
            for _, name in zip(range(MOVES), cycle(names), strict=False):
                indices.point_alias(cluster, ALIAS, name)
                over.wait(pause)
        finally:
            over.set()

    mover = Thread(target=move)
    with progress(what):
        mover.start()
        found = ask(target, MOVING, lambda _: over.is_set())
        mover.join()
    yield _errors(f"while {what} {MOVES} times", [found])
    yield figure(f"{_many(MOVING)}, while {what}: lists a second", "1/s", [found.rate])
    for part, share in {**PARTS, "the slowest": 1.0}.items():
        yield figure(f"{_many(MOVING)}, while {what}: {part}", "ms", [found.quantile(share) * 1000])


def copy_index(cluster: Cluster, fingerprint: str) -> str:
    """Return the name of a copy of the live index that is said to be of a bundle.

    Its vectors stay what they are: what is measured is whether lists come, not which.
    """
    name, live = indices.new_name(ALIAS), str(indices.find_live(cluster, ALIAS))
    block = {"index.blocks.write": True}
    cluster.request("PUT", f"/{live}/_settings", block)
    indices.delete(cluster, name)
    body = {"settings": {"index.blocks.write": None}}
    params = {"wait_for_active_shards": "1"}
    cluster.request("POST", f"/{live}/_clone/{name}", body, params)
    cluster.request("PUT", f"/{live}/_settings", {"index.blocks.write": None})
    indices.put_meta(cluster, name, {"fingerprint": fingerprint})
    return name


def bundles(stage: Stage) -> list[str]:
    """Return fingerprints of bundles that are bound to parts of the titles."""
    base = BundleStore(stage.settings.encoder.store).find(stage.settings.encoder.bundle)
    titles = stage.films.titles
    return [
        bind_to_catalogue(base, titles[part:] + titles[: part // 2], stage.settings).fingerprint
        for part in range(1, BUNDLES)
    ]


def _after(seconds: float) -> Callable[[float], bool]:
    return lambda since: since >= seconds


def _many(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


def _errors(name: str, every: Sequence[Answers]) -> Figure:
    errors = [error for one in every for error in one.errors]
    lists = sum(len(one.seconds) for one in every)
    first = f": {errors[0]:.100}" if errors else ""
    return figure(f"errors {name} ({lists:,} lists){first}", "", [len(errors)], Goal("at most", 0))


def run(items: int) -> Report:
    """Measure the service over the small catalogue's number of items."""
    with film_index(items) as stage:
        cluster, fingerprint = stage.cluster, stage.films.bundle.fingerprint
        first = str(indices.find_live(cluster, ALIAS))
        asked = {
            "by history": questions(stage, items, words=False),
            "by history and words": questions(stage, items, words=True),
        }
        figures: list[Figure] = []
        with service(stage, 1) as one, service(stage, WORKERS) as several:
            plain, worded = (straight(stage, each) for each in asked.values())
            target = served(one, asked["by history and words"])
            pairs = {
                "by history": (served(one, asked["by history"]), plain),
                "by history and words": (target, worded),
                f"by history and words, {WORKERS} workers": (
                    served(several, asked["by history and words"]),
                    worded,
                ),
            }
            figures += measure(pairs)
            swapped = [copy_index(cluster, fingerprint), first]
            figures += while_moving(target, cluster, swapped, 1.0, "the alias moves")
            others = [copy_index(cluster, each) for each in bundles(stage)]
            figures += while_moving(target, cluster, [*others, first], 5.0, "bundles are loaded")
    return Report(
        name="load",
        title=f"The service under load, over {items:,} items",
        setting={
            "items": items,
            "history": HISTORY,
            "size": SIZE,
            "questions": QUESTIONS,
            "seconds_a_round": SECONDS,
            "rounds": ROUNDS,
            "clients_run_on": "the same cores",
        },
        machine=stage.machine,
        figures=tuple(figures),
    )
