"""One connection to OpenSearch: sends a request, decodes the answer, names what went wrong.

Building a request is the business of other modules; this one only sends it. Requests that met
a busy or a lost cluster are sent again, more and more slowly: every request of seealso can be
repeated without harm.
"""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from opensearchpy import OpenSearch, Urllib3HttpConnection
from opensearchpy.exceptions import ConnectionError as LostConnection
from opensearchpy.exceptions import OpenSearchException, SerializationError, SSLError
from opensearchpy.serializer import JSONSerializer

from seealso.cluster.failures import BUSY, meaning, unreachable
from seealso.errors import ClusterError
from seealso.log import logger

log = logger(__name__)

NDJSON = ("/_bulk", "/_msearch", "/_msearch/template")
"""Where bodies are lines of JSON."""

Body = bytes | Mapping[str, Any] | None


class OrjsonSerializer(JSONSerializer):
    """JSON by orjson: several times faster than the standard library on vectors."""

    def dumps(self, data: Any) -> str | bytes:
        """Return `data` as JSON; what is encoded already goes out as it is."""
        if isinstance(data, str | bytes):
            return data
        return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)

    def loads(self, s: str) -> Any:
        """Decode JSON text."""
        try:
            return orjson.loads(s)
        except orjson.JSONDecodeError as exc:
            raise SerializationError(s, exc) from exc


class LoggingConnection(Urllib3HttpConnection):
    """Writes to our log what was asked, but no body: bodies hold what users said and did.

    What OpenSearch warns of goes there, too: Python's warnings would reach the terminal.
    """

    def log_request_success(
        self,
        method: str,
        full_url: str,  # noqa: ARG002
        path: str,
        body: Any,  # noqa: ARG002
        status_code: int,
        response: str,  # noqa: ARG002
        duration: float,
    ) -> None:
        """Log an answer without what it says."""
        log.debug("%s %s: %s in %.0f ms", method, path, status_code, duration * 1000)

    def log_request_fail(
        self,
        method: str,
        full_url: str,  # noqa: ARG002
        path: str,
        body: Any,  # noqa: ARG002
        duration: float,
        status_code: int | None = None,
        response: str | None = None,  # noqa: ARG002
        exception: Exception | None = None,  # noqa: ARG002
    ) -> None:
        """Log a refusal without its reason, which may quote the body and is raised anyhow."""
        log.debug("%s %s: %s in %.0f ms", method, path, status_code, duration * 1000)

    def _raise_warnings(self, warning_headers: Iterable[str]) -> None:
        for header in warning_headers:
            log.info("%s warns: %s", self.host, header)


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
    timeout
        Seconds to wait for an answer.
    retries
        Times that a request is sent again after a 429 or a lost connection.
    connections
        Most connections held open at once.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        ca_file: Path | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        connections: int = 16,
    ) -> None:
        self.url = url
        self._timeout = timeout
        self._retries = retries
        tls: dict[str, Any] = {}
        if url.startswith("https"):
            tls = {"verify_certs": True, "ca_certs": str(ca_file) if ca_file else None}
        self._client = OpenSearch(
            hosts=[url],
            http_auth=(username, password or "") if username else None,
            serializer=OrjsonSerializer(),
            connection_class=LoggingConnection,
            timeout=timeout,
            max_retries=0,
            pool_maxsize=connections,
            **tls,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        body: Body = None,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
        retries: int | None = None,
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

        Raises
        ------
        Unavailable
            OpenSearch does not answer, or stays too busy.
        ClusterError
            It refused the request; the most specific subclass.
        """
        attempts = (self._retries if retries is None else retries) + 1
        for attempt in range(attempts):
            try:
                return self._send(method, path, body, params, timeout or self._timeout)
            except OpenSearchException as exc:
                lost = isinstance(exc, LostConnection)
                status = getattr(exc, "status_code", None)
                passing = status in BUSY or (lost and not isinstance(exc, SSLError))
                again = attempt + 1 < attempts and passing
                if not again:
                    if lost:
                        raise unreachable(self.url, exc) from exc
                    raise meaning(exc, self.url, path) from exc
                log.info("%s %s: %s, sending again", method, path, status)
                time.sleep(min(0.2 * 2**attempt, 10.0))
        raise ClusterError(f"{method} {path}: not sent")  # pragma: no cover

    def _send(
        self, method: str, path: str, body: Body, params: Mapping[str, Any] | None, timeout: float
    ) -> Any:
        headers = {"content-type": "application/x-ndjson"} if path.endswith(NDJSON) else None
        return self._client.transport.perform_request(
            method,
            path,
            params={**(params or {}), "request_timeout": timeout},
            body=body,
            headers=headers,
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

    def get_script(self, script_id: str) -> dict[str, Any] | None:
        """Return the stored script or template `script_id`, or None."""
        answer = self.request("GET", f"/_scripts/{script_id}", params={"ignore": 404})
        return answer["script"] if answer.get("found") else None

    def put_script(self, script_id: str, body: Mapping[str, Any]) -> None:
        """Store a script or template under `script_id`."""
        self.request("PUT", f"/_scripts/{script_id}", body)
