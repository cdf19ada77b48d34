"""What the doctor says of one thing that it checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from seealso.errors import SeeAlsoError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: whether it is as it must be, what is there, and what to do."""

    what: str
    ok: bool
    found: str
    cure: str = ""


def attempt(examine: Callable[[], T]) -> T | SeeAlsoError:
    """Return what `examine` finds, or the error that it raises."""
    try:
        return examine()
    except SeeAlsoError as exc:
        return exc


def check(what: str, examine: Callable[[], str]) -> Finding:
    """Return what `examine` says of a thing; what it raises is what is wrong, its hint the cure."""
    found = attempt(examine)
    if isinstance(found, SeeAlsoError):
        return Finding(what, ok=False, found=found.message, cure=found.hint or "")
    return Finding(what, ok=True, found=found)
