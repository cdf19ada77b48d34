"""Evaluates systems: all of them answer the same questions, and their answers become results."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter

from seealso.config import Settings
from seealso.datasets.dataset import Events, Items
from seealso.datasets.intervals import Values
from seealso.datasets.questions import Places
from seealso.datasets.sampling import sample_events
from seealso.evaluation.beyond_accuracy import beyond_accuracy
from seealso.evaluation.changes import Answers, Example
from seealso.evaluation.data_facts import describe_data
from seealso.evaluation.earlier import Earlier, changes
from seealso.evaluation.fairness import Groups, treatments
from seealso.evaluation.group_protocols import ask_groups
from seealso.evaluation.metrics import DEPTH, pairings, per_user, ranks_in, scores
from seealso.evaluation.protocols import EvaluationProtocol, Holdout, hold_out
from seealso.evaluation.reliability import reliability
from seealso.evaluation.results import Evaluation, ProtocolResult
from seealso.evaluation.scores import Tuned
from seealso.evaluation.segments import attribute_segments
from seealso.evaluation.showing import Labels, examples, read_labels
from seealso.evaluation.systems import FittedSystem, LeftOut, Lists, SystemBuilder
from seealso.evaluation.workbench.writing import Workbench
from seealso.evaluation.worst_off import worst_off
from seealso.log import progress
from seealso.readers import Pseudonyms
from seealso.types import GroupMembers


def evaluate(
    settings: Settings,
    items: Items,
    events: Events,
    builders: Sequence[SystemBuilder],
    *,
    protocols: Sequence[str],
    split: str,
    by: str | None = None,
    most_users: int | None = None,
    before: Earlier | None = None,
    groups: Groups | None = None,
    names: Pseudonyms | None = None,
    known_groups: GroupMembers | None = None,
    workbench: Workbench | None = None,
) -> Evaluation:
    """Ask every system the questions of every protocol, over the whole catalogue.

    Parameters
    ----------
    settings
        ``text``, ``events.positive``, ``training``, ``catalogue`` and ``importance`` are used.
    items, events
        Give the batches of the catalogue and the event frames.
    builders
        What is evaluated. Each is built anew for each state of knowledge, and released before
        the next one comes: one model is in memory at a time.
    protocols
        Of `seealso.evaluation.PROTOCOLS`.
    split
        ``dev`` or ``test``. Settings are always chosen on dev.
    by
        A field of the catalogue by whose values users and exposure are split.
    most_users
        Ask at most so many users in each protocol; all by default.
    before
        An earlier evaluation, to compare the product with what it was then.
    groups
        Groups of users, to see whether they are served alike.
    names
        Gives the pseudonyms of users in the results; by default some that are drawn for this
        evaluation alone.
    known_groups
        The members of each known group; where they are given, lists for them are asked, too.
    workbench
        Writes questions and lists for the Search Relevance Workbench, if they are wanted there.

    Raises
    ------
    ConfigError
        No item has the field `by`, or there are more users than the Workbench takes.
    DataError
        There is nothing to learn from, there are no questions, or `before` has other ones.
    MissingExtraError
        A library of the extra ``evaluate`` is not installed.
    """
    began = perf_counter()
    sampled = sample_events(settings, events, lambda: known_groups or {})
    with progress("reading"):
        held = hold_out(
            settings, items, lambda: sampled, names=protocols, split=split, most_users=most_users
        )
        if known_groups is not None:
            held = ask_groups(
                held,
                settings,
                items,
                lambda: sampled,
                sampled.select_groups(known_groups),
                split=split,
                most_users=most_users,
            )
        dataset = held[0].dataset
        if before is not None:
            before.check_all(held, split)
        if workbench is not None:
            workbench.check(held)
        labels = read_labels(settings, items, dataset.catalogue.place, by)
    show = _Results(labels, settings.training.seed, split, before, groups, workbench)
    found = (result for one in held for result in _evaluate_holdout(one, builders, show))
    results = [_without_ids(one, names or Pseudonyms.draw()) for one in found]
    data = describe_data(settings, dataset, sampled.draw)
    changed = {} if before is None else before.differs(data)
    seconds = perf_counter() - began
    return Evaluation(dataset.signature, data, tuple(results), seconds, changed)


def _without_ids(result: ProtocolResult, names: Pseudonyms) -> ProtocolResult:
    """Return what was found with pseudonyms in place of ids of users: it is shown and written."""

    def renamed(examples: Sequence[Example]) -> tuple[Example, ...]:
        return tuple(replace(one, user_id=names.of(one.user_id)) for one in examples)

    changed = (replace(one, contrasts=renamed(one.contrasts)) for one in result.changes)
    return replace(result, examples=renamed(result.examples), changes=tuple(changed))


@dataclass
class _Answers:
    """What the systems answered in one protocol; the systems themselves are released."""

    protocol: EvaluationProtocol
    lists: dict[str, Lists] = field(default_factory=dict)
    tuned: list[Tuned] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    @cached_property
    def ranks(self) -> dict[str, Places]:
        """Rank of each user's target in the list of each system, 0 where it is not shown."""
        return {name: ranks_in(own, self.protocol.questions) for name, own in self.lists.items()}

    @cached_property
    def values(self) -> dict[str, dict[str, Values]]:
        """Every metric of each user, by system."""
        return {name: per_user(own) for name, own in self.ranks.items()}

    @property
    def headlines(self) -> dict[str, Values]:
        """The headline metric of each user, shape (users,), by system."""
        return {name: own[self.protocol.headline] for name, own in self.values.items()}

    def compared(self) -> list[str]:
        """Return whom to compare with all others: the product, or else the best baseline."""
        return self.ours or [max(self.lists, key=lambda name: self.headlines[name].mean())]

    def answers_of(self, name: str) -> Answers:
        """Return what the results keep of one system: its ranks, and lists of the product."""
        own, ranks = self.lists[name], self.ranks[name]
        top = map(own.top, range(len(ranks))) if name in self.ours else ()
        return Answers.of(name, ranks, list(top))


def _evaluate_holdout(
    holdout: Holdout, builders: Sequence[SystemBuilder], results: "_Results"
) -> list[ProtocolResult]:
    answers = [_Answers(_in_parts(one, results.labels)) for one in holdout.protocols]
    for builder in builders:
        _answer_all(builder, holdout, answers)
    if results.workbench is not None:
        ids, titles = holdout.dataset.catalogue.ids, results.labels.titles
        for one in answers:
            results.workbench.write(one.protocol, one.lists, ids, titles)
    return [results.result_of(one, holdout) for one in answers]


def _in_parts(protocol: EvaluationProtocol, labels: Labels) -> EvaluationProtocol:
    if labels.field is None or len(protocol.parts) == 1:
        return protocol
    more = attribute_segments(labels.field, labels.values, protocol.questions)
    return replace(protocol, parts=[*protocol.parts, *more])


def _answer_all(builder: SystemBuilder, holdout: Holdout, answers: Sequence[_Answers]) -> None:
    # in a function of its own, so that no name keeps the systems when they are done
    with builder.build(holdout) as systems:
        for built in systems:
            for one in answers:
                if isinstance(built, LeftOut):
                    one.notes[built.note] = None
                elif built.takes_part(one.protocol.name):
                    _ask(built, one)


def _ask(fitted: FittedSystem, answers: _Answers) -> None:
    protocol, name = answers.protocol, fitted.system.name
    with progress(f"{protocol.name}: {name}", len(protocol.questions)) as tick:
        answers.lists[name] = fitted.system.rank(protocol.questions, DEPTH, protocol.among, tick)
    if fitted.tuned is not None:
        answers.tuned.append(fitted.tuned)
    if not fitted.baseline:
        answers.ours.append(name)
    answers.notes |= dict.fromkeys(fitted.notes)


@dataclass(frozen=True)
class _Results:
    """Makes results of answers.

    Attributes
    ----------
    labels
        What items are called, and their groups.
    seed
        Seed of what is drawn.
    split
        ``dev`` or ``test``.
    before
        What an earlier evaluation found, if there is one.
    groups
        Groups of users to compare, if any.
    workbench
        Writes what was asked and answered, if it is wanted.
    """

    labels: Labels
    seed: int
    split: str
    before: Earlier | None
    groups: Groups | None
    workbench: Workbench | None = None

    def result_of(self, answers: _Answers, holdout: Holdout) -> ProtocolResult:
        """Return what one protocol found."""
        found = self._result(answers, holdout)
        if self.before is None:
            return found
        before, titles = self.before.protocol(found.name), self.labels.titles
        return replace(found, changes=changes(before, found, answers.protocol, titles, self.seed))

    def _result(self, answers: _Answers, holdout: Holdout) -> ProtocolResult:
        protocol, labels, dataset = answers.protocol, self.labels, holdout.dataset
        questions, ids, lists = protocol.questions, dataset.catalogue.ids, answers.lists
        rankable = len(ids) if protocol.among is None else int(protocol.among.sum())
        reliable = (reliability(name, own, questions) for name, own in lists.items())
        return ProtocolResult(
            name=protocol.name,
            split=self.split,
            users=len(questions),
            items=rankable,
            cold_items=int(holdout.cold.sum()),
            scores=tuple(
                score
                for name, own in answers.values.items()
                for score in scores(name, protocol, own, self.seed)
            ),
            pairings=tuple(pairings(answers.compared(), answers.values, self.seed)),
            tuned=tuple(answers.tuned),
            beyond_accuracy=tuple(
                beyond_accuracy(
                    name, own, dataset, questions,
                    rankable=rankable, field=labels.field, values=labels.values,
                )
                for name, own in lists.items()
            ),
            reliability=tuple(one for one in reliable if one is not None),
            examples=examples(questions, lists, labels.titles, self.seed),
            notes=tuple(answers.notes),
            ours=tuple(answers.ours),
            signature=protocol.signature(ids),
            by=labels.field or "",
            answers=tuple(map(answers.answers_of, lists)),
            treatments=tuple(
                treatment
                for name, own in lists.items()
                if self.groups is not None
                for treatment in treatments(
                    name, own, answers.headlines[name], self.groups, dataset, questions, self.seed
                )
            ),
            worst_off=worst_off(answers.headlines, questions, answers.compared()[0], self.seed),
        )  # fmt: skip
