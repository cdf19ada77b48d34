"""Turns what OpenSearch and its client raise into the errors of seealso, with a cure each."""

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

LIFT_BLOCK = (
    "free disk space or lift the block: PUT INDEX/_settings "
    '{"index.blocks.read_only_allow_delete": null, "index.blocks.write": null}'
)


def is_block(reason: str) -> bool:
    """Tell whether a refusal is a block on writing: read-only by hand or for want of disk."""
    return "cluster_block_exception" in reason


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
    if is_block(reason):
        return ClusterError(f"{index}: is read-only: {reason}", hint=LIFT_BLOCK, index=index)
    if isinstance(exc, AuthorizationException):
        return ClusterError(f"{path}: not allowed: {reason}", hint="check the user's role", url=url)
    if "knn_vector" in reason and ("No handler" in reason or "handler for type" in reason):
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
    hint = "a filter must be valid query DSL" if "parsing_exception" in reason else None
    return ClusterError(f"{path}: OpenSearch refused: {reason}", hint=hint, path=path)


def _reason(exc: OpenSearchException) -> str:
    if not isinstance(exc, TransportError):
        return str(exc)
    info = exc.info
    error: Any = info.get("error", info) if isinstance(info, dict) else info
    if not isinstance(error, dict):
        return str(error)
    causes = error.get("root_cause") or [error]
    deepest = error.get("failed_shards", [{}])[0].get("reason", causes[0])
    while isinstance(deepest.get("caused_by"), dict):
        deepest = deepest["caused_by"]
    return f"{deepest.get('type', exc.error)}: {deepest.get('reason', '')}"
