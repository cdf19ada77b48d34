"""What every search of one answer has in common."""

from dataclasses import dataclass

from seealso.plugin.serving import Live
from seealso.types import Calibration, Path, Space


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
    """

    path: Path
    space: Space
    calibration: Calibration
    scripts: bool = True

    @classmethod
    def of(cls, live: Live, path: Path) -> "RankingContext":
        """Return the context of an index that ranks by `path`."""
        return cls(path, live.space, live.calibration, live.scripts)
