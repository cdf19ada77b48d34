"""How behaviour is joined with texts, in minutes and without training a language model."""

from pydantic import Field

from seealso.config.section import Section


class FitSettings(Section):
    """``[fit]``: the behaviour part of the vectors and all weights, chosen on dev."""

    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)
    """Name of the bundle that is made; ``fitted-`` and ``index.alias`` by default."""
    factors: int | None = Field(None, ge=2)
    """Length of the behaviour part; chosen on dev of 64, 128 and 256 by default."""
    cold_loss: float = Field(0.05, ge=0, lt=1)
    """Share of NDCG@10 that may be lost by the bonus for items without events."""
