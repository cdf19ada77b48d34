"""An evaluation of before, read from its file: whether it asked the same, and what has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import TypeAdapter, ValidationError

from seealso.datasets.intervals import Values, sign_flip
from seealso.datasets.questions import Places
from seealso.errors import DataError
from seealso.evaluation.changes import Answers, Change, Move
from seealso.evaluation.metrics import DEPTH, per_user
from seealso.evaluation.protocols import EvaluationProtocol, Holdout
from seealso.evaluation.results import Evaluation, ProtocolResult
from seealso.evaluation.showing import EXAMPLES, example

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
        except (OSError, ValidationError) as exc:
            raise DataError(
                f"{file}: {_describe_problem(exc)}",
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
        raise self._refuse(
            f"{name} is not in that evaluation (it has: {held})",
            name,
            f"leave this protocol out, or {AGAIN}",
        )

    def differs(self, data: Mapping[str, int | float | str]) -> dict[str, tuple[str, str]]:
        """Return which counts and settings are not those of `data`, ``{name: (before, now)}``."""
        names = dict.fromkeys((*self.found.data, *data))
        pairs = {name: (str(self.found.data.get(name, "")), str(data.get(name, "")))
                 for name in names}  # fmt: skip
        return {name: both for name, both in pairs.items() if both[0] != both[1]}

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
        name, before = protocol.name, self.protocol(protocol.name)
        if before.split != split:
            raise self._refuse(
                f"{name} has {before.split} in that evaluation, and {split} now", name
            )
        if not before.signature:
            raise self._refuse(
                "it does not contain the lists of every user: an older version wrote it", name
            )
        if before.signature != protocol.signature(ids):
            raise self._refuse(
                f"{name} has other users or other items in that evaluation",
                name,
                "both need the same catalogue, events, split, seed and --users",
            )
        own = [one for one in before.answers if one.system in before.ours]
        if not own:
            raise self._refuse(
                f"{name} has no index in that evaluation",
                name,
                "run the earlier evaluation again, without --no-index",
            )
        for one in own:
            if not _whole(one, len(protocol.questions), len(ids)):
                raise self._refuse(f"the answers of {one.system} in {name} are damaged", name)

    def _refuse(self, why: str, protocol: str, hint: str = AGAIN) -> DataError:
        return DataError(f"{self.name}: {why}", hint=hint, protocol=protocol)


def _describe_problem(exc: OSError | ValidationError) -> str:
    if isinstance(exc, OSError):
        return f"cannot be read: {exc.strerror}"
    first = exc.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"not an evaluation: {place + ': ' if place else ''}{first['msg']}"


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
    ranks, ranks_now = old.ranked(), new.ranked()
    lists, lists_now = old.listed(), new.listed()
    pairs = zip(lists, lists_now, strict=True)
    same = np.array(
        [len(np.intersect1d(one, other)) / max(len(one), len(other), 1) for one, other in pairs]
    )
    paired = per_user(ranks_now)[protocol.headline] - per_user(ranks)[protocol.headline]
    return Change(
        system=new.system,
        moves=tuple(
            Move.of(part, ranks[rows], ranks_now[rows], seed) for part, rows in protocol.parts
        ),
        p=sign_flip(paired, seed),
        overlap=float(same.mean()),
        beyond_accuracy=_beyond_accuracy(before, now, new.system),
        contrasts=tuple(
            example(
                protocol.questions[row], {"before": lists[row], "after": lists_now[row]}, titles
            )
            for row in _to_read(same, paired)
        ),
    )


def _to_read(overlaps: Values, paired: Values) -> list[int]:
    """Return the users whose lists changed most, then those for whom it mattered most."""
    changed = [row for row in np.argsort(overlaps, kind="stable") if overlaps[row] < 1]
    moved = [row for row in np.argsort(-np.abs(paired), kind="stable") if paired[row]]
    first = changed[: EXAMPLES // 2]
    return [*first, *(row for row in moved if row not in first)][:EXAMPLES]


def _beyond_accuracy(
    before: ProtocolResult, now: ProtocolResult, system: str
) -> dict[str, tuple[float, float]]:
    old, new = _measures(before, system), _measures(now, system)
    return {name: (old[name], new[name]) for name in old if name in new}


def _measures(found: ProtocolResult, system: str) -> dict[str, float]:
    measures: dict[str, float] = {}
    for one in found.beyond_accuracy:
        if one.system == system:
            shares = {f"places, {group}": share for group, share in one.exposure.items()}
            measures |= {
                "coverage": one.coverage,
                "novelty": one.novelty,
                "popularity bias": one.popularity_bias,
                **shares,
            }
    for each in found.reliability:
        if each.system == system:
            measures["calibration error"] = each.error
    return measures
