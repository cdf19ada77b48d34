"""Creates an index, and makes sure that it is as requested, whatever index templates add."""

from collections.abc import Mapping
from typing import Any

from seealso.cluster import Cluster, indices
from seealso.cluster.addresses import write_aliases
from seealso.cluster.foreign import ForeignTemplates, find_templates, flatten, shield
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.mapping import NO_PIPELINES, WHOLE_SOURCE, keeps_documents


def create_index(cluster: Cluster, name: str, body: Mapping[str, Any]) -> None:
    """Create the index `name`, whatever the index templates of the cluster say of such names.

    Parameters
    ----------
    cluster, name
        Where, and what it is called.
    body
        Mappings and settings.

    Raises
    ------
    MappingMismatch
        A template adds to it what cannot be kept out; the index is gone again.
    ClusterError
        OpenSearch refuses.
    """
    requested = {**_spell_out(body), "aliases": write_aliases(name)}
    foreign = find_templates(cluster, name)
    try:
        with shield(cluster, name, foreign):
            indices.create(cluster, name, requested)
    except ClusterError as exc:
        if foreign is None or isinstance(exc, MappingMismatch):
            raise
        raise _name_templates(exc, foreign, name) from exc
    try:
        compare(cluster, name, body)
    except MappingMismatch:
        # nothing was loaded; an index behind an alias of somebody's must not stay
        indices.delete(cluster, name)
        raise


def _spell_out(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` with what overrules templates: no pipelines, whole documents."""
    settings = {f"index.{setting}": value for setting, value in NO_PIPELINES.items()}
    return {
        "settings": {**settings, **flatten(body.get("settings", {}))},
        "mappings": {"_source": dict(WHOLE_SOURCE), **body.get("mappings", {})},
    }


def _name_templates(exc: ClusterError, foreign: ForeignTemplates, name: str) -> MappingMismatch:
    templates = ", ".join(foreign.names)
    return MappingMismatch(
        f"{name}: could not be created beside the index template {templates}: {exc.message}",
        hint=f"leave such names out of the patterns of {templates}, or choose another index.alias",
        index=name,
        templates=foreign.names,
    )


def compare(cluster: Cluster, name: str, body: Mapping[str, Any]) -> None:
    """Compare a new index, which is not live yet, with what was requested.

    Raises
    ------
    MappingMismatch
        It differs: an alias, a pipeline, an incomplete ``_source``, other fields.
    """
    requested = _spell_out(body)
    found = cluster.request("GET", f"/{name}", params={"flat_settings": "true"})[name]
    wrong = [
        *(
            f"it has the alias {alias}"
            for alias in sorted(found["aliases"].keys() - write_aliases(name).keys())
        ),
        *changed_settings(requested["settings"], found["settings"]),
        *_other_mappings(requested["mappings"], found["mappings"]),
    ]
    if not wrong:
        return
    raise MappingMismatch(
        f"{name}: differs from what was requested: {'; '.join(wrong[:3])}",
        hint="an index template of the cluster, or somebody else, added to it: leave such names "
        "out of its patterns, or choose another index.alias",
        index=name,
    )


def changed_settings(requested: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Return which settings, all flat, differ from the request."""
    return [
        f"{name} is {there.get(name)}, not {_text(value)}"
        for name, value in requested.items()
        if value is not None and there.get(name) != _text(value)
    ]


def _text(value: Any) -> Any:
    """Return a setting as OpenSearch shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    return [str(one) for one in value] if isinstance(value, list | tuple) else str(value)


def narrowed_source(mappings: Mapping[str, Any]) -> list[str]:
    """Say whether an index with these mappings does not keep whole documents."""
    return [] if keeps_documents(mappings) else ["its _source does not keep whole documents"]


def _other_mappings(requested: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    wrong = narrowed_source(there)
    if there.get("_routing", {}).get("required"):
        wrong.append("its _routing is required")
    if str(there.get("dynamic", True)).lower() != str(requested.get("dynamic", True)).lower():
        wrong.append(f"its mapping is dynamic: {there.get('dynamic', True)}")
    expected, fields = requested.get("properties", {}), there.get("properties", {})
    wrong += [f"it has a field {name}" for name in sorted(fields.keys() - expected.keys())]
    wrong += [f"it lacks the field {name}" for name in sorted(expected.keys() - fields.keys())]
    for name in sorted(fields.keys() & expected.keys()):
        extra = sorted(fields[name].keys() - expected[name].keys())
        if fields[name].get("type", "object") != expected[name].get("type", "object") or extra:
            wrong.append(f"its field {name} is {fields[name]}")
    return wrong
