"""Index templates of a cluster's operators: what they would add to an index that we create.

OpenSearch adds aliases, mappings and settings of a template to every index whose name it matches.
Of the composable templates (``_index_template``) the one of the highest priority counts alone;
only where there is none do the legacy ones (``_template``) count, all that match.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from seealso.cluster.client import Cluster

OVERRULED = ("index.sort.", "index.blocks.", "index.mapping.", "index.hidden")
"""Settings of templates that an index of ours does without: its fields are not those they mean."""


@dataclass(frozen=True)
class ForeignTemplates:
    """What templates would add to an index of one name.

    Attributes
    ----------
    names
        The templates that match and count.
    priority
        Of the composable one; -1 for legacy ones.
    aliases, mappings
        As the templates give them.
    settings
        Flat.
    streams
        Whether indices of that name can only be made as parts of a data stream.
    """

    names: tuple[str, ...]
    priority: int
    aliases: Mapping[str, Any]
    mappings: Mapping[str, Any]
    settings: Mapping[str, Any]
    streams: bool

    @property
    def intrudes(self) -> bool:
        """Whether they add what the creation of an index cannot overrule."""
        overruled = any(name.startswith(OVERRULED) for name in self.settings)
        return bool(self.aliases or self.mappings or self.streams or overruled)


def flatten(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of an index by their whole names, as ``index.number_of_shards``."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": one for inner, one in flatten(value).items()}
        else:
            found[name] = value
    return found


def find_templates(cluster: Cluster, name: str) -> ForeignTemplates | None:
    """Return what templates would add to an index called `name`, or None.

    Where the account may not read templates, it is None, too.
    """
    composable = cluster.request("GET", "/_index_template", params={"ignore": 403})
    matching = [
        one
        for one in composable.get("index_templates", ())
        if _matches(one["index_template"]["index_patterns"], name)
    ]
    if matching:
        first = max(matching, key=lambda one: one["index_template"].get("priority", 0))
        path = f"/_index_template/_simulate_index/{name}"
        simulated = cluster.request("POST", path, params={"ignore": 403})
        # without the right to simulate: what the template says itself, without its components
        template = simulated.get("template") or first["index_template"].get("template", {})
        priority = first["index_template"].get("priority", 0)
        streams = "data_stream" in first["index_template"]
        return _merge_templates((first["name"],), priority, [template], streams=streams)
    legacy = cluster.request("GET", "/_template", params={"ignore": 403})
    if "error" in legacy:
        return None
    found = {k: v for k, v in legacy.items() if _matches(v.get("index_patterns", ()), name)}
    ordered = sorted(found, key=lambda one: found[one].get("order", 0))
    if not ordered:
        return None
    return _merge_templates(tuple(ordered), -1, [found[one] for one in ordered], streams=False)


def _merge_templates(
    names: tuple[str, ...], priority: int, templates: list[Mapping[str, Any]], *, streams: bool
) -> ForeignTemplates:
    aliases: dict[str, Any] = {}
    mappings: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for one in templates:
        aliases |= one.get("aliases") or {}
        mappings |= one.get("mappings") or {}
        settings |= flatten(one.get("settings") or {})
    return ForeignTemplates(names, priority, aliases, mappings, settings, streams)


def _matches(patterns: list[str], name: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) for pattern in patterns
    )


@contextmanager
def shield(cluster: Cluster, name: str, foreign: ForeignTemplates | None) -> Iterator[None]:
    """Keep what intrudes of `foreign` from an index that is created in the block.

    Meanwhile a template for that name alone has a higher priority than the others. It has their
    settings, which are the operators' choice. If a killed process leaves it, it matches no other
    name, and the next one replaces it.
    """
    if foreign is None or not foreign.intrudes:
        yield
        return
    stem = re.sub(r"-\d{8}-\d{6}-\d{6}$", "", name)
    settings = {k: v for k, v in foreign.settings.items() if not k.startswith(OVERRULED)}
    body = {
        "index_patterns": [name],
        "priority": foreign.priority + 1,
        "template": {"settings": settings},
    }
    path = f"/_index_template/seealso-{stem}"
    cluster.request("PUT", path, body)
    try:
        yield
    finally:
        cluster.request("DELETE", path, params={"ignore": 404})
