"""Which path ranks: by what is asked for, the size of the index, and what the cluster runs."""

from typing import Final

from seealso.errors import ConfigError
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.serving import EXPENSIVE, ScriptsRefused
from seealso.types import Path, Space

EXACT_LIMIT: Final = 20_000
"""Documents up to which ``auto`` ranks exactly."""

COLLABORATIVE_LIMIT: Final = 100_000
"""The same where behaviour is collaborative: docs/decisions/0005."""


def exact_limit(criteria: Criteria, *, collaborative: bool) -> int:
    """Return the number of documents up to which ``auto`` ranks exactly.

    Parameters
    ----------
    criteria
        May say so.
    collaborative
        Whether the vectors hold behaviour.
    """
    limit = criteria.exact_limit
    return (COLLABORATIVE_LIMIT if collaborative else EXACT_LIMIT) if limit is None else limit


def choose_path(
    criteria: Criteria, space: Space, documents: int, *, collaborative: bool, scripts: bool = True
) -> Path:
    """Return the path that ranks.

    ``auto`` is exact up to `exact_limit` documents and approximate above. A filter makes no
    difference: Lucene searches its graph within the filter and ranks exactly by itself where
    few documents pass.

    Raises
    ------
    ConfigError
        The approximate path is asked of an index that is not cosine.
    ScriptsRefused
        The path that is asked for needs scripts, and the cluster runs none.
    """
    few = documents <= exact_limit(criteria, collaborative=collaborative)
    return path_or(Path.EXACT if few else Path.ANN, criteria, space, scripts=scripts)


def path_or(auto: Path, criteria: Criteria, space: Space, *, scripts: bool = True) -> Path:
    """Return the path that is asked for, `auto` where that is left open.

    Where the cluster runs no scripts, ``auto`` is the graph.

    Raises
    ------
    ConfigError, ScriptsRefused
        As for `choose_path`.
    """
    if not scripts:
        if space is Space.COSINE and criteria.path in ("auto", Path.ANN):
            return Path.ANN
        what = f"an index for {space}" if space is not Space.COSINE else f"path {criteria.path}"
        raise without_scripts(what)
    if space is Space.COSINE:
        return auto if criteria.path == "auto" else criteria.path
    if criteria.path is Path.ANN:
        raise ConfigError(
            f"path ann: an index for {space} ranks by script alone",
            hint="use path exact or reference, or build the index with index.space = 'cosine'",
        )
    return Path.REFERENCE


def without_scripts(what: str) -> ScriptsRefused:
    """Return the error of something that needs scripts, in a cluster that runs none."""
    return ScriptsRefused(
        f"{what} ranks by scripts, and this cluster runs none: {EXPENSIVE} is false",
        hint=f"path auto or ann of a cosine index needs none; or set {EXPENSIVE} to true",
        setting=EXPENSIVE,
    )


def fallback(criteria: Criteria, *, scripts: bool) -> str:
    """Return a line on the graph that ranks because scripts cannot; empty where they can."""
    if scripts or criteria.path is Path.ANN:
        return ""
    return f"ranked by the graph: {EXPENSIVE} is false in this cluster"
