"""Where the service listens."""

from pydantic import Field

from seealso.config.section import Section


class ServiceSettings(Section):
    """``[service]``: where `seealso serve` listens."""

    host: str = "127.0.0.1"
    """Address; one that this machine alone reaches, as callers are asked for no key."""
    port: int = Field(8080, ge=0, le=65535)
    """Port; 0 for a free one."""
