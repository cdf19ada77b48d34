"""What a fit reports: the bundle that was made, what dev chose, and what each step reached."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from seealso.datasets.sampling import Draw
from seealso.fitting.fitter import Fitted
from seealso.fitting.groups import ChosenGroups
from seealso.fitting.text_models import FineTuned


@dataclass(frozen=True, slots=True)
class FitReport:
    """What was fitted, and what each step reached on dev.

    Attributes
    ----------
    bundle, fingerprint, dimension
        The bundle that was made.
    base
        The bundle whose model reads the texts.
    fitted
        What was chosen on dev, and what it reached.
    users, items
        Dev users who were asked, and items that were ranked.
    seconds
        How long it took.
    images
        What images of items weigh, and how many items have one, as `ImageContent.facts`.
    fine_tuned
        How lists with a fine-tuned model compare; None where there is none.
    groups
        How lists for known groups are made; None without any.
    draw
        How much of the events was learnt from; None for all of them.
    """

    bundle: str
    fingerprint: str
    dimension: int
    base: str
    fitted: Fitted
    users: int
    items: int
    seconds: float
    images: Mapping[str, float] = field(default_factory=dict)
    fine_tuned: FineTuned | None = None
    groups: ChosenGroups | None = None
    draw: Draw | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return everything side by side, for JSON."""
        values = asdict(self)
        fitted = values.pop("fitted")
        del fitted["gains"]
        return {**fitted, **values}
