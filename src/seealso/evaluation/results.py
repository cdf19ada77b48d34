"""What an evaluation found: plain frozen values, for a table, for JSON and for a report.

Every number is a Python number and every name a string, so that any JSON writer takes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from seealso.evaluation.changes import Answers, Change, Example
from seealso.evaluation.group_protocols import GROUP_CHOICES
from seealso.evaluation.scores import (
    BeyondAccuracy,
    PairedTest,
    Reliability,
    Score,
    Treatment,
    Tuned,
    WorstOff,
)


@dataclass(frozen=True, slots=True)
class ProtocolResult:
    """One protocol: the same questions to every system, always over the full catalogue.

    Attributes
    ----------
    name
        ``leave-one-out``, ``temporal``, ``cold``, ``cold among cold``, ``few-shot 1``, ...
    split
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
        What was chosen on dev for each system that was tuned.
    beyond_accuracy
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
        The attribute that splits users into parts; empty if none was requested.
    answers
        What every user got, by system.
    changes
        What became of each system of the product since an earlier evaluation, if one was given.
    treatments
        How each system serves groups of users, if an attribute of users was requested.
    worst_off
        How each system serves the worst-off members of known groups, if members were asked about.
    """

    name: str
    split: str
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
    worst_off: tuple[WorstOff, ...] = ()

    @property
    def subjects(self) -> str:
        """What `users` counts, in a word."""
        return "groups" if self.name == GROUP_CHOICES else "users"

    @property
    def headline(self) -> str:
        """The metric by which systems are compared."""
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
        The protocols, in the requested order.
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
