"""Clients that ask a server one after the other, all at the same time: what they wait, what fails.

Each has a connection of its own and asks again as soon as it has its answer, as in a closed system.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from threading import Barrier
from time import perf_counter, sleep
from typing import Any, Self

import numpy as np
import orjson
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url

TIMEOUT = 30.0
"""Seconds after which an answer counts as none."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and what it is asked.

    Attributes
    ----------
    url
        Of the server.
    path, content_type
        Of every request.
    bodies
        What is asked, one after the other and then again, whichever client asks.
    check
        Returns the milliseconds of an answer that do not count, for instance for encoding; raises
        ValueError or LookupError where it is not what was asked for.
    """

    url: str
    path: str
    content_type: str
    bodies: Sequence[bytes]
    check: Callable[[Any], float]
    numbers: "count[int]" = field(default_factory=count)

    def next_body(self) -> bytes:
        """Return what is asked next."""
        return self.bodies[next(self.numbers) % len(self.bodies)]


@dataclass(frozen=True, slots=True)
class Answers:
    """What clients got.

    Attributes
    ----------
    seconds
        Of each answer, from the request on.
    beside
        Seconds of each that do not count.
    errors
        What came instead of answers.
    elapsed
        Seconds that all of it took.
    """

    seconds: Sequence[float] = ()
    beside: Sequence[float] = ()
    errors: Sequence[str] = ()
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.elapsed

    def quantile(self, share: float) -> float:
        """Return the seconds within which that share of the answers came."""
        return float(np.quantile(self.seconds, share))

    @property
    def beside_median(self) -> float:
        """The median of the seconds that do not count."""
        return float(np.median(self.beside))


@dataclass(slots=True)
class _Client:
    target: Target
    seconds: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def run(self, barrier: Barrier, until: Callable[[float], bool]) -> Self:
        target = self.target
        url: Url = parse_url(target.url)
        headers = {"content-type": target.content_type}
        with HTTPConnectionPool(str(url.host), url.port, maxsize=1, timeout=TIMEOUT) as pool:
            barrier.wait()
            started = perf_counter()
            while not until(perf_counter() - started):
                body = target.next_body()
                asked = perf_counter()
                try:
                    answer = pool.request(
                        "POST", target.path, body=body, headers=headers, retries=False
                    )
                    waited = perf_counter() - asked
                    if answer.status != 200:
                        # who is told when to come back does not come before
                        sleep(float(answer.headers.get("retry-after", 0)))
                        raise ValueError(f"{answer.status} {_reason(answer.data)}")
                    beside = target.check(orjson.loads(answer.data))
                except (HTTPError, ValueError, LookupError, TypeError) as exc:
                    self.errors.append(f"{type(exc).__name__}: {exc}")
                else:
                    self.seconds.append(waited)
                    self.beside.append(beside / 1000)
        return self


def _reason(content: bytes) -> str:
    """Return what a problem says, or the beginning of what is none."""
    try:
        return str(orjson.loads(content)["detail"])
    except (ValueError, LookupError, TypeError):
        return repr(content[:200])


def ask(target: Target, clients: int, until: Callable[[float], bool]) -> Answers:
    """Let so many clients ask at the same time.

    Parameters
    ----------
    target
        Whom, and what.
    clients
        How many.
    until
        Told the seconds since the start; when it says so, each client ends after its answer.
    """
    barrier = Barrier(clients)
    started = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        every = [_Client(target) for _ in range(clients)]
        for done in [pool.submit(one.run, barrier, until) for one in every]:
            done.result()
    return Answers(
        [second for one in every for second in one.seconds],
        [second for one in every for second in one.beside],
        [error for one in every for error in one.errors],
        perf_counter() - started,
    )
