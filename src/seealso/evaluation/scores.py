"""What an evaluation measures of one system: plain frozen values.

Every number is a Python number and every name a string, so that any JSON writer takes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from seealso.datasets.intervals import Estimate


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
    metric
        Of which metric, over all users.
    difference
        Its mean and 95 % paired bootstrap interval.
    p
        Two-sided, of a paired randomisation test.
    """

    system: str
    other: str
    metric: str
    difference: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was chosen on dev for a system.

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
    """Metrics of a system beyond accuracy, from the first ten items of every list.

    Attributes
    ----------
    system
        Which one.
    coverage
        Share of the catalogue that is in at least one list.
    novelty
        Mean of -log2 of the share of users who chose a recommended item, in bits.
    popularity_bias
        Mean popularity percentile of the recommended items minus that of the items in the
        histories asked about, in -1 to 1; above 0: more popular than what people chose.
    exposure
        Share of the places that ``head``, ``middle`` and ``tail`` items got, and ``FIELD: VALUE``
        if an attribute was requested.
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
class WorstOff:
    """How lists for groups serve the member of each group that they serve worst.

    Attributes
    ----------
    system
        Which one.
    groups
        Groups of which two members at least were asked about.
    metric
        The headline of the protocol for that member, averaged over the groups, with its interval.
    difference
        That of the system compared with all others minus this one, paired by group; None for
        itself.
    """

    system: str
    groups: int
    metric: Estimate
    difference: Estimate | None
