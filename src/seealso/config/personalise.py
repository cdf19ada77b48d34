"""How a search that is there already is personalised."""

from pydantic import Field

from seealso.config.section import Section


class PersonaliseSettings(Section):
    """``[personalise]``: how a user's preference is mixed into the score of a search."""

    weight: float = Field(0.15, ge=0, le=10)
    """How much the preference counts: a hit's score is multiplied by exp(weight * z), where z is in
    standard deviations of the user's similarities; 0 changes no order."""
    window: int | None = Field(None, ge=1, le=10_000)
    """Rank only so many of the best hits of each shard anew, by a rescore clause; none for all."""
