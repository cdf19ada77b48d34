"""A list that nobody has searched for yet: what OpenSearch would be sent for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from seealso.query_templates import msearch
from seealso.types import Path


@dataclass(frozen=True, slots=True)
class PlannedList:
    """What a list would be searched for with.

    Every hit of these searches has its document. Where candidates are many, a list itself reads the
    documents of its own items alone, afterwards.

    Attributes
    ----------
    user_id
        Whom the list is for, if known by id.
    path
        The path that would rank it.
    index, fingerprint
        The physical index that would be sent the searches, and the bundle of their vectors.
    searches
        Each as an ``_msearch`` takes it: what its header says beside the index, and its body.
    note
        Something a person should know, for instance why there is no profile.
    """

    user_id: str | None
    path: Path
    index: str
    fingerprint: str
    searches: tuple[tuple[Mapping[str, str], bytes], ...]
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "user_id": self.user_id,
            "path": self.path.value,
            "index": self.index,
            "fingerprint": self.fingerprint,
            "note": self.note,
            "requests": [
                {"index": self.index, **header, "body": orjson.loads(body)}
                for header, body in self.searches
            ],
        }

    def msearch(self) -> bytes:
        """Return the body of the ``_msearch``, to be sent with any HTTP client."""
        return b"".join(msearch(self.index, [body], header) for header, body in self.searches)
