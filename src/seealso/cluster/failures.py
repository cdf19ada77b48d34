"""Turns what OpenSearch and its client raise into the errors of seealso, with a cure each."""

import re
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
from opensearchpy.exceptions import ConnectionError as LostConnection
from urllib3.exceptions import NewConnectionError

from seealso.cluster.auth import Authorisation, Signed
from seealso.cluster.blocks import CLOSED, blocked, cure_of
from seealso.cluster.patience import OPENING_RETRIES
from seealso.cluster.tls import Certificates
from seealso.errors import ClusterError, MappingMismatch, PartialAnswer, Unavailable

TOO_LARGE = 413

TOO_MANY = 429

BUSY = frozenset({TOO_MANY, 502, 503, 504})
"""Statuses after which the same request may go through a little later."""

RECOVERING = "CurrentState[RECOVERING]"
"""In what a shard says that is there and not open yet."""

_NOT_THERE = (
    RECOVERING,
    "missing shards",
    "no node found",
    "no_shard_available",
    "search_context_missing",
    "unavailable_shards",
)
"""What OpenSearch says where the whole was wanted and a shard, or what was kept of it, is gone."""


def may_pass(exc: OpenSearchException) -> bool:
    """Tell whether a request that failed may be answered a little later."""
    if isinstance(exc, LostConnection):
        return not isinstance(exc, SSLError)
    return opening_retries(exc) > 0 or busy(getattr(exc, "status_code", None), _reason(exc))


def busy(status: int | str | None, reason: str) -> bool:
    """Tell whether what was refused may go through a little later: blocks stay until lifted."""
    return status in BUSY and cure_of(reason) is None


def opening_retries(failure: OpenSearchException | str) -> int:
    """Return how often a request is sent again in any case: 0 unless a shard is about to open.

    Parameters
    ----------
    failure
        The error, or what an answer lacks, as `missing` returns it.
    """
    reason = failure if isinstance(failure, str) else str(getattr(failure, "info", ""))
    return OPENING_RETRIES if RECOVERING in reason else 0


def not_carried_out(exc: OpenSearchException) -> bool:
    """Tell whether a request certainly did nothing: refused at the door, or never sent."""
    never_sent = isinstance(getattr(exc, "info", None), NewConnectionError)
    return never_sent or getattr(exc, "status_code", None) == TOO_MANY


def too_large(exc: BaseException | None) -> bool:
    """Tell whether a request was refused for its size."""
    return getattr(exc, "status_code", None) == TOO_LARGE


def unreachable(
    url: str, exc: OpenSearchException, certificates: Certificates, seconds: float | None = None
) -> Unavailable:
    """Name why there was no answer at all.

    Parameters
    ----------
    url, exc
        Who was asked, and what came of it.
    certificates
        What the client trusts, and its own.
    seconds
        How long an answer was waited for, attempts and pauses together.
    """
    reason = str(exc)
    plain = reason.lower().replace("_", " ")
    for sign, what, hint in _TLS:
        if sign in plain:
            return Unavailable(f"{url}: {what}", hint=hint, url=url)
    if isinstance(exc, SSLError):
        return Unavailable(
            f"{url}: no secure connection could be made: {_ssl_reason(reason)}",
            hint="check that the address speaks TLS, and cluster.ca_file",
            url=url,
        )
    if isinstance(exc, ConnectionTimeout):
        # a connection was accepted: somebody is there
        waited = "in time" if seconds is None else f"in {seconds:.{int(seconds < 1)}f} s"
        return Unavailable(
            f"{url}: OpenSearch did not answer {waited}",
            hint="it runs but does not answer: look at its load and log",
            url=url,
        )
    hint = "start it (`seealso node start`) or set cluster.url"
    if url.startswith("https") and certificates.client is None and "connection aborted" in plain:
        hint += "; if it requires a client certificate, set cluster.client_certificate"
    return Unavailable(f"{url}: OpenSearch does not answer", hint=hint, url=url)


_CLIENT = "set cluster.client_certificate and cluster.client_key to ones that the cluster trusts"

_TLS = (
    (
        "certificate has expired",
        "the TLS certificate has expired",
        "renew it on the cluster, and check the clock of this machine",
    ),
    (
        "certificate is not yet valid",
        "the TLS certificate is not valid yet",
        "check the clocks of this machine and of the cluster",
    ),
    (
        "certificate is not valid for",
        "the TLS certificate is for another host",
        "set cluster.url to a name that is in the certificate",
    ),
    (
        "certificate verify failed",
        "the TLS certificate is not trusted",
        "set cluster.ca_file to the authority that signed it",
    ),
    (
        "eof occurred in violation",
        "the cluster ended the TLS handshake",
        "check that the address speaks TLS; if it requires a client certificate, set "
        "cluster.client_certificate to one that it trusts",
    ),
    ("certificate required", "the cluster requires a client certificate", _CLIENT),
    ("alert unknown ca", "the cluster does not trust the client certificate", _CLIENT),
    ("certificate expired", "the client certificate has expired", "renew it"),
    ("bad certificate", "the cluster refused the client certificate", _CLIENT),
)
"""By what is in OpenSSL's error, in small letters and without underscores: what it means, and what
to do."""


def _ssl_reason(reason: str) -> str:
    found = re.search(r"\[SSL: (\w+)\]", reason)
    return found[1].lower().replace("_", " ") if found else "the TLS handshake failed"


def index_in_path(path: str) -> str:
    """Return what a path begins with: the name of an index, as a rule."""
    return path.strip("/").split("/")[0]


def translate(
    exc: OpenSearchException, url: str, path: str, auth: Authorisation | None = None
) -> ClusterError:
    """Return the most specific error for a refused request to `path`, asked for by `auth`."""
    index = index_in_path(path)
    reason = _reason(exc)
    if isinstance(exc, AuthenticationException | AuthorizationException) and isinstance(
        auth, Signed
    ):
        return signature_refused(url, reason, auth)
    if isinstance(exc, AuthenticationException):
        wrong = "requires a user and a password" if auth is None else "wrong user or password"
        return ClusterError(
            f"{url}: {wrong}",
            hint="set cluster.username and the environment variable SEEALSO_PASSWORD",
            url=url,
        )
    if (error := blocked(index, reason)) is not None:
        return error
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
    if any(sign in reason for sign in _NOT_THERE):
        # what OpenSearch considers next is to do without those shards
        return not_all(index, reason.partition(" Consider using")[0])
    if isinstance(exc, NotFoundError):
        return no_such_index(index)
    if too_large(exc):
        return ClusterError(
            f"{path}: the request is larger than OpenSearch, or a gateway before it, takes",
            hint="raise that limit (http.max_content_length, client_max_body_size), or lower "
            "index.bulk_bytes",
            path=path,
        )
    if getattr(exc, "status_code", None) in BUSY:
        return Unavailable(f"{url}: OpenSearch is too busy: {reason}", hint="try later", url=url)
    status = getattr(exc, "status_code", None)
    return ClusterError(f"{path}: OpenSearch refused: {reason}", path=path, status=status)


def no_such_index(index: str) -> ClusterError:
    """Return the error for a name that nothing bears."""
    return ClusterError(
        f"{index}: no such index or alias",
        hint="`seealso index list` shows what there is; `seealso index build` makes one",
        index=index,
    )


def not_all(index: str, reason: str) -> ClusterError:
    """Return the error for an answer that holds only a part of what `index` does."""
    if (error := blocked(index, reason)) is not None:
        return error
    return PartialAnswer(
        f"{index}: not all of it could be read: {reason}",
        hint="see GET _cat/shards and GET _cluster/allocation/explain, and try again once all "
        "shards are there",
        index=index,
    )


def strip_canonical(answer: str) -> str:
    """Return a JSON answer without the request that Amazon repeats, a session token with it."""
    return re.sub(r'The Canonical String(?:[^"\\]|\\.)*', "", answer)


def signature_refused(url: str, reason: str, auth: Signed) -> ClusterError:
    """Name why a signed request was refused."""
    first = re.split(r"(?<=\.)\s|\n", reason.strip(), maxsplit=1)[0][:200] or "no reason given"
    hint = (
        "check the AWS credentials, cluster.aws_region and cluster.aws_service, and that the "
        "access policy allows it"
    )
    if "region" in first.lower():
        hint = f"set cluster.aws_region to the region of the cluster (now {auth.region})"
    elif "expired" in first.lower() or "not yet current" in first.lower():
        hint = "check the clock of this machine: a signature holds for a few minutes"
    return ClusterError(f"{url}: the signed request was refused: {first}", hint=hint, url=url)


def _reason(exc: OpenSearchException) -> str:
    if not isinstance(exc, TransportError):
        return str(exc)
    info = exc.info
    error: Any = info.get("error", info) if isinstance(info, dict) else info
    if not isinstance(error, dict):
        return str(error)
    # a gateway before OpenSearch, Amazon's for one, knows a message only
    if isinstance(error.get("message", error.get("Message")), str):
        return str(error.get("message", error.get("Message")))
    return first_cause(error)


def first_cause(error: Mapping[str, Any]) -> str:
    """Return type and reason of what the first shard met, of an error that OpenSearch reports."""
    causes = error.get("root_cause") or [error]
    shards = error.get("failed_shards") or [{}]
    return deepest_cause(shards[0].get("reason", causes[0]))


def deepest_cause(error: Mapping[str, Any]) -> str:
    """Return type and reason of what is at the bottom of an error that OpenSearch reports."""
    while isinstance(error.get("caused_by"), dict):
        error = error["caused_by"]
    if error.get("type") == CLOSED and "index" in error:
        # OpenSearch's own reason is the word "closed"
        return f"{CLOSED}: index {error['index']} is closed"
    return f"{error.get('type', 'error')}: {error.get('reason', '')}"
