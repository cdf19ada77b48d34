"""The message in place of an empty list: what was left out of the index."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from seealso.plugin import Recommender

COMPARING: Final = frozenset(
    {"term", "terms", "range", "match", "match_phrase", "prefix", "wildcard", "regexp", "fuzzy"}
)
"""Queries whose keys are fields."""


def nothing_left(recommender: "Recommender", left_out: str, options: Mapping[str, object]) -> str:
    """Return why there is nothing to recommend, in a sentence.

    Parameters
    ----------
    recommender
        Who was asked: its index, the rules of its settings and ``safety``.
    left_out
        What no list of this kind shows, for instance what was seen; empty for nothing.
    options
        Those of the list.
    """
    live, settings = recommender.live, recommender.settings
    safety = settings.safety
    narrowed = {
        "--filter": options.get("filters"),
        "--exclude": options.get("exclude"),
        "--rule": options.get("rules"),
        "--min-probability": options.get("min_probability") is not None,
        "the rules of the settings": settings.rules and not options.get("without_rules"),
        "the blocklist": safety.blocklist,
        "[safety] of the settings": safety.fields or safety.words or safety.age or safety.region,
    }
    by = [name for name, narrows in narrowed.items() if narrows]
    without = [left_out] if left_out else []
    without += [f"what is left out by {', '.join(by)}"] if by else []
    holds = f"{live.name} holds {live.documents:,} item{'' if live.documents == 1 else 's'}"
    sentence = f"nothing left to recommend: {holds}"
    if without:
        sentence += f", without {' and '.join(without)}"
    return sentence + _unknown_fields(recommender, options.get("filters"))


def _unknown_fields(recommender: "Recommender", filters: object) -> str:
    """Return which fields of the filters the index lacks; OpenSearch says nothing about them."""
    named = {name for name in filtered_fields(filters) if not name.startswith("_")}
    if not named:
        return ""
    from seealso.cluster import connect
    from seealso.cluster.fields import searchable_fields

    with connect(recommender.settings) as cluster:
        there = searchable_fields(cluster, recommender.live.name)
    odd = sorted(name for name in named - there.keys() if "*" not in name)
    return f"; no item has the field {', '.join(odd)}" if odd else ""


def filtered_fields(clause: object) -> Iterator[str]:
    """Yield the fields that a clause of the query DSL compares, and those within it."""
    if isinstance(clause, Mapping):
        for name, inner in clause.items():
            if name == "exists" and isinstance(inner, Mapping):
                yield str(inner.get("field", "_"))
            elif name in COMPARING and isinstance(inner, Mapping):
                yield from (field for field in inner if field not in ("boost", "_name"))
            else:
                yield from filtered_fields(inner)
    elif isinstance(clause, list | tuple):
        for one in clause:
            yield from filtered_fields(one)
