"""Says how a bundle may have learnt what it is asked: it learnt from other data than may be known.

One rule for protocols and for the gate of a build.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from seealso.encoder import Bundle

STEPS: Final[Mapping[str, str]] = MappingProxyType({"training": "fine-tuned", "fit": "fitted"})
"""Parts of a bundle's origin that learn from behaviour, and what a person calls them."""


def has_learnt(bundle: Bundle) -> bool:
    """Whether anything in a bundle learnt from behaviour."""
    return any(bundle.origin.get(step) for step in STEPS)


def find_leakage(bundle: Bundle, known: str) -> tuple[str, ...]:
    """Return a note for each step by which a bundle may have learnt what is asked.

    Parameters
    ----------
    bundle
        Who is asked.
    known
        `Dataset.signature` of what may be known where it is asked.
    """
    return tuple(
        f"{bundle.name} was {how} on other events or texts: it may have learnt what is asked"
        for step, how in STEPS.items()
        if bundle.origin.get(step) and bundle.origin[step].get("data") != known
    )
