"""What every way of learning needs: the dataset, and a measure of how good a model is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from seealso.config import Settings
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.encoder import UserText
from seealso.errors import SeeAlsoError
from seealso.log import progress
from seealso.training.backbones.sources import Backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.learning.ranking import Ranked, encode, rank
from seealso.training.learning.watching import UNWATCHED, Watcher
from seealso.training.quiet import quiet
from seealso.types import Vector

_AT_ONCE: Final = 2048
_LEAST_SPREAD: Final = 1e-6


@dataclass(frozen=True)
class Learnt:
    """What a way of learning ends with.

    Attributes
    ----------
    backbone
        The model to export.
    raw
        Its unit vectors of the catalogue, shape (n, d).
    pairs, steps
        What was learnt from, and how long.
    trained, total
        How many parameters learnt, and how many there are.
    """

    backbone: Backbone
    raw: Vector
    pairs: int
    steps: int
    trained: int
    total: int


@dataclass(frozen=True)
class LearningContext:
    """The dataset with the settings that say how it is read.

    Attributes
    ----------
    settings
        ``training``, ``text`` and ``profile`` are used.
    dataset
        What is learnt and asked.
    watcher
        Follows the run.
    """

    settings: Settings
    dataset: Dataset
    watcher: Watcher = UNWATCHED

    def anchor_text(self, history: Sequence[str]) -> str:
        """Return the text of a user with this history, newest first."""
        # what does not fit is cut by the tokenizer: counting tokens would cost a pass a pair
        return self.settings.training.user_prefix + self._user_text.render(
            words="", attributes={}, history=history, budget=len(history), count_tokens=_none
        )

    @cached_property
    def _user_text(self) -> UserText:
        # compiled once: a text is rendered for every pair
        return UserText(self.settings.text)

    def encode(self, backbone: Backbone, label: str) -> Vector:
        """Return the raw unit vectors of the catalogue, shape (n, d), with progress."""
        return self.read(backbone, self.item_texts(), label)

    def read(self, backbone: Backbone, texts: Sequence[str], label: str) -> Vector:
        """Return the raw unit vectors of `texts`, shape (n, d), with progress."""
        model = as_model(TextTower(backbone))
        rows = []
        with progress(label, len(texts)) as tick, quiet():
            for start in range(0, len(texts), _AT_ONCE):
                chunk = texts[start : start + _AT_ONCE]
                rows.append(encode(model, chunk))
                tick(len(chunk))
        return np.concatenate(rows)

    def item_texts(self) -> list[str]:
        """Return the item texts as the model reads them."""
        prefix = self.settings.training.item_prefix
        return [prefix + text for text in self.dataset.catalogue.texts]

    def rank(self, model: Any, raw: Vector, questions: Sequence[Question]) -> Ranked:
        """Rank the catalogue for each of the questions.

        Parameters
        ----------
        model
            The ``SentenceTransformer`` that made `raw`: it reads users where profiles are texts.
        raw
            Raw vectors of the catalogue, shape (n, d).
        questions
            The questions.

        Raises
        ------
        SeeAlsoError
            The model has diverged.
        """
        _check_alive(raw)
        profile, texts = self.settings.profile, self.dataset.catalogue.texts
        most, users = profile.history_items, None
        if profile.history_as == "text":
            histories = [[texts[place] for place in one.history[:most]] for one in questions]
            users = encode(model, list(map(self.anchor_text, histories)))
        return rank(raw, questions, recency=profile.recency, most=most, users=users)

    def measure(self, model: Any) -> Callable[[], dict[str, float]]:
        """Return the dev metrics of `model`, a ``SentenceTransformer``, as it is when called."""

        def metrics() -> dict[str, float]:
            return self.rank(model, encode(model, self.item_texts()), self.dataset.dev).best

        return metrics


def _check_alive(raw: Vector) -> None:
    spread = float(raw.std(axis=0).max())
    # not below, rather than above: NaN compares as false
    if not spread > _LEAST_SPREAD:
        raise SeeAlsoError(
            "the model has diverged: it gives every item the same score",
            hint="lower training.learning_rate",
        )


def _none(_text: str) -> int:
    return 0
