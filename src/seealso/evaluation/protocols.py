"""Protocols: the questions, and the events that are known. No question is ever learnt from.

A holdout is one state of knowledge; protocols of the same holdout ask the same fitted systems.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b, sha256
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.config import Settings
from seealso.datasets.dataset import Dataset, Events, Items, read_dataset
from seealso.datasets.questions import Places, Question, sample
from seealso.errors import DataError
from seealso.evaluation.segments import new_users, segments
from seealso.wording import format_count

FEW: Final = (1, 2, 3, 5)
"""Lengths that ``few-shot`` cuts histories to."""

COLD_SHARE: Final = 0.1
FEWEST_COLD: Final = 5
"""With fewer cold items, results would depend on these items, not on the method."""


@dataclass(frozen=True)
class EvaluationProtocol:
    """The same questions to every system.

    Attributes
    ----------
    name
        Which protocol.
    questions
        The questions, with the histories as they are known.
    among
        Only these items are ranked, shape (n,); None for all of them.
    parts
        Names of parts of the users, with the positions of their questions; all of them first.
    headline
        The metric by which systems are compared.
    for_groups
        Whether lists are for groups: those who rank for users alone take no part.
    """

    name: str
    questions: Sequence[Question]
    among: npt.NDArray[np.bool_] | None
    parts: Sequence[tuple[str, Places]]
    headline: str = "ndcg@10"
    for_groups: bool = False

    def signature(self, ids: Sequence[str]) -> str:
        """Return 16 hex digits of the questions over the items `ids`."""
        among = () if self.among is None else np.flatnonzero(self.among).tolist()
        state = sha256(repr((self.name, tuple(ids), among)).encode("utf-8", "replace"))
        for one in self.questions:
            facts = (one.user_id, one.history.tolist(), one.target, one.seen.tolist())
            state.update(repr(facts).encode("utf-8", "replace"))
        return state.hexdigest()[:16]


@dataclass(frozen=True)
class Holdout:
    """One state of knowledge, and the protocols that are held in it.

    Attributes
    ----------
    dataset
        What may be learnt from. Its test questions are empty.
    dev
        Questions that settings may be chosen by.
    split
        How the events were cut: ``leave-one-out`` or ``temporal``.
    cold
        Items that lost every event, shape (n,).
    protocols
        The protocols.
    """

    dataset: Dataset
    dev: Sequence[Question]
    split: str
    cold: npt.NDArray[np.bool_]
    protocols: tuple[EvaluationProtocol, ...]

    @property
    def for_users(self) -> tuple[EvaluationProtocol, ...]:
        """The protocols that ask for lists of users."""
        return tuple(one for one in self.protocols if not one.for_groups)


def hold_out(
    settings: Settings,
    items: Items,
    events: Events,
    *,
    names: Sequence[str],
    split: str,
    most_users: int | None = None,
) -> tuple[Holdout, ...]:
    """Read the dataset and prepare the protocols `names`.

    Parameters
    ----------
    settings
        ``text``, ``events.positive``, ``training`` and ``importance.tail_quantile`` are used.
    items, events
        Give the batches of the catalogue and the event frames.
    names
        Of `seealso.evaluation.PROTOCOLS`.
    split
        ``dev`` or ``test``.
    most_users
        Ask at most so many users in each protocol, drawn by ``training.seed``; all by default.

    Raises
    ------
    DataError
        There is nothing to learn from, there are no questions, or a protocol has too few items.
    """
    held: list[Holdout] = []
    drawn = _sampler(settings, most_users)
    if set(names) & {"leave-one-out", "cold", "few-shot"}:
        dataset = read_dataset(_cut(settings, "leave-one-out"), items, events)
        warm = drawn(dataset.test if split == "test" else dataset.dev)
        protocols = [_whole("leave-one-out", dataset, warm, settings)]
        protocols = protocols if "leave-one-out" in names else []
        if "few-shot" in names:
            protocols += [few_shot(warm, length) for length in FEW]
        if protocols:
            held.append(_holdout(settings, dataset, "leave-one-out", protocols))
        if "cold" in names:
            held.append(cold_items(dataset, split, drawn, settings.training.dev_users))
    if "temporal" in names:
        try:
            dataset = read_dataset(_cut(settings, "temporal"), items, events)
        except DataError as exc:
            hint = "leave this protocol out, or check events.time and the shares of the split"
            raise type(exc)(f"temporal: {exc.message}", hint=hint) from exc
        questions = drawn(dataset.test if split == "test" else dataset.dev)
        protocol = _whole("temporal", dataset, questions, settings)
        held.append(_holdout(settings, dataset, "temporal", [protocol]))
    return tuple(held)


Draw = Callable[[Sequence[Question]], Sequence[Question]]


def known_events(events: Events, holdout: Holdout) -> pl.DataFrame:
    """Return the event rows that may be known in a holdout, dislikes and repetitions too.

    They are what an index of that moment would be built from: nothing from a user's first question
    on, and nothing of cold items.

    Parameters
    ----------
    events
        Gives the event frames that the holdout was read from.
    holdout
        What may be known.
    """
    rows = pl.concat(list(events()))[holdout.dataset.known]
    cold = [holdout.dataset.catalogue.ids[place] for place in np.flatnonzero(holdout.cold)]
    return rows.filter(~pl.col("item_id").is_in(cold))


def few_shot(questions: Sequence[Question], length: int) -> EvaluationProtocol:
    """Return the protocol with every history cut to its newest `length` items.

    Shorter histories are used as they are; seen items stay left out.
    """
    cut = [replace(one, history=one.history[:length]) for one in questions]
    return EvaluationProtocol(f"few-shot {length}", cut, None, [("all", np.arange(len(cut)))])


def is_cold(item_id: str) -> bool:
    """Whether an item loses its events: one of ten, by a hash of the id, in any catalogue."""
    digest = blake2b(item_id.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < COLD_SHARE


def cold_items(dataset: Dataset, split: str, drawn: Draw, most_dev: int) -> Holdout:
    """Take every event of one item in ten away and ask who chose these items.

    Each user whose behaviour holds a cold item after a warm one is asked for the newest of the
    cold ones; the history is what is warm before it. Every other item of the user is left out of
    the ranking: it is neither right nor wrong. The users are cut in two halves, so that dev and
    test ask different people.

    Parameters
    ----------
    dataset
        Its sequences are what training may know; its own dev questions stay in it, without cold
        items.
    split
        ``dev`` or ``test``.
    drawn
        Draws at most as many questions as are wanted.
    most_dev
        Most questions that settings may be chosen by.

    Raises
    ------
    DataError
        Too few items are cold, or one of the halves has no questions.
    """
    cold = np.array([is_cold(item_id) for item_id in dataset.catalogue.ids])
    if cold.sum() < FEWEST_COLD:
        raise DataError(
            f"cold: {int(cold.sum())} of {len(cold):,} items would be cold, at least "
            f"{FEWEST_COLD} are needed",
            hint="leave this protocol out, or take a larger catalogue",
        )
    warm = tuple(tuple(i for i in one if not cold[i]) for one in dataset.sequences)
    halves: tuple[list[Question], list[Question]] = ([], [])
    for number, sequence in enumerate(dataset.sequences):
        question = _cold_question(sequence, cold)
        if question is not None:
            halves[number % 2].append(question)
    questions = drawn(halves[1] if split == "test" else halves[0])
    dev = drawn(halves[0])
    if not questions or not dev:
        raise DataError(
            f"cold: none of {format_count(len(warm), 'user')} chose a cold item after a warm one",
            hint="leave this protocol out; more behaviour is needed",
        )
    everyone = [("all", np.arange(len(questions)))]
    protocols = (
        EvaluationProtocol("cold", questions, None, everyone, "ndcg@20"),
        EvaluationProtocol("cold among cold", questions, cold, everyone, "ndcg@20"),
    )
    own = [left for one in dataset.dev if (left := _without(one, cold)) is not None]
    # who learnt from the whole dataset learnt from events of cold items
    signature = sha256(f"{dataset.signature} without cold items".encode()).hexdigest()[:16]
    unchosen = frozenset(place for place in dataset.unchosen if not cold[place])
    known = replace(
        dataset, sequences=warm, dev=own, test=(), signature=signature, unchosen=unchosen
    )
    return Holdout(known, dev[:most_dev], "leave-one-out", cold, protocols)


def _holdout(
    settings: Settings, dataset: Dataset, split: str, protocols: Sequence[EvaluationProtocol]
) -> Holdout:
    training = settings.training
    nothing = np.zeros(len(dataset.catalogue.ids), dtype=bool)
    dev = sample(dataset.dev, training.dev_users, training.seed)
    return Holdout(replace(dataset, test=()), dev, split, nothing, tuple(protocols))


def _cold_question(sequence: Sequence[int], cold: npt.NDArray[np.bool_]) -> Question | None:
    """Return the question for the newest cold item that has a warm one before it."""
    for place in range(len(sequence) - 1, 0, -1):
        if cold[sequence[place]]:
            history = [item for item in reversed(sequence[:place]) if not cold[item]]
            if not history:
                return None
            target = sequence[place]
            seen = np.array([item for item in sequence if item != target], dtype=np.int64)
            return Question(np.array(history, dtype=np.int64), target, seen)
    return None


def _without(question: Question, cold: npt.NDArray[np.bool_]) -> Question | None:
    history = question.history[~cold[question.history]]
    if cold[question.target] or not len(history):
        return None
    return replace(question, history=history)


def _whole(
    name: str, dataset: Dataset, questions: Sequence[Question], settings: Settings
) -> EvaluationProtocol:
    """Return a protocol of all users, in parts."""
    counts = dataset.event_counts()
    edge = np.quantile(counts, settings.importance.tail_quantile)
    tail = np.flatnonzero(counts[[question.target for question in questions]] <= edge)
    parts = segments(dataset, questions) + new_users(questions)
    if len(tail):
        parts.append(("long tail", tail))
    return EvaluationProtocol(name, questions, None, parts)


def _cut(settings: Settings, split: str) -> Settings:
    training = settings.training.model_copy(update={"split": split})
    return settings.model_copy(update={"training": training})


def _sampler(settings: Settings, most: int | None) -> Draw:
    def drawn(questions: Sequence[Question]) -> Sequence[Question]:
        return sample(questions, most or len(questions), settings.training.seed)

    return drawn
