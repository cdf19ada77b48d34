"""How a user becomes a profile, and how a list is made."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from seealso.config.section import Section
from seealso.types import Path as RankingPath


class ProfileSettings(Section):
    """``[profile]``: how a user becomes a vector."""

    history: float = Field(1.0, ge=0)
    """Weight of the history in the profile."""
    words: float = Field(1.0, ge=0)
    """Weight of the user's own words."""
    attributes: float = Field(0.5, ge=0)
    """Weight of the user's attributes."""
    recency: float = Field(0.8, gt=0, le=1)
    """Weight of a history item relative to the next newer one."""
    tail_recency: float | None = Field(None, gt=0, le=1)
    """The same for the tail list; none uses the value of the vector list."""
    history_items: int = Field(50, ge=1)
    """Most history items in the profile, the newest."""
    history_as: Literal["vectors", "text"] = "vectors"
    """The mean of item vectors, or the texts of the items through the user template."""


class RecommendSettings(Section):
    """``[recommend]``: how a list is made."""

    size: int = Field(10, ge=1, le=1000)
    """Length of a list."""
    path: Literal["auto"] | RankingPath = "auto"
    """How to rank: exact, ann, reference, or auto, by size and filter."""
    exact_limit: int | None = Field(None, ge=0)
    """``auto`` ranks exactly up to this many documents; by default 20,000. Above, the graph ranks,
    unless a build found that it misses too many items."""
    tail_share: float = Field(0.2, ge=0, le=1)
    """Share of the places that is reserved for tail items, if enough of them match."""
    min_probability: float = Field(0.0, ge=0, lt=1)
    """Recommendations with a lower probability are left out."""
    ef_search: int | None = Field(None, ge=1, le=10_000)
    """``ann``: candidates examined in each segment; none for as many as the build of the index
    found to be enough, from 200 to 6,400."""
    field_weights: Mapping[str, float] = Field(default_factory=dict)
    """BM25 weight of each text field; without any, only the rendered item text is searched."""
    words: int = Field(32, ge=1)
    """Most words of the profile in the tail query."""
