"""Which searches a list is made of. Pure functions: profiles in, request bodies out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from seealso.config import RecommendSettings, Rule
from seealso.errors import ConfigError
from seealso.plugin.lifts import NOTHING, Lifts
from seealso.plugin.profiles.profile import Profile
from seealso.plugin.rules.fusion import shared_places
from seealso.plugin.rules.ruling import read_rules
from seealso.plugin.scores import logit, score_of
from seealso.query_templates import render, script_id
from seealso.types import Calibration, Path, Space, Vector

Filter = Mapping[str, Any]

Section = TypeVar("Section", bound=BaseModel)

MOST_HITS: Final = 10_000
"""Most hits that OpenSearch gives at once (``index.max_result_window``)."""


BY_WORDS: Final = frozenset({"tail", "group"})
"""Templates that score by words."""


@dataclass(frozen=True, slots=True)
class Search:
    """One search: a query template and its parameters."""

    template: str
    params: Mapping[str, Any]

    def body(self) -> bytes:
        """Return the request body, rendered here."""
        return render(self.template, self.params)

    def stored(self) -> bytes:
        """Return the request body that lets the cluster render its stored copy."""
        stored = {"id": script_id(self.template), "params": self.params}
        return orjson.dumps(stored, option=orjson.OPT_SERIALIZE_NUMPY)

    @property
    def header(self) -> Mapping[str, str]:
        """What is sent beside the body.

        How rare a word is, is asked of all shards together: else a list would change with their
        number. OpenSearch leaves that out by itself where there is one shard.
        """
        return {"search_type": "dfs_query_then_fetch"} if self.template in BY_WORDS else {}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller wants of a list.

    Attributes
    ----------
    settings
        The settings' ``recommend`` section with the caller's changes.
    filters
        Query DSL clauses that every recommendation satisfies.
    fields
        Which catalogue fields to bring along; all of them by default.
    rules
        The caller's own business rules: they come before those of the settings.
    standing
        Whether the rules of the settings hold as well. What is blocked stays so.
    """

    settings: RecommendSettings
    filters: tuple[Filter, ...]
    fields: tuple[str, ...] | None
    rules: tuple[Rule, ...] = ()
    standing: bool = True

    @property
    def size(self) -> int:
        """Length of the list."""
        return self.settings.size

    @property
    def path(self) -> Path | Literal["auto"]:
        """Which path ranks, or ``auto``."""
        return self.settings.path

    @property
    def min_probability(self) -> float:
        """Recommendations below it are left out."""
        return self.settings.min_probability

    @property
    def tail_share(self) -> float:
        """Share of the positions given to tail items."""
        return self.settings.tail_share

    @classmethod
    def of(cls, settings: RecommendSettings, **changes: Any) -> "Wish":
        """Return the wish that `settings` express, with `changes` that are not None.

        Raises
        ------
        ConfigError
            A change is out of range.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        own = {k: v for k, v in given.items() if k in RecommendSettings.model_fields}
        return cls(
            changed(settings, own),
            _clauses(given.get("filters", ())),
            _names(given.get("fields")),
            read_rules(given.get("rules", ())),
            not given.get("without_rules", False),
        )

    def with_settings(self, **changes: Any) -> "Wish":
        """Return the wish with other settings, which are known to be in range."""
        return replace(self, settings=self.settings.model_copy(update=changes))


def changed(section: Section, changes: Mapping[str, Any]) -> Section:
    """Return a section of the settings with `changes`, those that are None left out.

    Raises
    ------
    ConfigError
        A change is out of range.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return section.model_validate({**section.model_dump(), **given})
    except ValidationError as exc:
        raise _out_of_range(exc) from exc


def _clauses(given: Any) -> tuple[Filter, ...]:
    clauses = (given,) if isinstance(given, Mapping) else given
    for clause in (None,) if isinstance(clauses, str) else clauses:
        if not isinstance(clause, Mapping):
            raise ConfigError(
                f"filters: {given!r:.80} is not a query DSL clause, nor a list of them",
                hint='for instance {"term": {"genres": "Drama"}}',
                field="filters",
            )
    return tuple(clauses)


def _names(given: Any) -> tuple[str, ...] | None:
    if isinstance(given, str):
        raise ConfigError(
            f"fields: must be several names, not {given!r}", hint=f"({given!r},)", field="fields"
        )
    return None if given is None else tuple(given)


def _out_of_range(exc: ValidationError) -> ConfigError:
    """Return the error that names the setting, what it must be, and what was given."""
    first = exc.errors()[0]
    name = str(first["loc"][0])
    wanted = first["msg"].removeprefix("Input ").replace("should be", "must be")
    if name == "path":
        wanted = f"must be one of auto, {', '.join(path.value for path in Path)}"
    return ConfigError(
        f"{name}: {wanted}, not {first['input']!r:.60}", hint="docs/settings.md", field=name
    )


def profile_searches(
    profile: Profile,
    wish: Wish,
    path: Path,
    space: Space,
    calibration: Calibration,
    lifts: Lifts = NOTHING,
) -> list[Search]:
    """Return the one to three searches of a user's list.

    Parameters
    ----------
    profile
        What the user is asked for with.
    wish, path, space, calibration
        How to rank.
    lifts
        Names items that may come into the list by what lifts them.
    """
    seen = sorted(profile.seen)
    if profile.vector is None:
        return [importance_search(seen, wish)]
    vector = vector_search(
        profile.vector, seen, wish, path=path, space=space, calibration=calibration
    )
    searches = [vector]
    if lifts.named:
        searches.append(named_search(profile.vector, lifts, seen, wish, space, calibration))
    if wish.tail_share and profile.words:
        searches.append(tail_search(profile, wish, space))
    return searches


def named_search(
    vector: Vector,
    lifts: Lifts,
    exclude: Sequence[str],
    wish: Wish,
    space: Space,
    calibration: Calibration,
) -> Search:
    """Return the search for the named items, which what lifts them may bring into the list.

    They are few, so that every path scores them so. Where no script can, all of them are asked
    of the graph, which compares every vector within so narrow a filter.
    """
    if not lifts.scored:
        only = {"ids": {"values": list(lifts.named)}}
        every = replace(wish, filters=(*wish.filters, only)).with_settings(
            size=min(len(lifts.named), MOST_HITS), min_probability=0.0
        )
        return vector_search(
            vector, exclude, every, path=Path.ANN, space=space, calibration=calibration
        )
    params = common(wish, exclude)
    params |= {"vector": vector, "space": KNN_SPACE[space]}
    params |= {"ids": lifts.named, "lifts": lifts.gains}
    if wish.min_probability > 0:
        params["min_score"] = score_of(logit(wish.min_probability, calibration))
    return Search("lifted", params)


def vector_search(
    vector: Vector,
    exclude: Sequence[str],
    wish: Wish,
    *,
    path: Path,
    space: Space,
    calibration: Calibration,
) -> Search:
    """Return the search for the vector list.

    Parameters
    ----------
    vector
        E_u (or E_i for related items), unit length, shape (dimension,).
    exclude
        Item ids to leave out.
    wish, path, space, calibration
        How to rank.
    """
    params = common(wish, exclude)
    params["vector"] = vector
    if path is Path.ANN:
        params |= {"k": wish.size, "ef_search": max(wish.settings.ef_search, wish.size)}
    if path is Path.REFERENCE:
        params |= {"b": calibration.b, "T": calibration.t}
    if wish.min_probability > 0:
        least = wish.min_probability
        x = logit(least, calibration)
        params["min_score"] = least if path is Path.REFERENCE else score_of(x)
    name = f"reference_{space.value}" if path is Path.REFERENCE else path.value
    return Search(name, params)


def tail_search(profile: Profile, wish: Wish, space: Space) -> Search:
    """Return the search for the tail list: BM25 over tail items and those without a vector.

    The share of tail items is all that `fuse` can need of them: those that the vector list has
    as well count towards the share there.
    """
    params = common(wish, sorted(profile.seen))
    params |= {"vector": profile.tail_vector, "space": KNN_SPACE[space]}
    if wish.min_probability == 0:
        params["size"] = shared_places(wish.size, wish.tail_share)
    params["words"] = profile.words
    params["fields"] = [
        f"{name}^{weight:g}" for name, weight in wish.settings.field_weights.items()
    ] or ["text"]
    return Search("tail", params)


def importance_search(exclude: Sequence[str], wish: Wish) -> Search:
    """Return the search for a user of whom nothing is known: the most important items."""
    return Search("importance", common(wish, exclude))


KNN_SPACE = {Space.COSINE: "innerproduct", Space.EUCLIDEAN: "l2", Space.MANHATTAN: "l1"}
"""What the templates call each space."""


def common(wish: Wish, exclude: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that every template takes."""
    params: dict[str, Any] = {"size": wish.size}
    if exclude:
        params["exclude"] = list(exclude)
    if wish.filters:
        params["filter"] = list(wish.filters)
    if wish.fields is not None:
        params["source"] = ["item_id", "importance", "tail", *wish.fields]
    return params
