"""One writer at a time, on whichever host: a lock that is a document in the cluster.

The document is changed only by whoever has seen its latest version, so that of two that want it
one gets it. While it is held it is written again every few seconds. Whoever waits for it watches
with a clock of its own: a lock that does not change for `EXPIRES_S` seconds is free, and on
the host of a holder that died it is free at once, as the system has freed its file by then.

The locks of an alias are in an index of their own: `seealso.cluster.lock_index`.
"""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final
from uuid import uuid4

from filelock import FileLock, Timeout

from seealso.cluster.client import Cluster
from seealso.cluster.lock_index import create_index, lock_index_name, require_ours
from seealso.errors import Busy, ClusterError
from seealso.log import logger

log = logger(__name__)

HEARTBEAT_S: Final = 5.0
"""Seconds between two signs of life."""

EXPIRES_S: Final = 40.0
"""Seconds after which a lock that did not change is free: several signs of life were missed."""

LOOK_S: Final = 0.5
"""Seconds between two looks at a lock that another process holds."""

CONFLICT: Final = 409


@contextmanager
def hold(cluster: Cluster, alias: str, name: str, complaint: str) -> Iterator["Lock"]:
    """Hold the lock `name` of `alias`; no other process on any host holds it meanwhile.

    Parameters
    ----------
    cluster
        Where the lock is.
    alias
        Whose lock it is.
    name
        What it is for.
    complaint
        What the error says if another process holds it.

    Raises
    ------
    Busy
        Another process holds it.
    ClusterError
        The index for locks was not made by seealso.
    """
    lock = Lock(cluster, alias, name)
    free = True
    try:
        with FileLock(_life_file(lock.token)):
            lock.take(complaint)
            stop, title = Event(), f"seealso-lock-{name}"
            beating = Thread(target=lock.beat, args=(stop,), name=title, daemon=True)
            beating.start()
            try:
                yield lock
            finally:
                stop.set()
                beating.join()
                free = lock.release()
    finally:
        # where the cluster has not heard of it, the file tells others here that the holder is gone
        if free:
            _life_file(lock.token).unlink(missing_ok=True)


def _life_file(token: str) -> Path:
    """Return the file that a holder locks: the system frees it when its process dies."""
    return Path(tempfile.gettempdir()) / f"seealso-{token}.lock"


def _died_here(token: str) -> bool:
    """Tell whether the holder lived on this host and is dead; False where that cannot be known."""
    file = _life_file(token)
    if not token.isalnum() or not file.exists():
        return False
    try:
        with FileLock(file, timeout=0):
            pass
    except (Timeout, OSError):
        return False
    file.unlink(missing_ok=True)
    return True


@dataclass
class Lock:
    """A lock that is held, or wanted.

    Attributes
    ----------
    cluster, alias, name
        As for `hold`.
    token
        Tells this holder from every other.
    """

    cluster: Cluster
    alias: str
    name: str
    token: str = field(default_factory=lambda: uuid4().hex)
    _version: Mapping[str, int] = field(default_factory=dict)
    _taken_by: str | None = None
    _one_at_a_time: Any = field(default_factory=threading.Lock, repr=False)

    def require(self) -> None:
        """Make sure that this is still the holder, for `EXPIRES_S` seconds to come.

        To be called right before what only the holder may do: a paused process is overtaken.

        Raises
        ------
        ClusterError
            Somebody else has taken the lock.
        """
        self._renew()
        if self._taken_by is not None:
            raise ClusterError(
                f"{self.alias}: this process was paused for so long that another one has taken "
                f"over ({self._taken_by})",
                hint="wait for the other one to end, then run the same command again",
                alias=self.alias,
            )

    def take(self, complaint: str) -> None:
        """Become the holder; raises what `hold` raises."""
        started = time.monotonic()
        seen: Mapping[str, int] | None = None
        while True:
            found = self._read()
            if found is None or not found["_source"]["held"]:
                if self._write(_version_of(found)):
                    return
                continue
            if found["_source"]["token"] == self.token:
                # the answer to our own request was lost
                self._version = _version_of(found)
                return
            if seen is None:
                log.info("%s: %s holds the lock", self.alias, found["_source"]["holder"])
            version, token = _version_of(found), found["_source"]["token"]
            if time.monotonic() - started >= EXPIRES_S or _died_here(token):
                log.info("%s: its holder is gone, continuing", self.alias)
                if self._write(version):
                    return
                continue
            alive = seen is not None and version != seen
            if alive or _life_file(token).exists():
                raise self._busy_error(found["_source"], complaint)
            seen = version
            time.sleep(LOOK_S)

    def beat(self, stop: Event) -> None:
        """Give signs of life until `stop`; a cluster that is away for a while is no end."""
        while not stop.wait(HEARTBEAT_S) and self._taken_by is None:
            with suppress(ClusterError):
                self._renew(retries=0)

    def release(self) -> bool:
        """Let others have it; False where the cluster does not hear of it, and the lock expires."""
        try:
            self._renew(held=False)
        except ClusterError:
            return False
        return True

    def _renew(self, *, held: bool = True, retries: int | None = None) -> None:
        """Write the document again, or learn who has taken the lock."""
        with self._one_at_a_time:
            while self._taken_by is None and not self._write(self._version, held, retries):
                found = self._read()
                if found is None:
                    self._taken_by = "somebody who deleted the lock"
                elif found["_source"]["token"] != self.token:
                    self._taken_by = found["_source"]["holder"]
                # the answer to our own last sign of life was lost
                self._version = _version_of(found)

    def _read(self) -> Mapping[str, Any] | None:
        """Return the document, None if the lock was never held; create the index if needed."""
        path = f"/{lock_index_name(self.alias)}/_doc/{self.name}"
        answer = self.cluster.request("GET", path, params={"ignore": 404})
        if "error" in answer:
            create_index(self.cluster, self.alias)
            return None
        if not answer["found"]:
            require_ours(self.cluster, self.alias)
            return None
        return dict(answer)

    def _write(
        self, version: Mapping[str, int], held: bool = True, retries: int | None = None
    ) -> bool:
        """Write the document in place of its `version`; False if it is another one by now."""
        path = f"/{lock_index_name(self.alias)}/_doc/{self.name}"
        params: dict[str, Any] = {**version, "ignore": CONFLICT}
        if not version:
            params["op_type"] = "create"
        holder = f"{socket.gethostname()}, process {os.getpid()}"
        body = {"held": held, "holder": holder, "token": self.token, "written_at": time.time()}
        answer = self.cluster.request("PUT", path, body, params, retries=retries)
        if "error" in answer:
            return False
        self._version = _version_of(answer)
        return True

    def _busy_error(self, document: Mapping[str, Any], complaint: str) -> Busy:
        holder = document["holder"]
        # one clock wrote and reads this, where the holder is on this host; no other is trusted
        still = time.time() - document["written_at"]
        hint = f"wait for it to end ({holder})"
        if _life_file(document["token"]).exists() and still > 3 * HEARTBEAT_S:
            process = holder.rpartition(", ")[2]
            hint = f"it has been asleep for {still:.0f} s: continue or kill {process} on this host"
        return Busy(f"{self.alias}: {complaint}", hint=hint, alias=self.alias)


def _version_of(found: Mapping[str, Any] | None) -> dict[str, int]:
    if found is None:
        return {}
    return {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}
