"""Holds exams: every system answers the same questions, and what it found becomes results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from seealso.config import Settings
from seealso.datasets.dataset import Events, Items, Material
from seealso.datasets.intervals import Values
from seealso.datasets.questions import Places
from seealso.evaluation.beyond import beyond
from seealso.evaluation.changes import Answers
from seealso.evaluation.earlier import Earlier, changes
from seealso.evaluation.exams import Exam, Sitting, sittings
from seealso.evaluation.fairness import Groups, treatments
from seealso.evaluation.metrics import DEPTH, pairings, per_user, ranks_in, scores
from seealso.evaluation.reliability import reliability
from seealso.evaluation.results import Evaluation, ExamResult, Treatment, Tuned
from seealso.evaluation.segments import attribute_segments
from seealso.evaluation.showing import SHOWN, Labels, examples, read_labels
from seealso.evaluation.systems import Contender, Entrant, Lists
from seealso.log import progress
from seealso.readers import Pseudonyms


def evaluate(
    settings: Settings,
    items: Items,
    events: Events,
    contenders: Sequence[Contender],
    *,
    exams: Sequence[str],
    asked: str,
    by: str | None = None,
    most_users: int | None = None,
    before: Earlier | None = None,
    groups: Groups | None = None,
    names: Pseudonyms | None = None,
) -> Evaluation:
    """Ask every contender in every exam, over the whole catalogue.

    Parameters
    ----------
    settings
        ``text``, ``events.positive``, ``training``, ``catalogue`` and ``importance`` are used.
    items, events
        Give the batches of the catalogue and the event frames.
    contenders
        Who is examined. Each is prepared anew for each state of knowledge, and released before
        the next one comes: one model is in memory at a time.
    exams
        Of `seealso.evaluation.exams.EXAMS`.
    asked
        ``dev`` or ``test``. Settings are always chosen on dev.
    by
        A field of the catalogue by whose values users and exposure are told apart.
    most_users
        Ask at most so many users in each exam; all by default.
    before
        An earlier evaluation, to compare the product with what it was then.
    groups
        Groups of users, to see whether they are served alike.
    names
        Gives the pseudonyms that stand for users in the results; by default some that are drawn
        for this evaluation alone.

    Raises
    ------
    ConfigError
        No item has the field `by`.
    DataError
        Nothing can be learnt, nobody can be asked about, or `before` asked something else.
    MissingExtraError
        A library of the extra ``evaluate`` is not installed.
    """
    began = perf_counter()
    with progress("reading"):
        held = sittings(settings, items, events, names=exams, asked=asked, most_users=most_users)
        material = held[0].material
        if before is not None:
            before.check_all(held, asked)
        labels = read_labels(settings, items, material.catalogue.place, by)
    show = _Marker(labels, settings.training.seed, asked, before, groups)
    found = (result for one in held for result in _hold(one, contenders, show))
    results = [_without_ids(one, names or Pseudonyms.drawn()) for one in found]
    told = _told(settings, material)
    return Evaluation(
        material.signature,
        told,
        tuple(results),
        perf_counter() - began,
        {} if before is None else before.differs(told),
    )


def _without_ids(result: ExamResult, names: Pseudonyms) -> ExamResult:
    """Return what was found with pseudonyms in place of ids of users: it is shown and written."""
    changed = [
        replace(
            one,
            contrasts=tuple(
                replace(each, user_id=names.of(each.user_id)) for each in one.contrasts
            ),
        )
        for one in result.changes
    ]
    read = [replace(one, user_id=names.of(one.user_id)) for one in result.examples]
    return replace(result, examples=tuple(read), changes=tuple(changed))


def _told(settings: Settings, material: Material) -> dict[str, int | float | str]:
    """Return counts and settings that a figure depends on, without paths."""
    return {
        "items": len(material.catalogue.ids),
        "items without a text": material.catalogue.mute,
        "users": len(material.sequences),
        "training events": sum(map(len, material.sequences)),
        "dev questions": len(material.dev),
        "positive": "all" if settings.events.positive is None else settings.events.positive,
        "seed": settings.training.seed,
        "bundle": Path(settings.encoder.bundle).name,
        "recency": settings.profile.recency,
        "tail share": settings.recommend.tail_share,
        "path": str(settings.recommend.path),
    }


@dataclass
class _Answers:
    """What the systems answered in one exam; the systems themselves are released."""

    exam: Exam
    lists: dict[str, Lists] = field(default_factory=dict)
    tuned: list[Tuned] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def kept(self, name: str, ranks: Places) -> Answers:
        """Return what the results keep of one system: its ranks, and lists of the product."""
        shown = [one[one >= 0] for one in self.lists[name].places[:, :SHOWN]]
        return Answers.of(name, ranks, shown if name in self.ours else ())


def _hold(sitting: Sitting, contenders: Sequence[Contender], marker: "_Marker") -> list[ExamResult]:
    answers = [_Answers(exam) for exam in sitting.exams]
    for contender in contenders:
        _examine(contender, sitting, answers)
    return [marker.marked(one, sitting) for one in answers]


def _examine(contender: Contender, sitting: Sitting, answers: Sequence[_Answers]) -> None:
    # in a function of its own, so that no name keeps the systems when they are done
    with contender.sit(sitting) as entrants:
        for entrant in entrants:
            for one in answers:
                if entrant.sits(one.exam.name):
                    _ask(entrant, one)


def _ask(entrant: Entrant, answers: _Answers) -> None:
    exam, name = answers.exam, entrant.system.name
    with progress(f"{exam.name}: {name}", len(exam.questions)) as tick:
        answers.lists[name] = entrant.system.rank(exam.questions, DEPTH, exam.among, tick)
    if entrant.tuned is not None:
        answers.tuned.append(entrant.tuned)
    if not entrant.baseline:
        answers.ours.append(name)
    answers.notes |= dict.fromkeys(entrant.notes)


@dataclass(frozen=True)
class _Marker:
    """Makes results of answers.

    Attributes
    ----------
    labels
        What items are called, and their groups.
    seed
        Seed of what is drawn.
    asked
        ``dev`` or ``test``.
    before
        What an earlier evaluation found, if there is one.
    groups
        Groups of users to tell apart, if any.
    """

    labels: Labels
    seed: int
    asked: str
    before: Earlier | None
    groups: Groups | None

    def marked(self, answers: _Answers, sitting: Sitting) -> ExamResult:
        """Return what one exam found."""
        exam = self._in_parts(answers.exam)
        ranks = {name: ranks_in(lists, exam.questions) for name, lists in answers.lists.items()}
        found = self._result(answers, exam, sitting, ranks)
        if self.before is None:
            return found
        earlier = self.before.exam(exam.name)
        return replace(found, changes=changes(earlier, found, exam, self.labels.titles, self.seed))

    def _in_parts(self, exam: Exam) -> Exam:
        field = self.labels.field
        if field is None or len(exam.parts) == 1:
            return exam
        more = attribute_segments(field, self.labels.values, exam.questions)
        return replace(exam, parts=[*exam.parts, *more])

    def _result(
        self, answers: _Answers, exam: Exam, sitting: Sitting, ranks: Mapping[str, Places]
    ) -> ExamResult:
        labels, ids = self.labels, sitting.material.catalogue.ids
        rankable = len(ids) if exam.among is None else int(exam.among.sum())
        values = {name: per_user(own) for name, own in ranks.items()}
        reliable = [reliability(name, own, exam.questions) for name, own in answers.lists.items()]
        return ExamResult(
            exam=exam.name,
            asked=self.asked,
            users=len(exam.questions),
            items=rankable,
            cold_items=int(sitting.cold.sum()),
            scores=tuple(
                score
                for name, own in values.items()
                for score in scores(name, exam, own, self.seed)
            ),
            pairings=tuple(
                pairings(_compared(answers, values, exam.headline), values, self.seed)
            ),
            tuned=tuple(answers.tuned),
            beyond=tuple(
                beyond(
                    name, lists, sitting.material, exam.questions,
                    rankable=rankable, field=labels.field, values=labels.values,
                )
                for name, lists in answers.lists.items()
            ),
            reliability=tuple(one for one in reliable if one is not None),
            examples=examples(exam.questions, answers.lists, labels.titles, self.seed),
            notes=tuple(answers.notes),
            ours=tuple(answers.ours),
            signature=exam.signature(ids),
            by=labels.field or "",
            answers=tuple(answers.kept(name, own) for name, own in ranks.items()),
            treatments=tuple(self._treatments(answers, exam, sitting, values)),
        )  # fmt: skip

    def _treatments(
        self,
        answers: _Answers,
        exam: Exam,
        sitting: Sitting,
        values: Mapping[str, Mapping[str, Values]],
    ) -> Iterator[Treatment]:
        if self.groups is not None:
            for name, lists in answers.lists.items():
                own = values[name][exam.headline]
                yield from treatments(
                    name, lists, own, self.groups, sitting.material, exam.questions, self.seed
                )


def _compared(
    answers: _Answers, values: Mapping[str, Mapping[str, Values]], metric: str
) -> list[str]:
    """Return whom to compare with all others: the product, or else the best baseline."""
    return answers.ours or [max(values, key=lambda name: float(values[name][metric].mean()))]
