"""What must not be shown, and to whom: filters that every search of a list has.

They are added after all options of a caller, and a filter can only narrow what others let pass.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

from seealso.config import AgeSettings, RegionSettings, SafetySettings
from seealso.decoding import read_lines
from seealso.errors import ConfigError, DataError
from seealso.plugin.rules.ruling import without
from seealso.plugin.rules.taxonomy import Clause, Taxonomy, any_of
from seealso.readers import parse_id

Attributes = Mapping[str, Any]

PHRASES: Final = 256
"""Most phrases of one part of a query."""


@dataclass
class Blocklist:
    """A file of item ids, read again when it changes.

    Attributes
    ----------
    file
        One id a line; empty lines and those that begin with # are skipped.
    """

    file: Path
    _stamp: tuple[int, int] = (0, 0)
    _ids: tuple[str, ...] = ()
    _lock: Lock = field(default_factory=Lock)

    def ids(self) -> tuple[str, ...]:
        """Return the ids in the file as it is now.

        Raises
        ------
        ConfigError
            It cannot be read: no list is made without it.
        """
        try:
            with self._lock:
                now = self.file.stat()
                if self._stamp != (stamp := (now.st_mtime_ns, now.st_size)):
                    lines = [one for one in read_lines(self.file) if not one.startswith("#")]
                    # as the catalogue spells it, and as an index with ids of its own has it
                    spelled = [one for one in map(parse_id, lines) if one]
                    self._ids = tuple(dict.fromkeys([*lines, *spelled]))
                    self._stamp = stamp
                return self._ids
        except (OSError, DataError) as exc:
            raise ConfigError(
                f"safety.blocklist: {self.file} cannot be read: no list is made without it",
                hint="a text file with an item id a line",
                caller_hint="",
            ) from exc


class Guard:
    """Makes the filters for what a user must not be shown.

    Parameters
    ----------
    settings
        What is blocked.
    taxonomy
        The tree that blocked values belong to.
    """

    def __init__(self, settings: SafetySettings, taxonomy: Taxonomy) -> None:
        self._settings = settings
        self._taxonomy = taxonomy
        self._blocklist = Blocklist(settings.blocklist) if settings.blocklist else None

    def filters(self, users: Iterable[Attributes]) -> tuple[Clause, ...]:
        """Return the clauses that hold for every one of `users`, whose attributes are given."""
        found: list[Clause] = []
        for attributes in users:
            found += [_old_enough(rule, attributes) for rule in self._settings.age]
            found += [_within(rule, attributes) for rule in self._settings.region]
        # members of a group are often of one age
        return (*self._blocked(), *{repr(one): one for one in found}.values())

    def blocked_items(self) -> tuple[str, ...]:
        """Return the ids on the blocklist, as it is now."""
        return self._blocklist.ids() if self._blocklist else ()

    def _blocked(self) -> Iterable[Clause]:
        settings = self._settings
        clauses: list[Clause] = [
            self._taxonomy.clause(name, values) for name, values in settings.fields.items()
        ]
        clauses += _any_phrase([{"match_phrase": {"text": words}} for words in settings.words])
        if ids := self.blocked_items():
            clauses.append({"ids": {"values": list(ids)}})
        return [without(*clauses)] if clauses else []


def _any_phrase(phrases: Sequence[Clause]) -> list[Clause]:
    """Return clauses that together mean any of `phrases`, however many these are.

    OpenSearch counts the clauses of a whole query, nested ones too, and refuses more than 1,024
    (``indices.query.bool.max_clause_count``). The filters of a score's functions are queries of
    their own: of many phrases, each part is one, and whatever scores nothing is no hit.
    """
    if len(phrases) <= PHRASES:
        return list(phrases)
    parts = [phrases[start : start + PHRASES] for start in range(0, len(phrases), PHRASES)]
    return [
        {
            "function_score": {
                "functions": [
                    {"filter": {"bool": {"should": list(part)}}, "weight": 2} for part in parts
                ],
                "score_mode": "max",
                "boost_mode": "replace",
                # what no function means scores 1
                "min_score": 1.5,
            }
        }
    ]


def _old_enough(rule: AgeSettings, attributes: Attributes) -> Clause:
    old = {"range": {rule.item: {"lte": _age(attributes.get(rule.user))}}}
    return _or_missing(old, rule.item, rule.missing)


def _within(rule: RegionSettings, attributes: Attributes) -> Clause:
    region = attributes.get(rule.user)
    values = list(region) if isinstance(region, list | tuple) else [region]
    # null is no term; a user of no known region is shown only what has no region
    known = [str(one) for one in values if one is not None]
    return _or_missing({"terms": {rule.item: known}}, rule.item, rule.missing)


def _or_missing(clause: Clause, name: str, missing: str) -> Clause:
    if missing == "hide":
        return clause
    return any_of([clause, without({"exists": {"field": name}})])


def _age(attribute: Any) -> float:
    try:
        age = float(attribute)
    except (TypeError, ValueError):
        return 0.0
    return age if math.isfinite(age) else 0.0
