"""Where the service listens, whom it answers, and how much at once."""

from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, field_validator

from seealso.choices import KeyScope
from seealso.config.section import Section

NO_KEY: Final = sha256(b"").hexdigest()
"""What a shell makes of a variable that is not set: the hash of an empty text."""


class ServiceKey(Section):
    """``[[service.keys]]``: a key that callers may ask with."""

    name: str = Field(min_length=1)
    """Whose it is."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """SHA-256 of the key, in hexadecimal digits; the key itself is stored nowhere."""
    scopes: tuple[KeyScope, ...] = Field(("read",), min_length=1)
    """What it allows: ``read`` lists and numbers, ``events`` to send events, ``admin`` everything,
    also to change items and to export and forget users."""

    @field_validator("sha256")
    @classmethod
    def _refuse_empty(cls, digest: str) -> str:
        if digest == NO_KEY:
            raise ValueError("is the hash of an empty text: the key was not there when it was made")
        return digest


class ServiceSettings(Section):
    """``[service]``: where `seealso serve` listens, and whom it answers."""

    host: str = "127.0.0.1"
    """Address. Without keys, one that this machine alone reaches."""
    port: int = Field(8080, ge=0, le=65535)
    """Port; 0 for a free one."""
    requests: int = Field(64, ge=1)
    """Requests that each worker answers at the same time; more get 429 at once."""
    workers: int = Field(1, ge=1)
    """Processes that answer; they share one model in memory."""
    stand_in: Literal["popular", "none"] = "popular"
    """What users get while OpenSearch does not answer: the last popular list, marked as such, or an
    error alone."""
    playground: bool = True
    """Whether the page at ``/`` shows lists to people, and answers what it asks for: with keys, to
    those who have one with the scope ``admin``."""
    votes: Path = Path(".seealso/votes.jsonl")
    """Where votes on two lists of the playground go: one a line, as JSON, without ids of users."""
    keys: tuple[ServiceKey, ...] = ()
    """Keys of callers: ``[[service.keys]]``, each with ``name``, ``sha256`` and
    ``scopes``; see docs/how-to/serve.md. Without any, callers need none."""

    @field_validator("keys")
    @classmethod
    def _refuse_repeated(cls, keys: tuple[ServiceKey, ...]) -> tuple[ServiceKey, ...]:
        for what, values in (
            ("name", [one.name for one in keys]),
            ("key", [one.sha256 for one in keys]),
        ):
            value, times = max(Counter(values).items(), key=lambda one: one[1], default=("", 0))
            if times > 1:
                raise ValueError(f"two of them have the same {what}: {value}")
        return keys
