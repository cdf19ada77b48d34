"""How a search that already exists is personalised."""

from pydantic import Field

from seealso.config.section import Section


class PersonaliseSettings(Section):
    """``[personalise]``: how a user's preference changes the scores of a search."""

    weight: float = Field(0.15, ge=0, le=10)
    """How much the preference counts: a hit's score is multiplied by exp(weight * z), where z is
    the user's similarity in standard deviations; 0 changes nothing."""
    window: int | None = Field(None, ge=1, le=10_000)
    """Change the scores of only this many of the best hits of each shard, by a rescore clause; none
    for all hits."""
