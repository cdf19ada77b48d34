"""Chooses the settings of a baseline on dev: one parameter after the other, and its recency."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeAlias, TypeVar

import numpy as np

from seealso.datasets.dataset import Material
from seealso.datasets.questions import Question
from seealso.datasets.ranks import gains
from seealso.evaluation.choosing import attempts, one_by_one
from seealso.evaluation.exams import Exam, Sitting
from seealso.evaluation.results import Tuned
from seealso.evaluation.systems import Entrant, Mask, Scoring
from seealso.log import progress
from seealso.models.histories import Model, profiles
from seealso.types import Vector

RECENCIES: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Weights of a history item relative to the next newer one that are tried; 1 is no recency."""

Chosen = Mapping[str, float]


ModelT = TypeVar("ModelT", bound=Model)


Fit: TypeAlias = Callable[[Material, Chosen], ModelT]


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
    first: Callable[[Material], None] | None = None

    @contextmanager
    def sit(self, sitting: Sitting) -> Iterator[Sequence[Entrant]]:
        """Tune on the dev questions of the sitting and yield the best.

        Where some exams rank a part of the items only, settings are chosen for them apart.
        """
        if self.first is not None:
            self.first(sitting.material)
        if not sitting.cold.any() or not self.reads:
            yield [self._tuned(sitting, sitting.exams)]
            return
        whole = [one for one in sitting.exams if one.among is None]
        parts = [[one] for one in sitting.exams if one.among is not None]
        yield [self._tuned(sitting, exams) for exams in (whole, *parts)]

    def _tuned(self, sitting: Sitting, exams: Sequence[Exam]) -> Entrant:
        """Return the best for exams that rank the same items as the first of them.

        What reads no text has nothing to choose where every question is about items without
        events: it takes the first value of each parameter.
        """
        idle = bool(sitting.cold.any()) and not self.reads
        grid = {name: values[:1] if idle else values for name, values in self.grid.items()}
        recencies = self.recencies[:1] if idle else self.recencies
        tries = attempts(grid)
        dev = Dev(sitting.material, sitting.dev, exams[0].among)
        with progress(f"tuning {self.name}", tries) as tick:
            best = search(self.fit, grid, recencies, dev, tick)
        settings = {**best.chosen, **({"recency": best.recency} if len(self.recencies) > 1 else {})}
        return Entrant(
            scoring(self.name, best.model, len(sitting.cold), best.recency),
            Tuned(self.name, settings, best.ndcg, tries * len(recencies)),
            baseline=True,
            exams=frozenset(one.name for one in exams),
        )


@dataclass(frozen=True, slots=True)
class Dev:
    """What settings are chosen by.

    Attributes
    ----------
    material
        What may be learnt from.
    questions
        Who is asked.
    among
        Only these items are ranked, shape (n,); None for all of them.
    """

    material: Material
    questions: Sequence[Question]
    among: Mask | None = None

    def ndcg(self, model: Model, recency: float) -> float:
        """Return the NDCG@10 that a model reaches."""
        system = scoring("", model, len(self.material.catalogue.ids), recency)
        return float(gains(system.target_ranks(self.questions, self.among)).mean())


def scoring(name: str, model: Model, items: int, recency: float) -> Scoring:
    """Return a fitted model as a system."""

    def score(asked: Sequence[Question]) -> Vector:
        return model.scores(profiles(asked, items, recency))

    return Scoring(name, score)


def search(
    fit: Fit[ModelT],
    grid: Mapping[str, Sequence[float]],
    recencies: Sequence[float],
    dev: Dev,
    tick: Callable[[int], None],
) -> Trial[ModelT]:
    """Return the best model by NDCG@10 on `dev`, `one_by_one`; every fit tries every recency."""

    def attempt(one: Chosen) -> Trial[ModelT]:
        model = fit(dev.material, one)
        reached = [dev.ndcg(model, recency) for recency in recencies]
        first = int(np.argmax(reached))
        return Trial(model, one, recencies[first], reached[first])

    return one_by_one(grid, attempt, tick)
