"""Which path ranks: by the options, the size of the index, and what the cluster runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seealso.errors import ConfigError
from seealso.indexer.graph import (
    EF_SEARCHES,
    EXACT_GROUP_LIMIT,
    EXPENSIVE,
    GraphRecall,
    exact_limit,
)
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.recommendations import join_notes
from seealso.plugin.serving import Live, ScriptsRefused
from seealso.types import Calibration, Path, Space, User


@dataclass(frozen=True, slots=True)
class RankingContext:
    """How an index ranks now.

    Attributes
    ----------
    path
        Which path ranks.
    space
        Similarity that the index was built for.
    calibration
        Makes probabilities of w * similarity.
    scripts
        Whether the cluster lets scripts rank.
    note
        A line on the graph that ranks although it finds too little, or because scripts cannot.
    missing
        A line on items that every list of the index lacks.
    rounded
        Whether the graph has rounded vectors.
    ef_search
        Candidates that the graph needs in each segment.
    """

    path: Path
    space: Space
    calibration: Calibration
    scripts: bool = True
    note: str = ""
    missing: str = ""
    rounded: bool = False
    ef_search: int = EF_SEARCHES[0]

    @classmethod
    def of(cls, live: Live, criteria: Criteria, users: Sequence[User] = ()) -> "RankingContext":
        """Return how an index ranks for users, each alone; errors as for `choose_path`."""
        small = is_small(criteria, live.documents)
        return cls._choose(live, criteria, _recall_for(live, users), small=small)

    @classmethod
    def of_related(cls, live: Live, criteria: Criteria) -> "RankingContext":
        """Return how an index ranks items by another item; errors as for `choose_path`."""
        small = is_small(criteria, live.documents)
        return cls._choose(live, criteria, live.recall_for_items, small=small)

    @classmethod
    def of_group(
        cls, live: Live, criteria: Criteria, members: int, users: Sequence[User] = ()
    ) -> "RankingContext":
        """Return how an index ranks for several people; errors as for `choose_path`.

        ``auto`` is approximate: the graph gives each member's own best in one body, and every one
        of them is scored exactly. The other paths score every document for every member and keep
        those that anyone likes most; so does ``auto`` where the vectors hold behaviour and these
        scores are few enough, or where the graph misses too much.
        """
        limit = EXACT_GROUP_LIMIT if criteria.exact_limit is None else criteria.exact_limit
        few = live.collaborative and live.documents * members <= limit
        return cls._choose(live, criteria, _recall_for(live, users), small=few)

    def rank_exactly(self, criteria: Criteria) -> "RankingContext":
        """Return the context with path ``exact`` where ``auto`` chose the graph for its speed."""
        by_graph = criteria.path == "auto" and self.path is Path.ANN and self.scripts
        return replace(self, path=Path.EXACT) if by_graph else self

    @classmethod
    def _choose(
        cls, live: Live, criteria: Criteria, graph: GraphRecall, *, small: bool
    ) -> "RankingContext":
        exact = small or graph.misses
        path = choose_path(criteria, live.space, exact=exact, scripts=live.scripts)
        without = not live.scripts and criteria.path is not Path.ANN
        note = f"ranked by the graph: {EXPENSIVE} is false in this cluster" if without else ""
        if live.rounded and not live.scripts:
            # no script can compare the best of them again
            note = join_notes(note, "by rounded vectors, so probabilities are nearly right")
        if path is Path.ANN and graph.misses:
            note = join_notes(note, "ranked by the graph, which finds too few of the best items")
        elif path is Path.ANN and criteria.ef_search and criteria.ef_search < graph.ef_search:
            few = f"fewer candidates than it needs (ef_search {graph.ef_search})"
            note = join_notes(note, f"ranked by the graph, with {few}")
        in_part = "the index is attached in part: items without a vector yet are left out"
        return cls(
            path,
            live.space,
            live.calibration,
            live.scripts,
            note,
            missing=in_part if live.half_attached else "",
            rounded=live.rounded,
            ef_search=graph.ef_search,
        )


def _recall_for(live: Live, users: Sequence[User]) -> GraphRecall:
    """Return what the graph finds for users: those without a history have but words."""
    found = live.recall_for_users
    return found if all(one.history for one in users) else found.and_also(live.recall_for_items)


def is_small(criteria: Criteria, documents: int) -> bool:
    """Tell whether ``auto`` ranks an index of so many documents exactly.

    A filter makes no difference: Lucene searches its graph within the filter and ranks exactly by
    itself where few documents pass.

    Parameters
    ----------
    criteria
        May have a limit of their own.
    documents
        How many the index has.
    """
    return documents <= exact_limit(criteria.exact_limit)


def choose_path(criteria: Criteria, space: Space, *, exact: bool, scripts: bool = True) -> Path:
    """Return the path that ranks.

    Parameters
    ----------
    criteria, space
        What a list must be, and the similarity that the index was built for.
    exact
        Whether ``auto`` ranks exactly; otherwise it searches the graph.
    scripts
        Whether the cluster lets scripts rank; where it does not, ``auto`` searches the graph.

    Raises
    ------
    ConfigError
        The approximate path is chosen for an index that is not cosine.
    ScriptsRefused
        The path needs scripts, and the cluster runs none.
    """
    if not scripts:
        if space is Space.COSINE and criteria.path in ("auto", Path.ANN):
            return Path.ANN
        what = f"an index for {space}" if space is not Space.COSINE else f"path {criteria.path}"
        raise without_scripts(what)
    if space is Space.COSINE:
        auto = Path.EXACT if exact else Path.ANN
        return auto if criteria.path == "auto" else criteria.path
    if criteria.path is Path.ANN:
        raise ConfigError(
            f"path ann: an index for {space} ranks by script alone",
            hint="use path exact or reference, or build the index with index.space = 'cosine'",
            caller_hint="use path exact or reference",
        )
    return Path.REFERENCE


def without_scripts(what: str) -> ScriptsRefused:
    """Return the error of something that needs scripts, in a cluster that runs none."""
    return ScriptsRefused(
        f"{what} ranks by scripts, and this cluster runs none: {EXPENSIVE} is false"
    )
