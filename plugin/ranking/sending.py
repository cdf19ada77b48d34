"""Sends the searches of a question to the index that it is made for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.errors import ClusterError
from seealso.plugin.latency import Stopwatch
from seealso.plugin.ranking import answers
from seealso.plugin.ranking.searches import Search
from seealso.plugin.serving import EXPENSIVE, Live
from seealso.query_templates import msearch

AT_ONCE: Final = 4_000_000
"""Bytes of one request: a gateway in front of the cluster may take no more than some megabytes."""


def send(
    cluster: Cluster, live: Live, searches: Sequence[Search], watch: Stopwatch
) -> list[Mapping[str, Any]]:
    """Return the response to each of `searches`, sent together as far as one request takes them.

    Raises
    ------
    ScriptsRefused
        The cluster runs no scripts in searches.
    ClusterError
        OpenSearch does not answer, or refuses one of them.
    """
    found: list[Mapping[str, Any]] = []
    rendered = [msearch(live.name, [one.body()], one.header) for one in searches]
    watch.cut("rendering")
    for lines in _together(rendered):
        found += _answer(cluster, "/_msearch", lines, {}, watch)["responses"]
    for response in found:
        answers.hits_of(response)
    return found


def send_one(
    cluster: Cluster, live: Live, search: Search, watch: Stopwatch, params: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return the response to one search, sent with query parameters that ``_msearch`` lacks.

    Raises
    ------
    ScriptsRefused, ClusterError
        As for `send`.
    """
    body = search.body()
    watch.cut("rendering")
    return _answer(cluster, f"/{live.name}/_search", body, {**params, **search.header}, watch)


def send_body(cluster: Cluster, live: Live, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a search body of anyone's, whole.

    Raises
    ------
    ScriptsRefused, ClusterError
        As for `send`.
    """
    try:
        answer: dict[str, Any] = cluster.request("POST", f"/{live.name}/_search", body)
    except ClusterError as exc:
        raise _named(exc) from exc
    return answer


def _together(rendered: Sequence[bytes]) -> Iterator[bytes]:
    """Yield lines for one request after the other, none much larger than `AT_ONCE`."""
    some: list[bytes] = []
    for lines in rendered:
        if some and sum(map(len, some)) + len(lines) > AT_ONCE:
            yield b"".join(some)
            some = []
        some.append(lines)
    if some:
        yield b"".join(some)


def _answer(
    cluster: Cluster, path: str, body: bytes, params: Mapping[str, str], watch: Stopwatch
) -> Mapping[str, Any]:
    try:
        answer: Mapping[str, Any] = cluster.request("POST", path, body, params)
    except ClusterError as exc:
        # what cannot be parsed makes OpenSearch refuse the whole request
        exc.hint = exc.hint or answers.REFUSED
        raise _named(exc) from exc
    watch.cut_in_two("search", answer["took"], "transport")
    return answer


def _named(exc: ClusterError) -> ClusterError:
    return answers.scripts_refused(exc.message) if EXPENSIVE in exc.message else exc
