"""Times contenders in turns, and states figures: a median, its spread and what was aimed at.

Turns make a slow minute of the machine fall on all contenders alike.
"""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchmarks.node import NodeFacts
from seealso.log import progress

Seconds = npt.NDArray[np.float64]
SystemBuilder = Callable[[int], object]
"""Does the work of the given round; what it returns is ignored."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach.

    Attributes
    ----------
    bound
        Whether the figure should be ``at least`` or ``at most`` the value.
    value
        In the figure's unit.
    kind
        ``target`` was promised, ``aim`` was hoped for.
    """

    bound: Literal["at least", "at most"]
    value: float
    kind: Literal["target", "aim"] = "target"

    def met(self, value: float) -> bool:
        """Tell whether `value` reaches it."""
        return value >= self.value if self.bound == "at least" else value <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes
    ----------
    what
        What was measured.
    unit
        ``x`` for a ratio, ``ms``, ``1/s`` or a share (empty).
    median, p10, p90
        Over the rounds.
    rounds
        Number of rounds.
    target
        What it should reach, if anything was set.
    """

    what: str
    unit: str
    median: float
    p10: float
    p90: float
    rounds: int
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the target; None without one."""
        return None if self.target is None else self.target.met(self.median)

    def as_dict(self) -> dict[str, Any]:
        """Return what the JSON holds."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one benchmark, with what they depend on.

    Attributes
    ----------
    name
        Of the benchmark, and of its file.
    title
        Heading of the table.
    setting
        What was measured on, in words and numbers.
    machine
        Hardware and versions.
    figures
        In the order of the table.
    """

    name: str
    title: str
    setting: Mapping[str, Any]
    machine: Mapping[str, Any]
    figures: tuple[Figure, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what the JSON holds."""
        return {
            "name": self.name,
            "title": self.title,
            "setting": dict(self.setting),
            "machine": dict(self.machine),
            "figures": [figure.as_dict() for figure in self.figures],
        }


def take_turns(
    builders: Mapping[str, SystemBuilder],
    rounds: int,
    *,
    warm_up: int = 0,
    tick: Callable[[int], None] = lambda _: None,
) -> dict[str, Seconds]:
    """Time every contender once in each round: A B C, then B C A, and so on.

    Parameters
    ----------
    contenders
        By name.
    rounds
        Timed rounds, numbered from 0.
    warm_up
        Rounds before those, not timed, with the negative numbers before 0.
    tick
        Called with the number of rounds done.

    Returns
    -------
    dict
        Seconds of each contender, shape (rounds,).
    """
    names = list(builders)
    seconds = {name: np.empty(rounds) for name in names}
    for turn in range(-warm_up, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            started = perf_counter()
            builders[name](turn)
            if turn >= 0:
                seconds[name][turn] = perf_counter() - started
        tick(1)
    return seconds


def figure(
    what: str, unit: str, values: Sequence[float] | Seconds, target: Target | None = None
) -> Figure:
    """Return the figure for the `values` of all rounds."""
    p10, median, p90 = (float(value) for value in np.percentile(values, (10, 50, 90)))
    return Figure(what, unit, median, p10, p90, len(values), target)


def ratio(what: str, slow: Seconds, fast: Seconds, target: Target | None = None) -> Figure:
    """Return how many times faster `fast` is, round by round."""
    return figure(what, "x", slow / fast, target)


def times(what: str, seconds: Seconds, target: Target | None = None) -> Figure:
    """Return `seconds` as a figure in milliseconds."""
    return figure(what, "ms", seconds * 1000, target)


def compared(
    builders: Mapping[str, SystemBuilder],
    rounds: int,
    warm_up: int,
    what: str,
    most: Mapping[str, float] | None = None,
) -> list[Figure]:
    """Time all of them in turns: the ratio of each to the first, then the times.

    Parameters
    ----------
    builders
        By name.
    rounds, warm_up
        As in `take_turns`.
    what
        Names the progress.
    most
        What the ratios of some should be at most, by name.
    """
    goals = {name: Target("at most", value) for name, value in (most or {}).items()}
    with progress(what, rounds + warm_up) as tick:
        seconds = take_turns(builders, rounds, warm_up=warm_up, tick=tick)
    first, *others = builders
    ratios = [
        ratio(f"{name}, times the time of {first}", seconds[name], seconds[first], goals.get(name))
        for name in others
    ]
    return [*ratios, *(times(name, seconds[name]) for name in builders)]


def machine(node: NodeFacts | None = None) -> dict[str, Any]:
    """Return the facts of this machine that speed depends on, and nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts: dict[str, Any] = {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory),
        "load_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }
    if node is not None:
        facts |= asdict(node)
    return facts


def int8_instructions() -> str:
    """Return which instructions for int8 models this processor has."""
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    known = [name for name in ("amx_int8", "avx512_vnni", "avx_vnni") if name in flags]
    return ", ".join(known) or "none of AMX, AVX512-VNNI, AVX-VNNI"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
