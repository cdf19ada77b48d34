"""Whoever writes beside whom, and whoever is killed where: the sums are those of a quiet run.

A machine draws what is done (two that take events in, `index importance`, `index update`,
`index build` with its swap, `users update`), what else is done between any two of its requests,
and at which request it is killed. What a killed run left is done again, as its hint says. Then
everything must be what the same events and files give where nothing ever met anything.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import current_thread
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from seealso.cluster import Cluster, indices, scan
from seealso.cluster.node import NodeInfo
from seealso.config import EventSettings
from seealso.errors import ClusterError
from seealso.indexer.build import build
from seealso.indexer.counts import count_events
from seealso.indexer.events.importance import NOTHING, Gain, raise_weight
from seealso.indexer.events.store import events_name
from seealso.indexer.importance import ImportanceTable, fit_importance
from seealso.indexer.inputs import Inputs
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.update import update
from seealso.indexer.users.live import user_indices
from seealso.readers import FileSource, LiveEvent, Problems, read_events
from seealso.readers.live.reader import hash_content
from tests.integration.catalogues import OpenShop, Record, Shop, films
from tests.live import START, event, forgotten, ingester_of
from tests.members import NAMES, built, documents, updated

ITEMS = 8
PEOPLE = 4
POOL = 24
AT_ONCE = 4


def moment(n: int) -> str:
    """Return when event n of the pool was: some within one millisecond, some within a second."""
    step = timedelta(microseconds=300 * (n % 3), seconds=n // 3)
    return (START + step).isoformat()


def pooled(n: int) -> Record:
    return event(f"u{n % 5}", f"f{(3 * n) % ITEMS}", day=moment(n))


def live(n: int) -> LiveEvent:
    one = pooled(n)
    who, when = NAMES.of(one["user_id"]), START.fromisoformat(one["day"])
    key = hash_content(who, one["item_id"], "view", when, 1.0)
    return LiveEvent(key, who, one["item_id"], "view", 1.0, when)


def first() -> list[Record]:
    return [
        event(f"u{user}", f"f{(2 * user + step) % ITEMS}", day=f"2024-01-{step + 1:02}")
        for user in range(PEOPLE)
        for step in range(3)
    ]


class Killed(BaseException):
    """Stands for kill -9: nothing of the process goes on."""


class Interrupted:
    """Watches the requests of one run, lets another run in between, and kills.

    Parameters
    ----------
    patch
        Undoes itself when the run is over.
    at, other
        Before which request what is done.
    killed
        The request that is never sent; None lets the run end.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, at: int, other: Callable[[], None], killed: int | None
    ) -> None:
        self._plain = Cluster._send
        self._at, self._other, self._killed = at, other, killed
        self._sent = 0
        self._within = False
        patch.setattr(Cluster, "_send", lambda *arguments: self._watched(*arguments))

    def _watched(self, *arguments: Any) -> Any:
        # a thread that gives signs of life is no part of what is done
        if not self._within and not current_thread().name.startswith("seealso-lock"):
            self._sent += 1
            if self._sent == self._at:
                self._within = True
                self._other()
                self._within = False
            if self._killed is not None and self._sent >= self._killed:
                raise Killed
        return self._plain(*arguments)


class World(RuleBasedStateMachine):
    """What is done, and what is known of it."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop = shop
        self.file = 0
        self.titles = 0
        self.taken: set[int] = set()
        self.again: list[Callable[[], None]] = []
        self.write_file()
        shop.build()
        built(shop)
        self.counted = self.table()
        self.ingesters = [ingester_of(shop), ingester_of(shop)]

    def teardown(self) -> None:
        try:
            self.check()
        finally:
            forgotten(self.shop)
            self.shop.clear()
            for one in user_indices(self.shop.cluster, self.shop.settings()):
                indices.delete(self.shop.cluster, one.name)

    def write_file(self) -> None:
        """Write catalogue and events: those of the beginning and the first of the pool."""
        stock = films(ITEMS)
        stock[3]["title"] = f"Title {self.titles} of a film"
        self.shop.stock(stock, [*first(), *map(pooled, range(self.file))])

    def table(self) -> ImportanceTable:
        """Return what counting the file gives."""
        columns = EventSettings(path=self.shop.events, time="day", type="kind")
        chosen = self.shop.settings().importance
        frames = read_events(FileSource(self.shop.events), columns, Problems("stop"))
        return fit_importance(count_events(frames, chosen), chosen, [f"f{n}" for n in range(ITEMS)])

    @contextmanager
    def counting(self) -> Iterator[Inputs]:
        """Give inputs, and remember what counting the events gave when they were first read.

        What is done beside may write more of them before the run is over.
        """
        source, tables = self.shop.inputs(), list[ImportanceTable]()

        def events() -> Iterable[pl.DataFrame]:
            tables.append(self.table())
            return source.events()

        yield replace(source, events=events)
        self.counted = tables[0]

    # what can be done

    def ingest(self, which: int, start: int) -> None:
        some = [n % POOL for n in range(start, start + AT_ONCE)]
        self.taken |= {*some}
        self.ingesters[which].ingest([live(n) for n in some])

    def catch_up(self, which: int, _: int) -> None:
        self.ingesters[which].catch_up()

    def importance(self, _: int, more: int) -> None:
        self.grow(more)
        with self.counting() as source:
            refresh_importance(self.shop.cluster, self.shop.settings(), source)

    def update(self, _: int, more: int) -> None:
        self.titles += 1
        self.grow(more)
        update(self.shop.cluster, self.shop.settings(), self.shop.inputs())

    def build(self, _: int, more: int) -> None:
        self.grow(more)
        with self.counting() as source:
            build(self.shop.cluster, self.shop.settings(), source)

    def update_users(self, _: int, __: int) -> None:
        updated(self.shop)

    def grow(self, more: int) -> None:
        self.file = min(self.file + more % 5, POOL)
        self.write_file()

    WHAT = st.sampled_from(["ingest", "ingest", "ingest", "catch_up", "importance", "update",
                            "build", "update_users"])  # fmt: skip
    NUMBER = st.integers(0, POOL)

    @rule(
        what=WHAT, number=NUMBER, at=st.integers(1, 30),
        other=WHAT, other_number=NUMBER, killed=st.none() | st.integers(1, 40),
    )  # fmt: skip
    def happens(
        self, what: str, number: int, at: int, other: str, other_number: int, killed: int | None
    ) -> None:
        """Do something, something else between two of its requests, and kill it at one."""
        outer, inner = getattr(self, what), getattr(self, other)

        def beside() -> None:
            try:
                inner(1, other_number)
            except ClusterError as exc:
                # it does not share the index with the other; it is done later
                if not ("running" in exc.message or "another run" in exc.message):
                    raise
                self.again.append(lambda: inner(1, other_number))

        with pytest.MonkeyPatch.context() as patch:
            Interrupted(patch, at, beside, killed)
            try:
                outer(0, number)
            except Killed:
                self.again.append(lambda: outer(0, number))
        if killed is not None:
            self.ingesters[0] = ingester_of(self.shop)

    def check(self) -> None:
        """Compare with what a quiet run gives."""
        for run in self.again:
            run()
        ingester_of(self.shop).catch_up()
        self.check_items()
        self.check_users()
        name = events_name(self.shop.alias)
        held = {hit["_id"] for hits in scan(self.shop.cluster, name) for hit in hits
                if "item" in hit["_source"]}  # fmt: skip
        assert held == {live(n).event_id for n in self.taken}

    def check_items(self) -> None:
        table = self.counted
        since = START.fromisoformat(table.parameters["as_of"])
        stored = self.shop.documents(*(f"f{n}" for n in range(ITEMS)))
        assert len(stored) == ITEMS
        for item, one in stored.items():
            newer = sum(
                live(n).item_id == item and live(n).time > since for n in sorted(self.taken)
            )
            gain = Gain(newer, float(newer), float(newer)) if newer else NOTHING
            before = table.interactions(item)
            weight = raise_weight(table.weight(item), before, gain, table.parameters)
            assert one["interactions"] == before + newer, item
            assert one["importance"] == pytest.approx(weight, abs=1e-5), item
            assert np.linalg.norm(one["vector"]) == pytest.approx(weight, abs=1e-4), item

    def check_users(self) -> None:
        read = [*first(), *map(pooled, sorted(self.taken))]
        known = documents(self.shop, *(f"u{n}" for n in range(5)))
        for user, one in known.items():
            wanted = {row["item_id"] for row in read if row["user_id"] == user}
            assert wanted <= {*one["seen"]}, user
            assert [entry["item"] for entry in one["history"]] == one["latest"], user
        assert {row["user_id"] for row in read} <= known.keys()


@pytest.fixture
def shop(opensearch_latest: NodeInfo, open_shop: OpenShop) -> Iterator[Shop]:
    return open_shop(
        opensearch_latest.url,
        events={"time": "day", "type": "kind"},
        # of the same model whatever the titles are: the users of one index are those of the next
        encoder={"whiten": False},
        index={"force_merge": False, "verify_sample": 1},
    )


def test_everything_at_once_is_what_a_quiet_run_gives(shop: Shop) -> None:
    run_state_machine_as_test(
        lambda: World(shop),
        settings=settings(
            max_examples=3,
            stateful_step_count=6,
            deadline=None,
            phases=[Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
