"""What an evaluation found: plain frozen values, for a table, for JSON and for a report.

Every number is a Python number and every name a string, so that any JSON writer takes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from seealso.datasets.intervals import Estimate
from seealso.evaluation.changes import Answers, Change


@dataclass(frozen=True, slots=True)
class Score:
    """How one system ranks for some of the users.

    Attributes
    ----------
    system
        Which one.
    part
        Which users: ``all`` first, then ``head items``, ``new items``, ...
    users
        How many.
    metrics
        ``hr@10``, ``hr@20``, ``ndcg@10``, ``ndcg@20``, ``mrr@20`` and ``recall@20``, each with its
        interval. With one target a user, recall@20 and hr@20 are one number.
    """

    system: str
    part: str
    users: int
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two systems asked about the same users.

    Attributes
    ----------
    system, other
        The difference is that of `system` minus that of `other`.
    part, metric
        Over which users, of which metric.
    difference
        Its mean and 95 % paired bootstrap interval.
    p
        Two-sided, of a paired randomisation test.
    """

    system: str
    other: str
    part: str
    metric: str
    difference: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """What dev chose for a system.

    Attributes
    ----------
    system
        Which one.
    settings
        The chosen parameters by name.
    dev
        NDCG@10 that they reached on dev.
    tried
        How many combinations were asked.
    """

    system: str
    settings: Mapping[str, float | str]
    dev: float
    tried: int


@dataclass(frozen=True, slots=True)
class BeyondAccuracy:
    """What accuracy does not tell of a system, from the first ten items of every list.

    Attributes
    ----------
    system
        Which one.
    coverage
        Share of the catalogue that stands in at least one list.
    novelty
        Mean of -log2 of the share of users who chose a recommended item, in bits.
    popularity_bias
        Mean popularity percentile of the recommended items minus that of the items in the
        histories asked about, in -1 to 1; above 0: more popular than what people chose.
    exposure
        Share of the places that ``head``, ``middle`` and ``tail`` items got, and
        ``FIELD: VALUE`` where an attribute was asked for.
    """

    system: str
    coverage: float
    novelty: float
    popularity_bias: float
    exposure: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Bin:
    """Recommendations of about the same probability.

    Attributes
    ----------
    low, high
        Lowest and highest probability among them.
    count
        How many.
    predicted
        Mean probability.
    observed
        Share of them that was chosen.
    """

    low: float
    high: float
    count: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether probabilities come true.

    Attributes
    ----------
    system
        Whose they are.
    error
        Expected calibration error: mean of |predicted - observed| over the bins, weighted by
        their counts.
    bins
        15 at most, of equal counts, from the lowest probability to the highest.
    """

    system: str
    error: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One user to read: what they chose, what they chose next, what each system showed.

    Attributes
    ----------
    user_id
        Who: in results, the pseudonym.
    history
        Titles, newest first.
    target
        Title of the item chosen next.
    lists
        Titles of the first ten items by system, best first.
    """

    user_id: str
    history: tuple[str, ...]
    target: str
    lists: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Treatment:
    """How one system serves one group of users.

    Attributes
    ----------
    system
        Which one.
    group
        ``ATTRIBUTE: VALUE``.
    users
        How many.
    metric
        The headline of the protocol, with its interval.
    against_rest
        The same minus that of all other users asked.
    coverage
        Share of the catalogue in the lists of 20 of them: mean, and where 95 % of the draws
        lie. As many users of each group, for larger groups cover more.
    tail_share
        Share of the first ten places that tail items have.
    """

    system: str
    group: str
    users: int
    metric: Estimate
    against_rest: Estimate
    coverage: Estimate
    tail_share: Estimate


@dataclass(frozen=True, slots=True)
class ProtocolResult:
    """One protocol: the same questions to every system, always over the full catalogue.

    Attributes
    ----------
    name
        ``leave-one-out``, ``temporal``, ``cold``, ``cold among cold``, ``few-shot 1``, ...
    asked
        ``dev`` or ``test``.
    users, items
        How many were asked about, and how many items were ranked for each.
    cold_items
        Items that lost every event; 0 where none did.
    scores
        Of every system and part.
    pairings
        Pairs of systems compared, over all users.
    tuned
        What dev chose for each system that was tuned.
    beyond
        One a system.
    reliability
        Of the systems that give probabilities.
    examples
        Some users to read.
    notes
        What a reader of the figures must know.
    ours
        Names of the systems that are the product; the others are there to be compared with.
    signature
        Tells users, histories, items and what was chosen from others.
    by
        The attribute by whose values parts are told apart; empty where none was asked.
    answers
        What every user got, by system.
    changes
        What became of each system of the product since an earlier evaluation, if one was given.
    treatments
        How each system serves groups of users, where an attribute of theirs was asked for.
    """

    name: str
    asked: str
    users: int
    items: int
    cold_items: int
    scores: tuple[Score, ...]
    pairings: tuple[PairedTest, ...] = ()
    tuned: tuple[Tuned, ...] = ()
    beyond_accuracy: tuple[BeyondAccuracy, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    examples: tuple[Example, ...] = ()
    notes: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    signature: str = ""
    by: str = ""
    answers: tuple[Answers, ...] = ()
    changes: tuple[Change, ...] = ()
    treatments: tuple[Treatment, ...] = ()

    @property
    def headline(self) -> str:
        """The metric that tells the systems apart."""
        return "ndcg@20" if self.cold_items else "ndcg@10"

    @property
    def parts(self) -> Mapping[str, int]:
        """Parts of the users and how many are in each, but for all of them and attributes."""
        named = {one.part: one.users for one in self.scores if one.part != "all"}
        return {part: users for part, users in named.items() if part not in self.attributes}

    @property
    def attributes(self) -> Mapping[str, int]:
        """Parts of the users by what they chose next, and how many are in each."""
        if not self.by:
            return {}
        return {one.part: one.users for one in self.scores if one.part.startswith(f"{self.by}: ")}

    def score(self, system: str, part: str = "all") -> Score:
        """Return the score of `system` for `part`; KeyError where there is none."""
        for one in self.scores:
            if (one.system, one.part) == (system, part):
                return one
        raise KeyError((system, part))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that one call found.

    Attributes
    ----------
    signature
        Tells catalogue, events and questions from others.
    data
        Counts (``items``, ``users``, ``events``) and settings in a few words, without paths.
    protocols
        The protocols, in the order asked for.
    seconds
        How long it took.
    changed
        What of `data` differs from an earlier evaluation, ``{name: (before, now)}``.
    """

    signature: str
    data: Mapping[str, int | float | str]
    protocols: tuple[ProtocolResult, ...]
    seconds: float = field(compare=False)
    changed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
