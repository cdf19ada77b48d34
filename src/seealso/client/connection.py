"""The connection of a client to a service: what every method asks through."""

import os
from typing import Self, TypeVar
from urllib.parse import quote

from seealso.choices import SERVICE_KEY
from seealso.client.requests import JsonObject
from seealso.errors import MissingExtraError

try:
    from seealso.client.sending import Call, Sender
except ModuleNotFoundError as exc:
    raise MissingExtraError.of(exc.name or "httpx", "client") from exc

T = TypeVar("T")


class Connection:
    """Asks one service; safe to share between threads.

    Parameters
    ----------
    url, key, timeout, retries
        As for `seealso.client.Client`.

    Raises
    ------
    ConfigError
        The address is none, or the key cannot be sent.
    """

    def __init__(
        self, url: str, *, key: str | None = None, timeout: float = 10.0, retries: int = 2
    ) -> None:
        self._sender = Sender(url, key or os.environ.get(SERVICE_KEY), timeout, retries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._sender.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._sender.close()

    def _ask(self, kind: type[T], path: str, body: JsonObject) -> T:
        """Return the answer to what may be sent again: it changes nothing, or the same."""
        return self._sender.send(kind, Call("POST", path, body))

    def _ask_once(self, kind: type[T], method: str, path: str, body: JsonObject | None = None) -> T:
        """Return the answer to what is sent again only where it was not begun.

        What was deleted before would be missing in the second answer.
        """
        return self._sender.send(kind, Call(method, path, body, repeatable=False))


def part(name: str) -> str:
    """Return an id as a part of an address: ``..`` as it is would be the folder above."""
    quoted = quote(name, safe="")
    return quoted.replace(".", "%2E") if set(name) == {"."} else quoted
