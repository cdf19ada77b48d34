"""A cluster that does not answer is left alone for a moment, and then asked by one alone."""

from contextlib import suppress

import pytest

from seealso.cluster import circuit_breaker
from seealso.cluster.circuit_breaker import FAILURES, PAUSE_SECONDS, CircuitBreaker
from seealso.errors import ClusterError, Unavailable


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(circuit_breaker, "time", clock)
    return clock


def ask(breaker: CircuitBreaker, error: ClusterError | None = None) -> bool:
    """Tell whether the block was run."""
    run = False
    with suppress(ClusterError), breaker.guard():
        run = True
        if error is not None:
            raise error
    return run


def fail(breaker: CircuitBreaker, times: int) -> list[bool]:
    return [ask(breaker, Unavailable("no answer")) for _ in range(times)]


def test_after_failures_in_a_row_nothing_is_asked_and_the_refusal_says_until_when(
    clock: Clock,
) -> None:
    breaker = CircuitBreaker()
    assert all(fail(breaker, FAILURES))
    clock.now += 1
    with pytest.raises(Unavailable, match=r"is asked again in 4\.0 s") as refused, breaker.guard():
        pytest.fail("it was asked")
    assert refused.value.context["retry_after"] == PAUSE_SECONDS - 1


def test_an_answer_between_failures_keeps_it_closed(clock: Clock) -> None:
    breaker = CircuitBreaker()
    fail(breaker, FAILURES - 1)
    assert ask(breaker)
    assert all(fail(breaker, FAILURES))
    assert not ask(breaker)


def test_a_refusal_by_the_cluster_is_an_answer(clock: Clock) -> None:
    breaker = CircuitBreaker()
    fail(breaker, FAILURES - 1)
    assert ask(breaker, ClusterError("no such field"))
    assert all(fail(breaker, FAILURES - 1))
    assert ask(breaker)


def test_after_the_pause_one_tries_while_the_others_wait(clock: Clock) -> None:
    breaker = CircuitBreaker()
    fail(breaker, FAILURES)
    clock.now += PAUSE_SECONDS
    with breaker.guard():
        assert not ask(breaker)
    assert ask(breaker)


def test_a_try_without_an_answer_begins_another_pause(clock: Clock) -> None:
    breaker = CircuitBreaker()
    fail(breaker, FAILURES)
    clock.now += PAUSE_SECONDS
    assert fail(breaker, 2) == [True, False]
    clock.now += PAUSE_SECONDS
    assert ask(breaker)
    assert ask(breaker)
