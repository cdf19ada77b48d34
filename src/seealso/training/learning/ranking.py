"""How a model that is trained ranks the catalogue, with and without whitening."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seealso.datasets.questions import Places, Question
from seealso.datasets.ranks import gains, metrics, profile_vectors, target_ranks
from seealso.encoder import fit_projection
from seealso.types import Vector

_TEXTS_AT_ONCE = 64


@dataclass(frozen=True)
class Ranked:
    """What one set of raw vectors ranks, with and without whitening.

    Attributes
    ----------
    plain, whitened
        Ranks of the targets by the vectors as they are, and after a projection fitted on the
        catalogue; shape (users,).
    """

    plain: Places
    whitened: Places

    @property
    def whiten(self) -> bool:
        """Whether whitening ranks better."""
        return bool(gains(self.whitened).mean() >= gains(self.plain).mean())

    @property
    def best(self) -> dict[str, float]:
        """The metrics of the better of both."""
        return metrics(self.ranks(self.whiten))

    def ranks(self, whiten: bool) -> Places:
        """Return the ranks of the targets with or without whitening, shape (users,)."""
        return self.whitened if whiten else self.plain


def rank(
    raw: Vector,
    questions: Sequence[Question],
    *,
    recency: float,
    most: int,
    users: Vector | None = None,
) -> Ranked:
    """Rank the catalogue for every user.

    Parameters
    ----------
    raw
        Unit vectors of the catalogue as the model gives them, shape (n, d).
    questions
        The users and what they chose.
    recency, most
        How a profile is made of item vectors.
    users
        Raw vectors of the users' texts, shape (users, d), if profiles are texts.
    """
    projection = fit_projection(raw, whiten=True, dimension=None)
    spread = projection.apply(raw)
    if users is None:
        plain = profile_vectors(raw, questions, recency, most)
        white = profile_vectors(spread, questions, recency, most)
    else:
        plain, white = users, projection.apply(users)
    return Ranked(target_ranks(plain, raw, questions), target_ranks(white, spread, questions))


def encode(model: Any, texts: Sequence[str]) -> Vector:
    """Return the vectors of `texts`, shape (n, d), from a ``SentenceTransformer``."""
    encoded = model.encode(
        list(texts), batch_size=_TEXTS_AT_ONCE, show_progress_bar=False, convert_to_numpy=True
    )
    return np.asarray(encoded, dtype=np.float32)
