"""Stops asking a cluster that does not answer: callers hear of it at once instead of waiting.

After some failures in a row nothing is asked for a while; then one request tries again, and what it
finds decides for all (the circuit breaker of M. Nygard, "Release It!").
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from seealso.errors import SeeAlsoError, Unavailable

FAILURES: Final = 5
"""Requests in a row without an answer after which nothing is asked."""

PAUSE_SECONDS: Final = 5.0
"""How long nothing is asked: a node that was restarted takes longer to answer."""


class CircuitBreaker:
    """Lets requests through as long as they are answered.

    Safe to share between threads. pybreaker holds a lock while a request runs, so that no two could
    run beside each other.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures = 0
        self._paused_until = float("-inf")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run a block that asks the cluster, and learn from how it ends.

        Raises
        ------
        Unavailable
            The block raises it, or blocks before it did so several times in a row a moment ago:
            then this one is not run.
        """
        self._admit()
        try:
            yield
        except Unavailable:
            self._fail()
            raise
        except SeeAlsoError:
            self._succeed()  # whoever refuses has answered
            raise
        self._succeed()

    def _admit(self) -> None:
        with self._lock:
            if self._failures < FAILURES:
                return
            now = time.monotonic()
            if now >= self._paused_until:
                # this one tries; until it is answered, the others are refused
                self._paused_until = now + PAUSE_SECONDS
                return
            seconds = self._paused_until - now
        raise Unavailable(
            f"OpenSearch did not answer {FAILURES} times in a row, and is asked again in "
            f"{seconds:.1f} s",
            hint="see whether the cluster runs: `seealso doctor`",
            retry_after=seconds,
        )

    def _fail(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._paused_until = time.monotonic() + PAUSE_SECONDS

    def _succeed(self) -> None:
        with self._lock:
            self._failures = 0
