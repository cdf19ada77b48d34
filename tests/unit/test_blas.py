"""A user is folded in by one thread; what comes later has the threads that it had."""

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from seealso.encoder import collaborative
from seealso.encoder.blas import one_thread
from tests.unit.test_collaborative import IDS, TEXTS, aged, part


def threads() -> int:
    return max(int(one["num_threads"]) for one in threadpool_info() if one["user_api"] == "blas")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with threadpool_limits(2, "blas"):
        yield


def test_a_user_is_folded_in_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("fold_in", "fold_in_parts"):
        original = getattr(collaborative, name)

        def counted(*arguments: np.ndarray, original: object = original) -> object:
            found.append(threads())
            return original(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(collaborative, name, counted)
    history = part().join(IDS, TEXTS)[:3]
    part().fold_in(history, [aged(0, 1, 2)])
    part().user_parts(TEXTS[:1].astype(np.float64), history, range(3))
    assert found == [1, 1]
    assert threads() == 2


def test_the_last_one_gives_the_threads_back() -> None:
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads() == 1
    second.__exit__(None, None, None)
    assert threads() == 2


def test_an_error_gives_the_threads_back() -> None:
    with pytest.raises(ValueError, match="broken"), one_thread():
        raise ValueError("broken")
    assert threads() == 2
