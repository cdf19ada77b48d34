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


UNWATCHED: Final = Watcher("training", lambda _epochs, _metric: None, lambda: False)
"""A run of its own."""
