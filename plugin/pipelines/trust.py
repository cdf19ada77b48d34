"""What a cluster lets connectors ask, and what an administrator must allow first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from seealso.cluster import Cluster
from seealso.errors import ClusterError
from seealso.plugin.pipelines.recipe import ClusterRequest, Recipe

TRUSTED: Final = "plugins.ml_commons.trusted_connector_endpoints_regex"
PRIVATE: Final = "plugins.ml_commons.connector.private_ip_enabled"

SCOPES: Final = ("transient", "persistent", "defaults")
"""Of the settings of a cluster; the first one that names a setting holds."""

SETTINGS: Final = "/_cluster/settings"


@dataclass(frozen=True, slots=True)
class Trust:
    """What a cluster lets connectors ask.

    Attributes
    ----------
    patterns
        Of addresses.
    private
        Whether they may be private.
    readable
        Whether the settings of the cluster could be read.
    """

    patterns: Sequence[str] = ()
    private: bool = False
    readable: bool = True

    @classmethod
    def of(cls, settings: Mapping[str, Mapping[str, Any]]) -> "Trust":
        """Return what the flat settings of a cluster say, with its defaults."""

        def value(name: str) -> Any:
            named = (settings[one][name] for one in SCOPES if name in settings.get(one, {}))
            return next(named, None)

        return cls(tuple(value(TRUSTED) or ()), str(value(PRIVATE)).lower() == "true")

    @classmethod
    def read(cls, cluster: Cluster) -> "Trust":
        """Return what a cluster says; nothing, where the settings may not be read."""
        params = {"include_defaults": "true", "flat_settings": "true"}
        try:
            return cls.of(cluster.request("GET", SETTINGS, params=params))
        except ClusterError:
            return cls(readable=False)

    def lacking(self, recipe: Recipe) -> tuple[ClusterRequest, ...]:
        """Return the request that an administrator must send before the connector can be used."""
        settings: dict[str, Any] = {}
        if not any(_matches(pattern, recipe.url) for pattern in self.patterns):
            # the list is replaced as a whole
            settings[TRUSTED] = [*self.patterns, f"^{re.escape(recipe.address)}/.*$"]
        if not self.private and is_private(urlsplit(recipe.address).hostname or ""):
            settings[PRIVATE] = True
        return (ClusterRequest("PUT", SETTINGS, {"persistent": settings}),) if settings else ()


def is_private(host: str) -> bool:
    """Tell whether an address, or a name as machines of one network have it, is private."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host


def _matches(pattern: str, url: str) -> bool:
    try:
        return re.fullmatch(pattern, url) is not None
    except re.error:
        # Java knows forms that Python does not
        return False
