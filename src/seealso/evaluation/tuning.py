"""Chooses the settings of a baseline on dev: one parameter after the other, and its recency."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeAlias, TypeVar

import numpy as np

from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.datasets.ranks import gains
from seealso.evaluation.choosing import count_attempts, search_coordinates
from seealso.evaluation.protocols import EvaluationProtocol, Holdout
from seealso.evaluation.scores import Tuned
from seealso.evaluation.systems import FittedSystem, Mask, Scoring
from seealso.log import Tick, progress
from seealso.models.histories import Model, weigh_histories
from seealso.types import Vector

RECENCIES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Weights of a history item relative to the next newer one that are tried; 1 is no recency."""

Chosen = Mapping[str, float]


ModelT = TypeVar("ModelT", bound=Model)


Fit: TypeAlias = Callable[[Dataset, Chosen], ModelT]


@dataclass(frozen=True, slots=True)
class Trial(Generic[ModelT]):
    """A fitted model, how it was fitted, and what it reached on dev."""

    model: ModelT
    chosen: Chosen
    recency: float
    ndcg: float


@dataclass(frozen=True)
class Baseline:
    """A method, and the settings that are tried.

    Attributes
    ----------
    name
        What it is called.
    fit
        Fits it on what may be known.
    grid
        Values of each parameter; the search begins with the first ones.
    recencies
        Values of the recency.
    reads
        It reads texts, so that it knows something of items without events.
    first
        Done before the search, under a progress of its own.
    """

    name: str
    fit: Fit[Model]
    grid: Mapping[str, Sequence[float]] = field(default_factory=dict)
    recencies: Sequence[float] = RECENCIES
    reads: bool = False
    first: Callable[[Dataset], None] | None = None

    @contextmanager
    def build(self, holdout: Holdout) -> Iterator[Sequence[FittedSystem]]:
        """Tune on the dev questions of the holdout and yield the best.

        Where some protocols rank a part of the items only, settings are chosen for them apart.
        """
        if self.first is not None and holdout.for_users:
            self.first(holdout.dataset)
        if not holdout.for_users:
            yield []
            return
        if not holdout.cold.any() or not self.reads:
            yield [self._tuned(holdout, holdout.for_users)]
            return
        whole = [one for one in holdout.protocols if one.among is None]
        parts = [[one] for one in holdout.protocols if one.among is not None]
        yield [self._tuned(holdout, protocols) for protocols in (whole, *parts)]

    def _tuned(self, holdout: Holdout, protocols: Sequence[EvaluationProtocol]) -> FittedSystem:
        """Return the best for protocols that rank the same items as the first of them.

        What reads no text has nothing to choose where every question is about items without
        events: it takes the first value of each parameter.
        """
        idle = bool(holdout.cold.any()) and not self.reads
        grid = {name: values[:1] if idle else values for name, values in self.grid.items()}
        recencies = self.recencies[:1] if idle else self.recencies
        tries = count_attempts(grid)
        dev = Dev(holdout.dataset, holdout.dev, protocols[0].among)
        with progress(f"tuning {self.name}", tries) as tick:
            best = search(self.fit, grid, recencies, dev, tick)
        settings = {**best.chosen, **({"recency": best.recency} if len(self.recencies) > 1 else {})}
        return FittedSystem(
            scoring(self.name, best.model, len(holdout.cold), best.recency),
            Tuned(self.name, settings, best.ndcg, tries * len(recencies)),
            baseline=True,
            protocols=frozenset(one.name for one in protocols),
        )


@dataclass(frozen=True, slots=True)
class Dev:
    """What settings are chosen by.

    Attributes
    ----------
    dataset
        What may be learnt from.
    questions
        The questions.
    among
        Only these items are ranked, shape (n,); None for all of them.
    """

    dataset: Dataset
    questions: Sequence[Question]
    among: Mask | None = None

    def ndcg(self, model: Model, recency: float) -> float:
        """Return the NDCG@10 that a model reaches."""
        system = scoring("", model, len(self.dataset.catalogue.ids), recency)
        return float(gains(system.target_ranks(self.questions, self.among)).mean())


def scoring(name: str, model: Model, items: int, recency: float) -> Scoring:
    """Return a fitted model as a system."""

    def score(questions: Sequence[Question]) -> Vector:
        return model.scores(weigh_histories(questions, items, recency))

    return Scoring(name, score)


def search(
    fit: Fit[ModelT],
    grid: Mapping[str, Sequence[float]],
    recencies: Sequence[float],
    dev: Dev,
    tick: Tick,
) -> Trial[ModelT]:
    """Return the best model by NDCG@10 on `dev`.

    Parameters are searched with `search_coordinates`; every fit tries every recency.
    """

    def attempt(one: Chosen) -> Trial[ModelT]:
        model = fit(dev.dataset, one)
        reached = [dev.ndcg(model, recency) for recency in recencies]
        first = int(np.argmax(reached))
        return Trial(model, one, recencies[first], reached[first])

    return search_coordinates(grid, attempt, tick)
