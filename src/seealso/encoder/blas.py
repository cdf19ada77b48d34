"""One thread of BLAS for systems as small as a history.

By default numpy starts a thread for each core. On small systems they wait for each other longer
than they work, and on a machine that has other work to do a hundred times as long.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController


class _Limit:
    """Holds BLAS to one thread as long as anybody wants it; the number belongs to the process."""

    def __init__(self) -> None:
        # looking for the libraries takes a millisecond: once
        self._controller = ThreadpoolController()
        self._lock = Lock()
        self._holders = 0
        self._held = ExitStack()

    @contextmanager
    def hold(self) -> Iterator[None]:
        with self._lock:
            if self._holders == 0:
                self._held.enter_context(self._controller.limit(limits=1, user_api="blas"))
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                # the last one: another order would leave one thread to all that comes later
                if self._holders == 0:
                    self._held.close()


@cache
def _limit() -> _Limit:
    return _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread; the number that was set before comes back afterwards."""
    with _limit().hold():
        yield
