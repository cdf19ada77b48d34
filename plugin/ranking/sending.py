"""Sends the searches of a question to the index that it is made for."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final, Protocol

from seealso.cluster import Cluster
from seealso.errors import ClusterError
from seealso.indexer.graph import EXPENSIVE
from seealso.plugin.latency import Stopwatch
from seealso.plugin.ranking.answers import FITTING, REFUSED, Response
from seealso.plugin.ranking.searches import Search
from seealso.plugin.serving import Live, ScriptsRefused
from seealso.query_templates import msearch

AT_ONCE: Final = 4_000_000
"""Bytes of one request: a gateway in front of the cluster may take no more than some megabytes."""

TOO_LARGE: Final = "the request is larger than"
"""In the error of a request that a gateway, or OpenSearch, does not take."""

SMALLER: Final = (
    "raise that limit (http.max_content_length, client_max_body_size), or ask for fewer members, "
    'or with groups.seen = "everyone"'
)
"""What to do about one search that is too large: those of several users are sent apart."""

SCORES: Final = {"include_named_queries_score": "true"}
"""Query parameters of searches that return the scores of their named queries."""

SCORED_AT_ONCE: Final = 4
"""Most of these that are on their way together."""


class Sender(Protocol):
    """Sends searches, and books the time that they take."""

    def __call__(self, searches: Sequence[Search], watch: Stopwatch) -> Sequence[Response]:
        """Return the response to each of `searches`."""


def send_at_once(
    cluster: Cluster, live: Live, searches: Sequence[Search], watch: Stopwatch
) -> list[Response]:
    """Return the response to each of `searches`, sent together as far as one request takes them.

    Raises
    ------
    ScriptsRefused
        The cluster runs no scripts in searches.
    ClusterError
        OpenSearch does not answer, or refuses the request; that of one search is in its response.
    """
    found: list[Response] = []
    rendered = [msearch(live.name, [one.body()], one.header) for one in searches]
    watch.cut("rendering")
    for lines in _batches(rendered):
        answer = _request(cluster, "/_msearch", lines, {})
        watch.cut_in_two("search", answer["took"], "transport")
        found += answer["responses"]
    return found


def send_scored(
    cluster: Cluster, live: Live, searches: Sequence[Search], watch: Stopwatch
) -> list[Response]:
    """Return the response to each of `searches`, with the scores of named queries.

    ``_msearch`` does not return those, so each search is a request of its own; several are sent at
    the same time.

    Raises
    ------
    ScriptsRefused, ClusterError
        As for `send_at_once`.
    """
    bodies = [one.body() for one in searches]
    watch.cut("rendering")
    address = f"/{live.name}/_search"

    def send(search: Search, body: bytes) -> Response:
        return _request(cluster, address, body, {**SCORES, **search.header})

    if len(searches) == 1:
        found = [send(searches[0], bodies[0])]
    else:
        # each thread knows which request it is for
        contexts = [copy_context() for _ in searches]
        with ThreadPoolExecutor(SCORED_AT_ONCE) as pool:
            sent = pool.map(lambda known, *one: known.run(send, *one), contexts, searches, bodies)
            found = list(sent)
    watch.cut_in_two("search", max(one["took"] for one in found), "transport")
    return found


def send_body(cluster: Cluster, live: Live, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a search body of anyone's, whole.

    Raises
    ------
    ScriptsRefused, ClusterError
        As for `send_at_once`.
    """
    try:
        answer: dict[str, Any] = cluster.request("POST", f"/{live.name}/_search", body)
    except ClusterError as exc:
        raise _named(exc) from exc
    return answer


def _batches(rendered: Sequence[bytes]) -> Iterator[bytes]:
    """Yield lines for one request after the other, none much larger than `AT_ONCE`."""
    some: list[bytes] = []
    for lines in rendered:
        if some and sum(map(len, some)) + len(lines) > AT_ONCE:
            yield b"".join(some)
            some = []
        some.append(lines)
    if some:
        yield b"".join(some)


def _request(cluster: Cluster, path: str, body: bytes, params: Mapping[str, str]) -> Response:
    try:
        answer: Response = cluster.request("POST", path, body, params)
    except ClusterError as exc:
        if len(body) > AT_ONCE and TOO_LARGE in exc.message:
            exc.hint = f"{len(body) / 1e6:.0f} MB, most of it ids of items to leave out: {SMALLER}"
        # what cannot be parsed makes OpenSearch refuse the whole request
        if not exc.hint:
            exc.hint, exc.caller_hint = REFUSED, FITTING
        raise _named(exc) from exc
    return answer


def _named(exc: ClusterError) -> ClusterError:
    return ScriptsRefused(exc.message) if EXPENSIVE in exc.message else exc
