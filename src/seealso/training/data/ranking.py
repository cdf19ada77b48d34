"""How good is a model? Asked of every dev user, over the whole catalogue, never a sample of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from seealso.encoder import fit_projection
from seealso.readers import Case
from seealso.training.data.pairs import Catalogue
from seealso.types import Vector

USERS_AT_ONCE = 512
"""Users whose scores of the whole catalogue are in memory together."""
_TEXTS_AT_ONCE = 64

Places = npt.NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """A case in positions of the catalogue; items that are not in it are left out."""

    history: Places
    target: int
    seen: Places
    user_id: str = ""


def questions(cases: Sequence[Case], catalogue: Catalogue) -> list[Question]:
    """Return the cases that can be asked: history and target have a text."""
    place = catalogue.place

    def places(ids: Sequence[str]) -> Places:
        return np.array([place[name] for name in ids if name in place], dtype=np.int64)

    asked = []
    for case in cases:
        history = places(case.history)
        if case.target in place and len(history):
            seen = places(sorted(case.seen))
            asked.append(Question(history, place[case.target], seen, case.user_id))
    return asked


def profile_vectors(
    vectors: Vector, asked: Sequence[Question], recency: float, most: int
) -> Vector:
    """Return the profile of each user from item vectors, as the query does.

    Parameters
    ----------
    vectors
        Unit vectors of the catalogue, shape (n, d).
    asked
        The users.
    recency
        Weight of a history item relative to the next newer one.
    most
        Newest items that take part.

    Returns
    -------
    Vector
        Shape (users, d); not of unit length, which changes no ranking.
    """
    out = np.zeros((len(asked), vectors.shape[1]), dtype=np.float32)
    for row, question in enumerate(asked):
        recent = question.history[:most]
        weights = np.power(np.float32(recency), np.arange(len(recent), dtype=np.float32))
        out[row] = weights @ vectors[recent]
    return out


def target_ranks(users: Vector, vectors: Vector, asked: Sequence[Question]) -> Places:
    """Return the rank of each target among all items not seen, 1 being the best.

    Items that tie with the target stand before it, and so do all others if its score is NaN.
    """
    ranks = np.empty(len(asked), dtype=np.int64)
    for start in range(0, len(asked), USERS_AT_ONCE):
        chunk = asked[start : start + USERS_AT_ONCE]
        ranks[start : start + len(chunk)] = ranks_among(
            users[start : start + len(chunk)] @ vectors.T, chunk
        )
    return ranks


def ranks_among(scores: Vector, asked: Sequence[Question]) -> Places:
    """Return the rank of each target, as `target_ranks` does, from scores of shape (users, n)."""
    ranks = np.empty(len(asked), dtype=np.int64)
    for row, question in enumerate(asked):
        own = scores[row, question.target]
        # not below it, rather than above or equal: a model of NaN must not rank best
        before = int((~(scores[row] < own)).sum()) - 1
        before -= int((~(scores[row, question.seen] < own)).sum())
        ranks[row] = before + 1
    return ranks


def gains(ranks: Places, depth: int = 10) -> npt.NDArray[np.float64]:
    """Return NDCG at `depth` of each user, shape (users,): 1 / log2(rank + 1) up to it, else 0."""
    return np.where(ranks <= depth, 1.0 / np.log2(ranks + 1.0), 0.0)


def metrics(ranks: Places) -> dict[str, float]:
    """Return hit rates and NDCG@10 for one target a user (NDCG is then 1 / log2(rank + 1))."""
    return {
        "hr@1": float((ranks <= 1).mean()),
        "hr@10": float((ranks <= 10).mean()),
        "hr@20": float((ranks <= 20).mean()),
        "ndcg@10": float(gains(ranks).mean()),
    }


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
        """The better of both."""
        return self.of(self.whiten)

    def of(self, whiten: bool) -> dict[str, float]:
        """Return the metrics with or without whitening."""
        return metrics(self.ranks(whiten))

    def ranks(self, whiten: bool) -> Places:
        """Return the ranks of the targets with or without whitening, shape (users,)."""
        return self.whitened if whiten else self.plain


def rank(
    raw: Vector,
    asked: Sequence[Question],
    *,
    recency: float,
    most: int,
    user_texts: Callable[[Sequence[Question]], Vector] | None = None,
) -> Ranked:
    """Rank the catalogue for every user.

    Parameters
    ----------
    raw
        Unit vectors of the catalogue as the model gives them, shape (n, d).
    asked
        The users and what they chose.
    recency, most
        How a profile is made of item vectors.
    user_texts
        Gives the raw vectors of the users' texts, shape (users, d), if profiles are texts.
    """
    projection = fit_projection(raw, whiten=True, dimension=None)
    spread = projection.apply(raw)
    if user_texts is None:
        plain = profile_vectors(raw, asked, recency, most)
        white = profile_vectors(spread, asked, recency, most)
    else:
        plain = user_texts(asked)
        white = projection.apply(plain)
    return Ranked(target_ranks(plain, raw, asked), target_ranks(white, spread, asked))


def sample(asked: Sequence[T], most: int, seed: int) -> list[T]:
    """Return at most `most` of what is given, in its order, the same for the same seed."""
    if len(asked) <= most:
        return list(asked)
    chosen = np.random.default_rng(seed).choice(len(asked), size=most, replace=False)
    return [asked[place] for place in sorted(chosen)]


def encode(model: Any, texts: Sequence[str]) -> Vector:
    """Return the vectors of `texts`, shape (n, d), from a ``SentenceTransformer``."""
    encoded = model.encode(
        list(texts), batch_size=_TEXTS_AT_ONCE, show_progress_bar=False, convert_to_numpy=True
    )
    return np.asarray(encoded, dtype=np.float32)
