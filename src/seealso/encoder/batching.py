"""Reads together what several threads want read at the same time: a model is quicker by batches.

Of eight words, one text takes 5.8 ms of a core, and each of eight in a batch 2.3 ms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class _Call(Generic[Item, Result]):
    items: Sequence[Item]
    waits: bool = True
    done: bool = False
    results: Sequence[Result] = ()
    error: BaseException | None = None


class Batching(Generic[Item, Result]):
    """Calls a function for all threads that wait for it, as soon as it may run once more.

    Parameters
    ----------
    function
        Returns a result for each item, in their order.
    most
        How often it runs beside itself: what finds it free is read at once and alone.
    """

    def __init__(self, function: Callable[[Sequence[Item]], Sequence[Result]], most: int) -> None:
        self._function = function
        self._free = most
        self._waiting: list[_Call[Item, Result]] = []
        self._changed = Condition()

    def __call__(self, items: Sequence[Item]) -> Sequence[Result]:
        """Return the result for each item; what the function raises reaches all that it ran for."""
        call = _Call[Item, Result](items)
        with self._changed:
            self._waiting.append(call)
            self._changed.wait_for(lambda: call.done or (call.waits and self._free > 0))
            calls = [] if call.done else self._take_waiting()
        if calls:
            self._run(calls)
        if call.error is not None:
            raise call.error
        return call.results

    def _take_waiting(self) -> list[_Call[Item, Result]]:
        calls, self._waiting = self._waiting, []
        for call in calls:
            call.waits = False
        self._free -= 1
        return calls

    def _run(self, calls: Sequence[_Call[Item, Result]]) -> None:
        try:
            results = iter(self._function([item for call in calls for item in call.items]))
            for call in calls:
                call.results = [next(results) for _ in call.items]
        except BaseException as exc:
            for call in calls:
                call.error = exc
            raise
        finally:
            with self._changed:
                for call in calls:
                    call.done = True
                self._free += 1
                self._changed.notify_all()
