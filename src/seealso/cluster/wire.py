"""Changes to opensearch-py: JSON by orjson, logs without bodies, addresses of nodes with TLS."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from opensearchpy import Urllib3HttpConnection
from opensearchpy.exceptions import SerializationError
from opensearchpy.serializer import JSONSerializer

from seealso.cluster.failures import strip_canonical
from seealso.decoding import loads
from seealso.log import logger

log = logger(__name__)


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
            # OpenSearch keeps a document as it came, half an emoji included
            return loads(s)
        except orjson.JSONDecodeError as exc:
            raise SerializationError(s, exc) from exc


class LoggingConnection(Urllib3HttpConnection):
    """Logs requests without their bodies, which hold what users do.

    Warnings of OpenSearch are logged, too: Python's warnings would reach the terminal.
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

    def _raise_error(
        self, status_code: int, raw_data: str | bytes, content_type: str | None = None
    ) -> None:
        text = raw_data if isinstance(raw_data, str) else raw_data.decode()
        super()._raise_error(status_code, strip_canonical(text), content_type)

    def _raise_warnings(self, warning_headers: Iterable[str]) -> None:
        for header in warning_headers:
            log.info("%s warns: %s", self.host, header)


Host = dict[str, Any]


def node_addresses(*, secure: bool) -> Callable[[Mapping[str, Any], Host], Host | None]:
    """Return what makes an address of what the cluster says of one of its nodes.

    Nodes say no scheme: it is that of the addresses in the settings. Left to itself, opensearch-py
    would send the password in clear to them.
    """

    def address(node: Mapping[str, Any], host: Host) -> Host | None:
        # those that only manage the cluster answer no searches
        if node.get("roles", []) == ["cluster_manager"]:
            return None
        return {**host, "host": host["host"].strip("[]"), "use_ssl": secure}

    return address
