"""What several people are recommended together: whose preferences count, and how."""

from pydantic import Field

from seealso.choices import SeenRule, StrategyName
from seealso.config.section import Section


class GroupSettings(Section):
    """``[groups]``: how a list for a group is made."""

    strategy: StrategyName = "fair"
    """How the members' preferences become one order."""
    seen: SeenRule = "any"
    """Leave out items that any member has seen, items that everyone has seen, or nothing."""
    candidates: int | None = Field(None, ge=1, le=1000)
    """Candidates for each member, the best items; by default as many as the strategy needs: 50, and
    400 for ``least-misery`` and ``borda``."""
    fairness: float = Field(0.5, ge=0)
    """``fair``: how much more a member counts who has got little from the list so far; with 0 all
    count the same."""
