"""Turns what OpenSearch and its client raise into the errors of seealso, with a cure each."""

from collections.abc import Mapping
from typing import Any

from opensearchpy.exceptions import (
    AuthenticationException,
    AuthorizationException,
    ConnectionTimeout,
    NotFoundError,
    OpenSearchException,
    SSLError,
    TransportError,
)

from seealso.errors import ClusterError, MappingMismatch, Unavailable

BUSY = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may go through a little later."""


def block_cure(reason: str) -> str | None:
    """Return how to lift the block on writing that `reason` speaks of, or None if of none."""
    if "cluster_block_exception" not in reason:
        return None
    if "/cluster read-only" in reason:
        blocks = '{"persistent": {"cluster.blocks.read_only": null}}'
        return f"lift the block: PUT _cluster/settings {blocks}"
    blocks = '{"index.blocks": {"read_only_allow_delete": null, "read_only": null, "write": null}}'
    return f"free disk space or lift the block: PUT INDEX/_settings {blocks}"


def unreachable(url: str, exc: OpenSearchException) -> Unavailable:
    """Name why there was no answer at all."""
    if isinstance(exc, SSLError):
        return Unavailable(
            f"{url}: the TLS certificate is not trusted",
            hint="set cluster.ca_file to the authority that signed it",
            url=url,
        )
    what = "took too long to answer" if isinstance(exc, ConnectionTimeout) else "does not answer"
    return Unavailable(
        f"{url}: OpenSearch {what}",
        hint="start it (`seealso node start`) or set cluster.url",
        url=url,
    )


def meaning(exc: OpenSearchException, url: str, path: str) -> ClusterError:
    """Return the most specific error for a refused request to `path`."""
    index = path.strip("/").split("/")[0]
    reason = _reason(exc)
    if isinstance(exc, AuthenticationException):
        return ClusterError(
            f"{url}: wrong user or password",
            hint="set cluster.username and the environment variable SEEALSO_PASSWORD",
            url=url,
        )
    if cure := block_cure(reason):
        return ClusterError(f"{index}: is read-only: {reason}", hint=cure, index=index)
    if isinstance(exc, AuthorizationException):
        return ClusterError(f"{path}: not allowed: {reason}", hint="check the user's role", url=url)
    if "unknown setting [index.knn]" in reason or (
        "knn_vector" in reason and ("No handler" in reason or "handler for type" in reason)
    ):
        return MappingMismatch(
            f"{url}: the k-NN plugin is not installed in this cluster",
            hint="install it: opensearch-plugin install opensearch-knn",
            url=url,
        )
    if isinstance(exc, NotFoundError):
        return ClusterError(
            f"{index}: no such index or alias",
            hint="`seealso index list` shows what there is; `seealso index build` makes one",
            index=index,
        )
    if getattr(exc, "status_code", None) in BUSY:
        return Unavailable(f"{url}: OpenSearch is too busy: {reason}", hint="try later", url=url)
    return ClusterError(f"{path}: OpenSearch refused: {reason}", path=path)


def _reason(exc: OpenSearchException) -> str:
    if not isinstance(exc, TransportError):
        return str(exc)
    info = exc.info
    error: Any = info.get("error", info) if isinstance(info, dict) else info
    if not isinstance(error, dict):
        return str(error)
    causes = error.get("root_cause") or [error]
    shards = error.get("failed_shards") or [{}]
    return deepest_cause(shards[0].get("reason", causes[0]))


def deepest_cause(error: Mapping[str, Any]) -> str:
    """Return type and reason of what is at the bottom of an error that OpenSearch reports."""
    while isinstance(error.get("caused_by"), dict):
        error = error["caused_by"]
    return f"{error.get('type', 'error')}: {error.get('reason', '')}"
