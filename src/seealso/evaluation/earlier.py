"""An evaluation of before, read from its file: whether it asked the same, and what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from seealso.datasets.intervals import Values, estimate, sign_flip
from seealso.datasets.questions import Places, Question
from seealso.errors import DataError
from seealso.evaluation.changes import Answers, Change, Contrast, Move
from seealso.evaluation.metrics import DEPTH, PAIRED, per_user
from seealso.evaluation.protocols import EvaluationProtocol, Holdout
from seealso.evaluation.results import Evaluation, ProtocolResult
from seealso.evaluation.scores import BeyondAccuracy
from seealso.evaluation.showing import EXAMPLES, SHOWN

AGAIN: Final = "run the earlier evaluation again with this version, and give its evaluation.json"


@dataclass(frozen=True)
class Earlier:
    """What an evaluation found before.

    Attributes
    ----------
    name
        What the file is called in messages.
    found
        What it holds.
    """

    name: str
    found: Evaluation

    @classmethod
    def read(cls, file: Path) -> "Earlier":
        """Read an ``evaluation.json``.

        Raises
        ------
        DataError
            It cannot be read, or holds no evaluation.
        """
        try:
            return cls(str(file), TypeAdapter(Evaluation).validate_json(file.read_bytes()))
        except OSError as exc:
            raise DataError(
                f"{file}: cannot be read: {exc.strerror}",
                hint="--before takes the evaluation.json that --out FOLDER wrote",
                file=str(file),
            ) from exc
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(
                f"{file}: not an evaluation: {where + ': ' if where else ''}{first['msg']}",
                hint="--before takes the evaluation.json that --out FOLDER wrote",
                file=str(file),
            ) from exc

    def protocol(self, name: str) -> ProtocolResult:
        """Return what a protocol found.

        Raises
        ------
        DataError
            It was not held.
        """
        for one in self.found.protocols:
            if one.name == name:
                return one
        held = ", ".join(one.name for one in self.found.protocols) or "none"
        raise DataError(
            f"{self.name}: {name} is not in that evaluation (it has: {held})",
            hint=f"leave this protocol out, or {AGAIN}",
            protocol=name,
        )

    def differs(self, data: Mapping[str, int | float | str]) -> dict[str, tuple[str, str]]:
        """Return which counts and settings are not those of `data`, ``{name: (before, now)}``."""
        names = dict.fromkeys((*self.found.data, *data))
        facts = {name: (str(self.found.data.get(name, "")), str(data.get(name, "")))
                for name in names}  # fmt: skip
        return {name: both for name, both in facts.items() if both[0] != both[1]}

    def check_all(self, held: Sequence[Holdout], split: str) -> None:
        """Check every protocol of some holdouts, as `check` does."""
        for holdout in held:
            for protocol in holdout.protocols:
                self.check(protocol, holdout.dataset.catalogue.ids, split)

    def check(self, protocol: EvaluationProtocol, ids: Sequence[str], split: str) -> None:
        """Check that the earlier evaluation has the same questions, before anything is measured.

        Parameters
        ----------
        protocol
            The current protocol.
        ids
            The items of the catalogue.
        split
            ``dev`` or ``test``.

        Raises
        ------
        DataError
            Something else was asked, or the file does not hold what every user got.
        """
        before = self.protocol(protocol.name)
        if before.split != split:
            raise DataError(
                f"{self.name}: {protocol.name} has {before.split} in that evaluation, and {split} "
                f"now",
                hint=AGAIN,
                name=protocol.name,
            )
        if not before.signature:
            raise DataError(
                f"{self.name}: it does not contain the lists of every user: an older version "
                f"wrote it",
                hint=AGAIN,
            )
        if before.signature != protocol.signature(ids):
            raise DataError(
                f"{self.name}: {protocol.name} has other users or other items in that evaluation",
                hint="both need the same catalogue, events, split, seed and --users",
                name=protocol.name,
            )
        own = [one for one in before.answers if one.system in before.ours]
        if not own:
            raise DataError(
                f"{self.name}: {protocol.name} has no index in that evaluation",
                hint="run the earlier evaluation again, without --no-index",
                name=protocol.name,
            )
        for one in own:
            if not _whole(one, len(protocol.questions), len(ids)):
                raise DataError(
                    f"{self.name}: the answers of {one.system} in {protocol.name} are damaged",
                    hint=AGAIN,
                    name=protocol.name,
                )


def _whole(answers: Answers, users: int, items: int) -> bool:
    """Whether there is a rank and a list for each user, and nothing that is no item."""
    try:
        ranks, lists = answers.ranked(), answers.listed()
    except ValueError:
        return False
    if len(ranks) != users or len(lists) != users:
        return False
    return _within(ranks, DEPTH + 1) and _within(np.concatenate(lists), items)


def _within(numbers: Places, limit: int) -> bool:
    return bool(((numbers >= 0) & (numbers < limit)).all())


def changes(
    before: ProtocolResult,
    now: ProtocolResult,
    protocol: EvaluationProtocol,
    titles: Sequence[str],
    seed: int,
) -> tuple[Change, ...]:
    """Compare what the product answered in one protocol, before and now.

    Parameters
    ----------
    before, now
        What it found; both asked the same.
    protocol
        The questions, which are split into parts.
    titles
        What the items are called, shape (n,).
    seed
        Seed of what is drawn.
    """
    earlier = {one.system: one for one in before.answers if one.system in before.ours}
    return tuple(
        _change(before, now, protocol, (earlier[one.system], one), titles, seed)
        for one in now.answers
        if one.system in now.ours and one.system in earlier
    )


def _change(
    before: ProtocolResult,
    now: ProtocolResult,
    protocol: EvaluationProtocol,
    answers: tuple[Answers, Answers],
    titles: Sequence[str],
    seed: int,
) -> Change:
    old, new = answers
    ranks = old.ranked(), new.ranked()
    values = per_user(ranks[0]), per_user(ranks[1])
    lists = [(one, other) for one, other in zip(old.listed(), new.listed(), strict=True)]
    overlaps = np.array([len(np.intersect1d(one, other)) for one, other in lists])
    sizes = np.array([max(len(one), len(other), 1) for one, other in lists])
    paired = values[1][protocol.headline] - values[0][protocol.headline]
    return Change(
        system=new.system,
        moves=tuple(_move(part, places, ranks, values, seed) for part, places in protocol.parts),
        p=sign_flip(paired, seed),
        overlap=float((overlaps / sizes).mean()),
        beyond_accuracy=_beyond_accuracy(before, now, new.system),
        contrasts=tuple(
            _contrast(protocol.questions[row], lists[row], int(overlaps[row]), titles)
            for row in _to_read(overlaps / sizes, paired)
        ),
    )


def _to_read(overlaps: Values, paired: Values) -> list[int]:
    """Return the users whose lists changed most, then those for whom it mattered most."""
    changed = [row for row in np.argsort(overlaps, kind="stable") if overlaps[row] < 1]
    moved = [row for row in np.argsort(-np.abs(paired), kind="stable") if paired[row]]
    first = changed[: EXAMPLES // 2]
    return [*first, *(row for row in moved if row not in first)][:EXAMPLES]


def _move(
    part: str,
    places: Places,
    ranks: tuple[Places, Places],
    values: tuple[Mapping[str, Values], Mapping[str, Values]],
    seed: int,
) -> Move:
    # what is not shown stands below everything that is
    old, new = (np.where(one[places] == 0, np.iinfo(np.int64).max, one[places]) for one in ranks)
    before, after = ({name: one[places] for name, one in own.items()} for own in values)
    return Move(
        part=part,
        users=len(places),
        before={name: float(one.mean()) for name, one in before.items()},
        after={name: float(one.mean()) for name, one in after.items()},
        differences={name: estimate(after[name] - before[name], seed) for name in PAIRED},
        gained=int((new < old).sum()),
        lost=int((new > old).sum()),
    )


def _contrast(
    question: Question, lists: tuple[Places, Places], overlap: int, titles: Sequence[str]
) -> Contrast:
    before, after = (tuple(titles[place] for place in one) for one in lists)
    history = tuple(titles[place] for place in question.history[:SHOWN])
    return Contrast(question.user_id, history, titles[question.target], before, after, overlap)


def _beyond_accuracy(
    before: ProtocolResult, now: ProtocolResult, system: str
) -> dict[str, tuple[float, float]]:
    old, new = _measures(before, system), _measures(now, system)
    return {name: (old[name], new[name]) for name in old if name in new}


def _measures(found: ProtocolResult, system: str) -> dict[str, float]:
    measures: dict[str, float] = {}
    for one in found.beyond_accuracy:
        if one.system == system:
            measures |= _named(one)
    for each in found.reliability:
        if each.system == system:
            measures["calibration error"] = each.error
    return measures


def _named(one: BeyondAccuracy) -> dict[str, float]:
    return {
        "coverage": one.coverage,
        "novelty": one.novelty,
        "popularity bias": one.popularity_bias,
        **{f"places, {group}": share for group, share in one.exposure.items()},
    }
