"""What several people are recommended together: whose preferences count, and how."""

from typing import Literal

from pydantic import Field

from seealso.config.section import Section

StrategyName = Literal["fair", "average", "least-misery", "most-pleasure", "borda"]
SeenRule = Literal["any", "everyone", "nothing"]


class GroupSettings(Section):
    """``[groups]``: how a list for several people is made."""

    strategy: StrategyName = "fair"
    """How the members' preferences become one order."""
    seen: SeenRule = "any"
    """Left out is what any member has seen, only what everyone has, or nothing."""
    candidates: int | None = Field(None, ge=1, le=1000)
    """Best items of each member that the group chooses from; by default as many as the strategy
    needs: 50, and 400 for ``least-misery`` and ``borda``."""
    fairness: float = Field(0.5, ge=0)
    """``fair``: how much more a member counts whose items are few on the list so far; 0 counts all
    alike."""
