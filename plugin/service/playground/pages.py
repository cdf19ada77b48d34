"""The files of the page, as the package holds them; nothing is loaded from elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

from seealso.errors import MissingExtraError

INDEX: Final = "index.html"

PLOTS: Final = "plotly.js"
"""The script that draws, which the package plotly brings along."""

KINDS: Final[Mapping[str, str]] = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
"""Media types, by how names end."""

# inline styles: plotly places labels by them
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS: Final[Mapping[str, str]] = {
    # a browser asks whether its copy is still right: a page of one version, a script of another
    # would not fit together
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent.

    Attributes
    ----------
    content, kind
        Its bytes, and their media type.
    tag
        Its digest, by which a browser knows it again.
    """

    content: bytes
    kind: str
    tag: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "File":
        """Return a file of this name."""
        kind = KINDS[name.rpartition(".")[2]]
        return cls(content, kind, f'"{sha256(content).hexdigest()[:32]}"')

    def answer(self, request: Request) -> Response:
        """Return the file, or that the browser has it."""
        headers = {**HEADERS, "ETag": self.tag}
        known = request.headers.get("if-none-match", "")
        if self.tag in (one.strip().removeprefix("W/") for one in known.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(self.content, headers=headers, media_type=self.kind)


class Pages:
    """The files by name; the script that draws is read when it is first asked for."""

    def __init__(self) -> None:
        folder = files("seealso.plugin.service.playground") / "static"
        self._files = {
            one.name: File.of(one.name, one.read_bytes())
            for one in folder.iterdir()
            if one.name.rpartition(".")[2] in KINDS
        }

    def find(self, name: str) -> File | None:
        """Return a file, or None where there is none of this name.

        Raises
        ------
        MissingExtraError
            It is the script that draws, and plotly is not installed.
        """
        return self._plots if name == PLOTS else self._files.get(name)

    @cached_property
    def _plots(self) -> File:
        try:
            from plotly.offline import get_plotlyjs
        except ImportError as exc:
            raise MissingExtraError.of("plotly", "serve") from exc
        return File.of(PLOTS, get_plotlyjs().encode())


def page_routes() -> APIRouter:
    """Return the addresses of the page and its files: they hold nothing that is secret."""
    router = APIRouter()
    pages = Pages()

    @router.api_route("/", methods=["GET", "HEAD"])
    def show_page(request: Request) -> Response:
        """Return the page."""
        return _answer(pages, INDEX, request)

    @router.api_route("/playground/{name}", methods=["GET", "HEAD"])
    def show_file(name: str, request: Request) -> Response:
        """Return a file that the page is made of."""
        return _answer(pages, name, request)

    return router


def _answer(pages: Pages, name: str, request: Request) -> Response:
    found = pages.find(name)
    if found is None:
        raise HTTPException(404, f"the playground has no file {name!r:.80}")
    return found.answer(request)
