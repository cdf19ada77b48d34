"""What several people are recommended together: who they are, whose preferences count, and how."""

from pathlib import Path

from pydantic import Field

from seealso.choices import SeenRule, StrategyName
from seealso.config.inputs import FormatSettings
from seealso.config.section import Section


class GroupSettings(Section):
    """``[groups]``: known groups, and how a list for a group is made."""

    path: Path | None = None
    """A file with the members of known groups (households, teams): CSV, TSV, JSON or Parquet, which
    may be compressed; or a folder or pattern of such files. What a group chose together are the
    events with its id in the place of the user's."""
    id: str = "group"
    """Its column with the id of the group; several rows of one group add up."""
    members: str = "members"
    """Its column with ids of users: one, or a list."""
    separator: str | None = Field(None, min_length=1)
    """The separator of ids in a cell of ``members``, where one cell of a delimited file has
    several."""
    format: FormatSettings = FormatSettings()
    """How the file is written."""
    strategy: StrategyName = "fair"
    """How the members' preferences become one order; for known groups, `seealso fit` chooses it."""
    own_weight: float = Field(0.5, ge=0, le=1)
    """What a known group's own history weighs beside its members together: with 0 the members alone
    count, with 1 the history alone; `seealso fit` chooses it."""
    seen: SeenRule = "any"
    """Leave out items that any member has seen, items that everyone has seen, or none of these
    (``group``); and in each case what a known group has seen itself. ``nothing`` leaves out
    nothing. For known groups, `seealso fit` chooses it."""
    candidates: int | None = Field(None, ge=1, le=1000)
    """Candidates for each member, the best items; by default as many as the strategy needs: 50, and
    400 for ``least-misery`` and ``borda``."""
    fairness: float = Field(0.5, ge=0)
    """``fair``: how much more a member counts who has got little from the list so far; with 0 all
    count the same."""

    @property
    def columns(self) -> tuple[str, str]:
        """The columns that are read."""
        return self.id, self.members
