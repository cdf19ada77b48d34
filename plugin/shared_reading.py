"""Reads something beside queries that must not be older than they are: once for all that wait."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Final, Generic, TypeVar

T = TypeVar("T")

READINGS_AT_ONCE: Final = 2
"""Most readings under way: one that hangs does not hold up the next."""


class SharedReading(Generic[T]):
    """Reads in threads of its own; safe to share between threads.

    Parameters
    ----------
    read
        Reads.
    name
        Of the threads.
    """

    def __init__(self, read: Callable[[], T], name: str) -> None:
        self._read = read
        self._threads = ThreadPoolExecutor(READINGS_AT_ONCE, thread_name_prefix=name)
        self._lock = Lock()
        self._next: Future[T] | None = None

    def begin(self) -> "Future[T]":
        """Return the result of a reading that begins now, or as soon as a thread is free.

        Whoever asks before it has begun gets the same one: under load, it serves many queries.
        """
        with self._lock:
            if self._next is None:
                self._next = self._threads.submit(self._read_next)
            return self._next

    def close(self) -> None:
        """End the threads, once they have read what they began."""
        self._threads.shutdown(wait=False)

    def _read_next(self) -> T:
        with self._lock:
            self._next = None  # it begins: who asks from here on may want what is newer
        return self._read()
