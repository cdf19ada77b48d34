"""A site whose pages show lists: it hands on what they ask, and says who the visitor is.

The key of the service stays here, and so does the choice of the user: a page that named the user
itself could ask for anybody. Run it beside ``seealso serve``::

    python examples/javascript/site.py --user 1

The key is in the environment variable SEEALSO_SERVICE_KEY, where the service has keys.
"""

import argparse
import os
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote
from uuid import uuid4

import httpx
import orjson

HERE: Final = Path(__file__).parent
PAGES: Final = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/seealso.js": ("seealso.js", "text/javascript"),
}
COOKIE: Final = "visitor"
RELATED: Final = "/v1/related/"
LARGEST_BODY: Final = 100_000


class Site(ThreadingHTTPServer):
    """The pages of this folder, in front of a service.

    Parameters
    ----------
    port
        Where it listens; 0 for a free port.
    service
        The address of the service.
    key
        One with the scopes ``read`` and ``events``, if the service has keys.
    user
        Who is signed in; by default, each browser is a visitor of its own.
    """

    def __init__(self, port: int, service: str, key: str | None, user: str | None) -> None:
        super().__init__(("127.0.0.1", port), Visit)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.service = httpx.Client(base_url=service, headers=headers, timeout=10)
        self.user = user


class Visit(BaseHTTPRequestHandler):
    """Answers a browser."""

    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        """Send a page, and remember a visitor who comes for the first time."""
        page = PAGES.get(self.path.partition("?")[0])
        if page is None:
            self.answer(HTTPStatus.NOT_FOUND, b"", "text/plain")
            return
        name, kind = page
        new = f"{COOKIE}={uuid4()}; HttpOnly; SameSite=Lax; Path=/"
        cookie = {} if self.visitor() else {"Set-Cookie": new}
        self.answer(HTTPStatus.OK, (HERE / name).read_bytes(), kind, cookie)

    def do_POST(self) -> None:
        """Hand a question of a page on to the service, and its answer back."""
        body = self.question()
        if body is None:
            # what was sent is perhaps still unread, so nothing more can come this way: it is said,
            # or a browser would send its next question into a line that is being closed
            self.answer(HTTPStatus.BAD_REQUEST, b"{}", headers={"Connection": "close"})
            return
        try:
            found = self.server.service.post(address(self.path), json=body)
        except httpx.TransportError:
            self.answer(HTTPStatus.BAD_GATEWAY, b"{}")
            return
        self.answer(HTTPStatus(found.status_code), found.content, found.headers["content-type"])

    def question(self) -> dict[str, Any] | None:
        """Return what the service is asked; None where a page of this site would not ask that."""
        length = int(self.headers.get("Content-Length") or 0)
        visitor = self.visitor()
        # pages of other sites cannot send JSON: the browser asks first, and is not answered
        foreign = self.headers.get("Content-Type") != "application/json"
        if foreign or length > LARGEST_BODY or visitor is None:
            return None
        try:
            return about(visitor, self.path, orjson.loads(self.rfile.read(length)))
        except (ValueError, LookupError, TypeError):
            return None

    def visitor(self) -> str | None:
        """Return who asks: who is signed in, or the visitor of the cookie."""
        cookie = SimpleCookie(self.headers.get("Cookie")).get(COOKIE)
        return self.server.user or (cookie.value if cookie else None)

    def answer(
        self,
        status: HTTPStatus,
        content: bytes,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send an answer."""
        self.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: a line for each request would name visitors."""


def address(path: str) -> str:
    """Return the address of the service that a path of this site stands for.

    An item id is quoted anew: with dots and slashes in it, a path could lead anywhere.
    """
    item = path.removeprefix(RELATED)
    return RELATED + quote(unquote(item), safe="").replace(".", "%2E") if item != path else path


def about(visitor: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a page may ask for a visitor; None where it may not."""
    if path == "/v1/events":
        return {"events": [{**event, "user": visitor} for event in body["events"]]}
    size = {"size": body["size"]} if "size" in body else {}
    if path == "/v1/recommend":
        return {**size, "user": visitor}
    return size if path.startswith(RELATED) else None


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A site in front of a service of seealso.")
    parser.add_argument("--service", default="http://127.0.0.1:8080", help="its address")
    parser.add_argument("--port", type=int, default=8090, help="where the site listens")
    parser.add_argument("--user", help="who is signed in; a new visitor by default")
    options = parser.parse_args()
    key = os.environ.get("SEEALSO_SERVICE_KEY")
    with Site(options.port, options.service, key, options.user) as site:
        print(f"open http://127.0.0.1:{site.server_port}", flush=True)
        site.serve_forever()


if __name__ == "__main__":
    main()
