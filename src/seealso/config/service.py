"""Where the service listens, whom it answers, and how much at once."""

from pydantic import Field

from seealso.config.section import Section


class ServiceKey(Section):
    """``[[service.keys]]``: a key that callers may ask with."""

    name: str = Field(min_length=1)
    """Whose it is."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """SHA-256 of the key, in hexadecimal digits; the key itself is stored nowhere."""


class ServiceSettings(Section):
    """``[service]``: where `seealso serve` listens, and whom it answers."""

    host: str = "127.0.0.1"
    """Address. Without keys, one that this machine alone reaches."""
    port: int = Field(8080, ge=0, le=65535)
    """Port; 0 for a free one."""
    requests: int = Field(64, ge=1)
    """Requests that are answered at the same time; more get 429 at once."""
    keys: tuple[ServiceKey, ...] = ()
    """Keys of callers: ``[[service.keys]]``, each with ``name`` and ``sha256``; see
    docs/how-to/serve.md. Without any, callers need none."""
