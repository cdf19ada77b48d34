"""One connection to OpenSearch: sends a request, decodes the answer, names what went wrong.

Building a request is the business of other modules; this one only sends it. Requests that met
a busy or a lost cluster are sent again, more and more slowly, unless they must not be carried
out twice; so are searches under which a node was lost.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as LostConnection
from opensearchpy.exceptions import OpenSearchException

from seealso.cluster import serverless
from seealso.cluster.auth import Authorisation, Basic, Signed
from seealso.cluster.circuit_breaker import CircuitBreaker
from seealso.cluster.failures import (
    index_in_path,
    may_pass,
    not_all,
    not_carried_out,
    opening_retries,
    translate,
    unreachable,
)
from seealso.cluster.patience import Patience
from seealso.cluster.request_id import opaque_id
from seealso.cluster.tls import Certificates
from seealso.cluster.wholeness import lost_a_node, missing, passing, with_checked
from seealso.cluster.wire import LoggingConnection, OrjsonSerializer, node_addresses
from seealso.config.cluster import holds_secret, in_clear
from seealso.errors import ClusterError, ConfigError
from seealso.log import logger

log = logger(__name__)

NDJSON = ("/_bulk", "/_msearch", "/_msearch/template")
"""Where bodies are lines of JSON."""

SEARCHES: Final = re.compile(r"/_(m?search|mget)\b")
"""What tells whether a cluster has time for those who wait: the state of an index comes without."""

IN_PATHS = "/%*+,:;=@!$&'()~"
"""What stays as it is in a path; what is encoded already among it."""

Body = bytes | Mapping[str, Any] | None


class Cluster:
    """An OpenSearch cluster.

    Parameters
    ----------
    url
        Address, for instance ``https://search.example.org:9200``.
    username, password
        Basic authentication, if the cluster wants it.
    ca_file
        Certificate authority that signed the cluster's certificate; TLS is always verified.
    certificates
        Instead of `ca_file`, where the cluster wants a certificate of the client, too.
    auth
        Instead of `username` and `password`: authenticates each request.
    hosts
        Addresses of more nodes of the same cluster.
    sniff
        Ask the cluster for its other nodes.
    timeout
        Seconds to wait for an answer.
    retries
        Times that a request is sent again after a 429 or a lost connection.
    connections
        Most connections to one node held open at once.
    allow_plain_text
        Allow a password over http, and http addresses beside https ones.

    Raises
    ------
    ConfigError
        An address holds a password, a password would go out in clear, or a certificate cannot be
        read.
    Unavailable
        It was to be asked for its nodes, and does not answer.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        ca_file: Path | None = None,
        certificates: Certificates | None = None,
        auth: Authorisation | None = None,
        hosts: Sequence[str] = (),
        sniff: bool = False,
        timeout: float = 30.0,
        retries: int = 5,
        connections: int = 16,
        allow_plain_text: bool = False,
    ) -> None:
        addresses = [url, *hosts]
        if any(holds_secret(one) for one in addresses):
            raise ConfigError(
                "an address must not contain a user or password",
                hint="give username and password separately",
            )
        self.url = ", ".join(addresses)
        self.auth = auth or (Basic(username, password or "") if username else None)
        clear = in_clear(addresses, password=isinstance(self.auth, Basic))
        if clear is not None and not allow_plain_text:
            raise ConfigError(clear, hint="give https addresses, or allow_plain_text = true")
        self._timeout = timeout
        self._retries = retries
        self._deadline: float | None = None
        self._breaker = CircuitBreaker()
        self._spare = len(addresses) - 1
        certificates = certificates or Certificates(ca_file)
        secure = any(one.startswith("https") for one in addresses)
        try:
            self._client = OpenSearch(
                hosts=addresses,
                http_auth=self.auth,
                ssl_context=certificates.context() if secure else None,
                serializer=OrjsonSerializer(),
                connection_class=LoggingConnection,
                timeout=timeout,
                max_retries=0,
                pool_maxsize=connections,
                host_info_callback=node_addresses(secure=secure),
                sniff_on_start=sniff,
                sniff_on_connection_fail=sniff,
            )
        except OpenSearchException as exc:
            raise unreachable(self.url, exc, certificates) from exc
        self._certificates = certificates

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def hurry(self, deadline: float) -> "Cluster":
        """Return the same cluster for a caller who waits: one retry, and `deadline` seconds in all.

        After several searches in a row without an answer, the next are not sent for a moment.
        Loads are patient instead: they send again what met a busy cluster, more and more slowly.
        Both share their connections.
        """
        hurried = copy.copy(self)
        hurried._deadline = deadline
        hurried._retries = min(1, self._retries)
        return hurried

    def request(
        self,
        method: str,
        path: str,
        body: Body = None,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        retries: int | None = None,
        whole: bool = False,
        repeat: bool = True,
    ) -> Any:
        """Send one request and return the decoded answer.

        Parameters
        ----------
        method, path
            For instance ``"POST"``, ``"/films/_search"``.
        body
            Encoded JSON or NDJSON, or an object to encode.
        params
            Query parameters.
        timeout, retries
            Instead of the cluster's own.
        whole
            Accept no part of an answer: of searches, counts and documents by their ids. What a
            shard lacks that may come is waited for, as for a busy cluster.
        repeat
            Whether the request may be carried out twice; if not, it is sent again only where
            it cannot have been carried out.

        Raises
        ------
        PartialAnswer
            The whole was wanted, and a shard failed, is missing or ran out of time.
        Unavailable
            OpenSearch does not answer, or stays too busy.
        ClusterError
            It refused the request; the most specific subclass.
        """
        if isinstance(self.auth, Signed) and self.auth.service == "aoss":
            serverless.refuse(self.url, method, path)
        if whole and params and "filter_path" in params:
            params = {**params, "filter_path": with_checked(params["filter_path"])}
        patience = Patience(self._retries if retries is None else retries, self._deadline)
        with self._guard(path):
            while True:
                refused: OpenSearchException | None = None
                try:
                    wait = min(timeout or self._timeout, patience.left)
                    answer = self._send(method, path, body, params, wait)
                except OpenSearchException as exc:
                    refused, error = exc, self._explain(exc, path, patience)
                    passes = may_pass(exc) and (repeat or not_carried_out(exc))
                    least = self._spare if isinstance(exc, LostConnection) else opening_retries(exc)
                else:
                    if not whole:
                        if self._is_cut_short(path, answer) and repeat and patience.wait():
                            continue
                        return answer
                    if not (lacking := missing(answer)):
                        return answer
                    # a shard that is new, or moves to another node, is there a little later
                    error = not_all(index_in_path(path), lacking)
                    passes, least = passing(lacking), opening_retries(lacking)
                if not (passes and patience.wait(least)):
                    raise error from refused
                log.info("%s %s: sent again: %s", method, path, error.message)

    def _is_cut_short(self, path: str, answer: Any) -> bool:
        """Whether a node was lost while it searched: the others may have what is missing."""
        cut_short = SEARCHES.search(path) is not None and lost_a_node(answer)
        if cut_short:
            log.info("%s: a node was lost while it was answered", path)
        return cut_short

    def _guard(self, path: str) -> AbstractContextManager[None]:
        hurried = self._deadline is not None and SEARCHES.search(path)
        return self._breaker.guard() if hurried else nullcontext()

    def _explain(self, exc: OpenSearchException, path: str, patience: Patience) -> ClusterError:
        if isinstance(exc, LostConnection):
            return unreachable(self.url, exc, self._certificates, patience.spent)
        return translate(exc, self.url, path, self.auth)

    def _send(
        self, method: str, path: str, body: Body, params: Mapping[str, Any] | None, timeout: float
    ) -> Any:
        headers = {"content-type": "application/x-ndjson"} if path.endswith(NDJSON) else {}
        return self._client.transport.perform_request(
            method,
            # encoded before it is signed: a signature is for what goes over the wire
            quote(path, safe=IN_PATHS),
            params={**(params or {}), "request_timeout": timeout},
            body=body,
            headers={**headers, **opaque_id()} or None,
        )

    def exists(self, path: str) -> bool:
        """Tell whether ``HEAD path`` finds something."""
        return bool(self.request("HEAD", path))

    def info(self) -> dict[str, Any]:
        """Return what ``GET /`` says: name, version and so on."""
        answer: dict[str, Any] = self.request("GET", "/")
        return answer

    def version(self) -> tuple[int, ...]:
        """Return OpenSearch's version, for instance ``(3, 5, 0)``."""
        number = self.info()["version"]["number"].split("-")[0]
        return tuple(int(part) for part in number.split("."))
