"""What a fitted bundle records of its fit: from what it was fitted, when, and how well it ranks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seealso.encoder import Bundle
from seealso.errors import BundleError

KEY = "fit"
"""Name of the lineage in ``origin`` of a bundle."""


class Lineage(BaseModel):
    """The fit that a bundle comes from."""

    model_config = ConfigDict(frozen=True)

    alias: str = ""
    """The alias whose catalogue and events were read; empty in a bundle of an earlier version."""
    inputs: str = ""
    """Hash of all that the fit depends on; empty in a bundle of an earlier version."""
    base: str = ""
    """Name of the bundle that reads the texts."""
    named: str = ""
    """Name of the bundle that `encoder.bundle` named: another one where a fine-tuned model reads
    the texts."""
    recipe: Mapping[str, Any]
    """The numbers that dev chose, as `Recipe.as_dict` has them."""
    dev: Mapping[str, float] = Field(default_factory=dict)
    """NDCG@10 on dev after each step, texts alone first, the whole bundle last."""
    cold: Mapping[str, float] = Field(default_factory=dict)
    """What items without events reach on dev."""
    events: int | None = None
    """Events that behaviour was learnt from; None in a bundle of an earlier version."""
    at: datetime | None = None
    """When it was fitted; None in a bundle of an earlier version."""

    @classmethod
    def of(cls, bundle: Bundle) -> "Lineage | None":
        """Return the lineage of a bundle; None where it was not fitted.

        Raises
        ------
        BundleError
            What the bundle records cannot be read.
        """
        recorded = bundle.origin.get(KEY)
        if bundle.collaborative is None or recorded is None:
            return None
        try:
            return cls.model_validate(recorded)
        except ValidationError as exc:
            (first, *_) = exc.errors()
            raise BundleError(
                f"{bundle.name}: its record of the fit cannot be read: "
                f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
                hint="run `seealso fit --force`",
                bundle=bundle.name,
            ) from exc

    def as_dict(self) -> dict[str, Any]:
        """Return everything by name, for JSON."""
        return self.model_dump(mode="json")

    def as_origin(self, origin: Mapping[str, Any]) -> dict[str, Any]:
        """Return the origin of a bundle with this fit recorded in it."""
        return {**origin, KEY: self.as_dict()}

    @property
    def quality(self) -> str:
        """What the bundle reached on dev, in a phrase."""
        return describe_dev(self.dev)


def describe_dev(dev: Mapping[str, float]) -> str:
    """Return in a phrase what the last of some steps reached on dev, and the first.

    Parameters
    ----------
    dev
        NDCG@10 after each step, texts alone first.
    """
    if not dev:
        return "not measured"
    steps = list(dev.values())
    return f"NDCG@10 on dev {steps[-1]:.4f}, by texts alone {steps[0]:.4f}"
