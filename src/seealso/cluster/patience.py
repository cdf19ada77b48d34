"""How often a request is sent again, and until when: more and more slowly."""

import time

LONGEST_S = 10.0
"""Seconds of the longest pause between two attempts."""

OPENING_RETRIES = 9
"""Half a minute and more for shards that are about to open, where the cluster is busy."""


class Patience:
    """What is left of it for one request.

    Parameters
    ----------
    retries
        Times that the request may be sent again.
    seconds
        For all attempts together; None for no end.
    """

    def __init__(self, retries: int, seconds: float | None = None) -> None:
        self._retries = retries
        self._began = time.monotonic()
        self._ends = self._began + (seconds or float("inf"))
        self._attempts = 0

    @property
    def left(self) -> float:
        """Seconds until it ends, above zero: the least that a client waits for an answer."""
        return max(self._ends - time.monotonic(), 0.001)

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def wait(self, at_least: int = 0) -> bool:
        """Wait for the next attempt; return whether there is one.

        Parameters
        ----------
        at_least
            Times that the request may be sent again in any case, before the time ends.
        """
        pause = min(0.2 * 2**self._attempts, LONGEST_S)
        spent = self._attempts >= max(self._retries, at_least)
        if spent or time.monotonic() + pause >= self._ends:
            return False
        time.sleep(pause)
        self._attempts += 1
        return True
