"""What the service counts, for Prometheus: requests by address, and the parts of lists."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seealso.cluster import indices
from seealso.plugin.service.addresses import address
from seealso.plugin.service.middleware import Middleware
from seealso.plugin.serving import Live

BUCKETS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds: lists take 5 to 50 ms."""

SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Variable of prometheus_client: where the numbers of several processes lie."""

WHYS: Final = {
    "OpenSearch does not answer": "unavailable",
    "a part is missing": "part_missing",
    "shards do not answer": "part_missing",
    "vector could not be read": "part_missing",
    "vectors could not be read": "part_missing",
    "deleted meanwhile": "deleted_items",
    "importance alone": "unknown_user",
    "nothing is known about": "unknown_user",
    "of the history have no vector": "unknown_items",
    "of the history has a vector": "unknown_items",
    "words and attributes alone": "no_history",
    "the words are blank": "blank_words",
    "longer than what the model reads": "long_words",
    "have no probability": "no_probability",
    "ranked by the graph": "graph",
    "by rounded vectors": "rounded_vectors",
    "attached in part": "attached_in_part",
    "without neighbours": "no_neighbours",
}
"""Labels of notes by what these say."""


def find_whys(note: str) -> set[str]:
    """Return the labels of what a note says was left out or guessed; none for an empty note."""
    found = {why for text, why in WHYS.items() if text in note}
    # of rules and shares, which have words of their own
    return found or ({"promises"} if note else set())


class Metrics:
    """The numbers of one service.

    Attributes
    ----------
    registry
        Holds all of them.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "seealso_request_seconds",
            "Time from a request to the end of its answer.",
            ("endpoint", "code"),
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._encoding = Histogram(
            "seealso_encode_seconds",
            "Time for profiles: histories read, words encoded.",
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._searching = Histogram(
            "seealso_search_seconds",
            "Time for searches, there and back.",
            registry=self.registry,
            buckets=BUCKETS,
        )
        self._degraded = Counter(
            "seealso_degraded",
            "Lists of which something was left out or guessed, by what.",
            ("why",),
            registry=self.registry,
        )
        self._events = Counter(
            "seealso_events",
            "Events that were sent: written, repeated, or refused.",
            ("outcome",),
            registry=self.registry,
        )

    def count_request(self, endpoint: str, code: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(endpoint, str(code)).observe(seconds)

    def count_search(self, took_ms: Mapping[str, float]) -> None:
        """Count what one request took, however many lists came of it, by its parts.

        A list that was not searched for took nothing, and does not count.
        """
        if not took_ms:
            return
        self._encoding.observe(took_ms.get("profile", 0.0) / 1000)
        searching = took_ms.get("search", 0.0) + took_ms.get("transport", 0.0)
        self._searching.observe(searching / 1000)

    def count_list(self, note: str) -> None:
        """Count a list, if something was left out of it or guessed."""
        for why in find_whys(note):
            self._degraded.labels(why).inc()

    def count_events(self, **outcomes: int) -> None:
        """Count events by what became of them."""
        for outcome, count in outcomes.items():
            self._events.labels(outcome).inc(count)

    def render(self, live: Live, *beside: Collector) -> bytes:
        """Return all numbers in the text format of Prometheus: those of all workers together.

        Parameters
        ----------
        live
            What answers.
        beside
            Other numbers that every worker knows.
        """
        described = CollectorRegistry()
        for one in (_DescribedIndex(live), *beside):
            described.register(one)
        counted = self.registry
        if SHARED_FOLDER in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        return generate_latest(counted) + generate_latest(described)


class _DescribedIndex(Collector):
    """The numbers of the index that answers: every worker knows them."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers."""
        bundle = GaugeMetricFamily(
            "seealso_bundle_info",
            "The index that answers, and its bundle.",
            labels=("index", "bundle"),
        )
        bundle.add_metric((self._live.name, self._live.fingerprint), 1)
        yield bundle
        since = self._live.meta.get("live_since")
        if since is not None:
            age = datetime.now(UTC) - indices.read_timestamp(since)
            yield GaugeMetricFamily(
                "seealso_index_age_seconds", "Time since the index went live.", age.total_seconds()
            )


class CountRequests(Middleware):
    """Counts every request by its address, not by what callers put in it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        super().__init__(app)
        self._metrics = metrics

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and count it once it is answered."""
        started, status = perf_counter(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        finally:
            self._metrics.count_request(address.get(), status, perf_counter() - started)
