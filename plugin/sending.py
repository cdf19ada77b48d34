"""Sends the searches of a question and makes sure that one index answered all of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from seealso.cluster import Cluster
from seealso.errors import ClusterError
from seealso.plugin import answers
from seealso.plugin.latency import Stopwatch
from seealso.plugin.live import AliasMoved, Live
from seealso.plugin.requests import Search
from seealso.query_templates import msearch


def send(
    cluster: Cluster, live: Live, searches: Sequence[Search], watch: Stopwatch
) -> list[Mapping[str, Any]]:
    """Return the response to each of `searches`, all sent in one request.

    Raises
    ------
    AliasMoved
        Another index than the live one answered.
    ClusterError
        OpenSearch does not answer or refuses.
    """
    body = msearch(live.address, [search.body() for search in searches])
    watch.cut("rendering")
    answer = _answer(cluster, "/_msearch", body, {}, watch)
    responses: list[Mapping[str, Any]] = answer["responses"]
    for response in responses:
        _check(answers.hits_of(response), live)
    return responses


def send_one(
    cluster: Cluster, live: Live, search: Search, watch: Stopwatch, params: Mapping[str, str]
) -> list[answers.Hit]:
    """Return the hits of one search, sent with query parameters that ``_msearch`` lacks.

    Raises
    ------
    AliasMoved, ClusterError
        As for `send`.
    """
    body = search.body()
    watch.cut("rendering")
    answer = _answer(cluster, f"/{live.address}/_search", body, params, watch)
    hits = answers.hits_of(answer)
    _check(hits, live)
    return hits


def send_body(cluster: Cluster, live: Live, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a search body of anyone's, whole.

    Raises
    ------
    AliasMoved, ClusterError
        As for `send`.
    """
    answer: dict[str, Any] = cluster.request("POST", f"/{live.address}/_search", body)
    _check(answer["hits"]["hits"], live)
    return answer


def _answer(
    cluster: Cluster, path: str, body: bytes, params: Mapping[str, str], watch: Stopwatch
) -> Mapping[str, Any]:
    try:
        answer: Mapping[str, Any] = cluster.request("POST", path, body, params)
    except ClusterError as exc:
        # what cannot be parsed makes OpenSearch refuse the whole request
        exc.hint = exc.hint or answers.REFUSED
        raise
    watch.cut_in_two("search", answer["took"], "transport")
    return answer


def _check(hits: Sequence[answers.Hit], live: Live) -> None:
    if answers.index_names(hits) - {live.name}:
        raise AliasMoved
