"""SASRec beside the other baselines: tuned on dev as they are, where that takes minutes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from seealso.datasets.questions import Question
from seealso.datasets.ranks import gains
from seealso.errors import MissingExtraError
from seealso.evaluation.choosing import count_attempts, search_coordinates
from seealso.evaluation.protocols import Holdout
from seealso.evaluation.scores import Tuned
from seealso.evaluation.systems import FittedSystem, LeftOut, Scoring
from seealso.log import Ticker, progress
from seealso.training import require
from seealso.types import Vector

if TYPE_CHECKING:
    from seealso.training.sequences.learning import LearntSequences, SequenceModel


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends in minutes on two cores.

    Attributes
    ----------
    events
        Most training events.
    seconds
        After so long the search ends with the settings that were tried.
    """

    events: int = 500_000
    seconds: float = 1800.0


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A network, how it was trained, and what it reached on dev."""

    learnt: "LearntSequences"
    chosen: Mapping[str, float]

    @property
    def ndcg(self) -> float:
        return self.learnt.ndcg


class _TimeIsUp(Exception):
    """Ends a search that takes too long."""


@dataclass(frozen=True)
class SequenceBaseline:
    """SASRec, and the settings that are tried.

    It knows an order where the others know weights of recency, so that it is asked with histories.

    Attributes
    ----------
    name
        What it is called.
    grid
        Values of ``dropout``, ``dimension`` and ``length``; the search begins with the first ones.
    seed
        Draws all that is drawn.
    limits
        Beyond them it is left out; None for no limit.
    """

    name: str
    grid: Mapping[str, Sequence[float]]
    seed: int
    limits: Limits | None = None

    @contextmanager
    def build(self, holdout: Holdout) -> Iterator[Sequence[FittedSystem | LeftOut]]:
        """Tune on the dev questions of the holdout and yield the best, or why there is none.

        Raises
        ------
        MissingExtraError
            There is no torch, and there are no limits.
        """
        reason = self._find_reason(holdout)
        yield [self._tuned(holdout) if reason is None else LeftOut(self.name, reason)]

    def _find_reason(self, holdout: Holdout) -> str | None:
        """Return why it does not even begin, if so."""
        try:
            require("torch")
        except MissingExtraError as exc:
            if self.limits is None:
                raise
            return f"{exc.message} ({exc.hint})"
        events = sum(map(len, holdout.dataset.sequences))
        if self.limits is not None and events > self.limits.events:
            return (
                f"{events:,} training events are more than the {self.limits.events:,} that it "
                f"learns in minutes (--baseline {self.name} has no limit)"
            )
        return None

    def _tuned(self, holdout: Holdout) -> FittedSystem | LeftOut:
        # nothing can be chosen where every question is about items that it cannot know
        idle = bool(holdout.cold.any())
        grid = {name: values[:1] if idle else values for name, values in self.grid.items()}
        tries, done = count_attempts(grid), list[_Attempt]()
        with progress(f"tuning {self.name}", tries) as tick:
            # one list of what was tried: the time may end before the search does
            in_time = self._search(holdout, grid, done, tick)
        if not done:
            return LeftOut(self.name, f"its first training did not end within {self._limit}")
        best = max(done, key=lambda one: one.ndcg)
        late = f"{self.name}: {len(done)} of {tries} settings were tried within {self._limit}"
        return FittedSystem(
            Scoring(self.name, _asking(best.learnt.model)),
            Tuned(self.name, {**best.chosen, "epochs": best.learnt.epochs}, best.ndcg, len(done)),
            baseline=True,
            notes=() if in_time else (late,),
        )

    def _search(
        self,
        holdout: Holdout,
        grid: Mapping[str, Sequence[float]],
        done: list[_Attempt],
        tick: Ticker,
    ) -> bool:
        """Add what was tried to `done`; false where the time ended first."""
        end = None if self.limits is None else monotonic() + self.limits.seconds

        def attempt(chosen: Mapping[str, float]) -> _Attempt:
            def after_epoch(epoch: int, ndcg: float) -> None:
                tick.say(f"epoch {epoch}, NDCG@10 on dev {ndcg:.4f}")
                if end is not None and monotonic() > end:
                    raise _TimeIsUp

            done.append(_Attempt(self._learn(holdout, chosen, after_epoch), chosen))
            return done[-1]

        try:
            search_coordinates(grid, attempt, tick)
        except _TimeIsUp:
            return False
        return True

    def _learn(
        self,
        holdout: Holdout,
        chosen: Mapping[str, float],
        after_epoch: Callable[[int, float], None],
    ) -> "LearntSequences":
        from seealso.training.sequences.learning import SequenceConfig, learn_sequences

        def measure(model: "SequenceModel") -> float:
            return float(gains(Scoring("", _asking(model)).target_ranks(holdout.dev)).mean())

        return learn_sequences(
            holdout.dataset.sequences,
            len(holdout.cold),
            SequenceConfig(int(chosen["dimension"]), int(chosen["length"]), chosen["dropout"]),
            seed=self.seed,
            measure=measure,
            after_epoch=after_epoch,
        )

    @property
    def _limit(self) -> str:
        return "no limit" if self.limits is None else f"{self.limits.seconds / 60:.2g} minutes"


def _asking(model: "SequenceModel") -> Callable[[Sequence[Question]], Vector]:
    """Return what scores the catalogue for questions, by their histories."""
    return lambda questions: model.scores([one.history for one in questions])
