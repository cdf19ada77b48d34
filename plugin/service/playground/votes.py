"""Which of two lists people found better: a line of JSON for each vote, in a file that grows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import orjson
from filelock import FileLock, Timeout

from seealso.errors import ConfigError
from seealso.plugin.service.playground.bodies import VoteBody

PATIENCE: Final = 5.0
"""Seconds to wait while others write."""

USERS: Final = frozenset({"user", "group"})
"""What holds the id of a user, or of a group."""


class Votes:
    """The file, to which several workers may add; safe to share between threads.

    Parameters
    ----------
    path
        Where it is, or is to be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self) -> int:
        """Return how many votes there are.

        Raises
        ------
        ConfigError
            The file cannot be read.
        """
        try:
            return self._path.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0
        except OSError as exc:
            raise self._refused("read", exc.strerror) from exc

    def add(self, vote: VoteBody) -> int:
        """Add a vote, and return how many there are then.

        Raises
        ------
        ConfigError
            The file cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        sides = {name: _describe(getattr(vote, name).model_dump()) for name in ("left", "right")}
        line = orjson.dumps(
            {"time": now, "better": vote.better, **sides}, option=orjson.OPT_APPEND_NEWLINE
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # a lock of its own for each call: threads wait for each other as processes do
            lock = FileLock(f"{self._path}.lock", timeout=PATIENCE)
            with lock, self._path.open("ab+") as file:
                file.write(_end_of_line(file) + line)
        except Timeout as exc:
            raise self._refused("written", "others keep it locked") from exc
        except OSError as exc:
            raise self._refused("written", exc.strerror) from exc
        return self.count()

    def _refused(self, what: str, why: str | None) -> ConfigError:
        return ConfigError(
            f"service.votes: {self._path} cannot be {what}: {why}",
            hint="name another file, or let the service write to this one",
            field="service.votes",
        )


def _end_of_line(file: IO[bytes]) -> bytes:
    """Return what ends a line of which a full disk or a crash has left the beginning."""
    if not file.seek(0, 2):
        return b""
    file.seek(-1, 2)
    return b"" if file.read(1) == b"\n" else b"\n"


def _describe(side: Mapping[str, Any]) -> dict[str, Any]:
    """Return a list that was compared, without the ids of users: whose it was is nobody's vote."""
    request = {name: value for name, value in side["request"].items() if name not in USERS}
    if isinstance(members := request.get("members"), list):
        request["members"] = [
            {name: value for name, value in one.items() if name not in USERS}
            if isinstance(one, Mapping)
            else {}
            for one in members
        ]
    return {**side, "request": request}
