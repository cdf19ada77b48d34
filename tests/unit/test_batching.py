"""What several threads want at the same time is done together, and each gets its own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import pytest

from seealso.encoder.batching import Batching


class Doubling:
    """Doubles numbers, one call after another, once it is let."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.entered, self.open = Event(), Event()
        self.beside = 0
        self._inside = 0
        self._lock = Lock()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        with self._lock:
            self.calls.append(list(numbers))
            self._inside += 1
            self.beside = max(self.beside, self._inside)
        self.entered.set()
        assert self.open.wait(30)
        with self._lock:
            self._inside -= 1
        return [2 * number for number in numbers]


def queue(batching: Batching[int, int], number: int) -> None:
    """Wait until so many calls wait for a run."""
    while len(batching._waiting) < number:
        Event().wait(0.001)


def test_what_waits_is_done_in_one_call_and_everybody_gets_its_own() -> None:
    doubling = Doubling()
    batching = Batching(doubling, most=1)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batching, [1])
        assert doubling.entered.wait(30)
        others = [pool.submit(batching, [n, n + 1]) for n in (10, 20, 30)]
        queue(batching, 3)
        doubling.open.set()
        assert list(first.result(30)) == [2]
        assert [list(one.result(30)) for one in others] == [[20, 22], [40, 42], [60, 62]]
    assert doubling.calls[0] == [1]
    assert sorted(doubling.calls[1]) == [10, 11, 20, 21, 30, 31]
    assert len(doubling.calls) == 2


def test_as_many_calls_run_beside_each_other_as_may() -> None:
    doubling = Doubling()
    batching = Batching(doubling, most=2)
    with ThreadPoolExecutor(8) as pool:
        running = []
        for number in (1, 2):
            doubling.entered.clear()
            running.append(pool.submit(batching, [number]))
            assert doubling.entered.wait(30)
        waiting = pool.submit(batching, [3])
        queue(batching, 1)
        doubling.open.set()
        assert [list(one.result(30)) for one in (*running, waiting)] == [[2], [4], [6]]
    assert doubling.beside == 2


def test_an_error_reaches_those_it_ran_for_and_nobody_after_them() -> None:
    def refuse(numbers: Sequence[int]) -> list[int]:
        if 13 in numbers:
            raise ValueError("thirteen")
        return list(numbers)

    batching = Batching(refuse, most=1)
    with pytest.raises(ValueError, match="thirteen"):
        batching([13])
    assert list(batching([14])) == [14]
    assert list(batching([])) == []


def test_many_threads_lose_nothing() -> None:
    batching = Batching(lambda numbers: [2 * number for number in numbers], most=2)
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda n: list(batching([n, -n])), range(2000)))
    assert found == [[2 * n, -2 * n] for n in range(2000)]
