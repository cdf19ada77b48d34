"""How a run is followed from outside: by a search that gives up bad runs and has an end itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Watcher:
    """Follows one run.

    Attributes
    ----------
    label
        What the progress bar calls the run.
    evaluated
        Called with the epochs done and the NDCG@10 on dev at each evaluation, those of the
        earlier part of a resumed run first; what it raises ends the run.
    expired
        Asked after each step: true lets the run save a checkpoint and stop.
    """

    label: str
    evaluated: Callable[[float, float], None]
    expired: Callable[[], bool]


def _unheard(_epochs: float, _metric: float) -> None:
    """Take the place of a search."""


def _never() -> bool:
    return False


UNWATCHED: Final = Watcher("training", _unheard, _never)
"""A run of its own."""
