"""What the doctor says of one thing that it looked at."""

from dataclasses import dataclass

from seealso.errors import SeeAlsoError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    cure: str = ""


def failed(what: str, exc: SeeAlsoError) -> Finding:
    """Return the finding that `what` cannot be used, and why."""
    return Finding(what, ok=False, found=exc.message, cure=exc.hint or "")
