"""A real gateway in front of a node: it terminates TLS, looks at each request, and relays it."""

import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire.

    Attributes
    ----------
    target
        Path and query, not decoded.
    headers
        By lower-case name.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


Refusal = tuple[int, bytes]
Admit = Callable[[Request], Refusal | None]
"""Returns what is answered instead of OpenSearch, or None to let a request through."""


@dataclass
class Gateway:
    """A running gateway.

    Attributes
    ----------
    url
        Its address.
    seen
        Requests that it let through.
    """

    url: str
    seen: list[Request] = field(default_factory=list)


class Relay(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    node: str
    admit: Admit
    gateway: Gateway

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(self.timeout)
            try:
                self.request.do_handshake()
            except ssl.SSLError:
                # closed at once, the client might meet the end before it read the reason
                socket.socket.recv(self.request, 65536)
                raise
        super().setup()

    def relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        refusal = type(self).admit(request)
        self.answer(*(refusal or self.forward(request)))

    def forward(self, request: Request) -> tuple[int, bytes]:
        self.gateway.seen.append(request)
        asked = urllib.request.Request(
            self.node + request.target, data=request.body or None, method=request.method
        )
        if "content-type" in request.headers:
            asked.add_header("content-type", request.headers["content-type"])
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = relay  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A client that the handshake turns away is nothing to report."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


def everyone(request: Request) -> None:
    """Let every request through."""


@contextmanager
def gateway(
    node: str, admit: Admit = everyone, tls: ssl.SSLContext | None = None
) -> Iterator[Gateway]:
    """Run a gateway to `node` while the block runs."""
    running = Gateway("")
    asked = {"node": node, "admit": staticmethod(admit), "gateway": running}
    with Server(("127.0.0.1", 0), type("RelayToNode", (Relay,), asked)) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        running.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield running
        server.shutdown()
