"""What the doctor says of one thing that it checked."""

from collections.abc import Callable
from dataclasses import dataclass

from seealso.errors import SeeAlsoError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: whether it is as it must be, what is there, and what to do."""

    what: str
    ok: bool
    found: str
    cure: str = ""


def check(what: str, examine: Callable[[], str]) -> Finding:
    """Return what `examine` says of a thing; what it raises is what is wrong, its hint the cure."""
    try:
        return Finding(what, ok=True, found=examine())
    except SeeAlsoError as exc:
        return Finding(what, ok=False, found=exc.message, cure=exc.hint or "")
