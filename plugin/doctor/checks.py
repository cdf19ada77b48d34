"""Checks everything that a recommendation needs, and says what to do about what is wrong."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from seealso.cluster import Cluster, indices
from seealso.cluster.node import VERSIONS
from seealso.cluster.node.jdk import find_jdk
from seealso.cluster.node.versions import RELEASES
from seealso.config import Settings
from seealso.encoder import find_serving_bundle
from seealso.errors import ClusterError, ConfigError, SeeAlsoError
from seealso.indexer.graph import EXPENSIVE
from seealso.indexer.live import LiveIndex, live_index, name_finishing_command
from seealso.indexer.templates import installed
from seealso.indexer.users.live import live_users
from seealso.plugin.doctor.finding import Finding, attempt, check
from seealso.plugin.doctor.inputs import examine_inputs
from seealso.plugin.doctor.writing import examine_writing
from seealso.readers import Pseudonyms
from seealso.types import Space
from seealso.wording import format_count

TIMEOUT_S = 10.0
"""Seconds that the cluster has for an answer: that it gives none is a finding as well."""

OLDEST = (2, 19)
"""OpenSearch from this version on is supported."""


Reached = tuple[Cluster, str] | SeeAlsoError
"""The cluster and its version, or why there is none."""


def examine(settings: Settings, connect: Callable[[], Cluster]) -> Iterator[Finding]:
    """Yield a finding for each thing a recommendation needs, in the order they build on.

    Parameters
    ----------
    settings
        Everything that is set.
    connect
        Returns the cluster; may raise.
    """
    # first, so that a cluster that hangs is waited for once; reported in its place below
    reached = reach(connect)
    yield from examine_inputs(settings, lambda: _reached(reached)[0])
    images = settings.images.path or settings.images.folder
    if images is not None:
        yield check("images", lambda: _images(images))
    yield check("bundle", lambda: _bundle(settings))
    if settings.cluster.url is None:
        yield check("Java", _java)
    yield check("cluster", lambda: _version(*_reached(reached)))
    if isinstance(reached, SeeAlsoError):
        return
    cluster, _ = reached
    yield check("k-NN plugin", lambda: _plugin(cluster))
    yield from _index(cluster, settings)
    if settings.users.enabled:
        yield check("users", lambda: _users(cluster, settings))
    yield from examine_writing(cluster, settings)
    yield check("templates", lambda: _templates(cluster))


def reach(connect: Callable[[], Cluster]) -> Reached:
    """Return the cluster, in a hurry, and its version, or why there is none."""

    def ask() -> tuple[Cluster, str]:
        cluster = connect().hurry(TIMEOUT_S)
        return cluster, str(cluster.request("GET", "/", retries=0)["version"]["number"])

    return attempt(ask)


def _reached(reached: Reached) -> tuple[Cluster, str]:
    if isinstance(reached, SeeAlsoError):
        raise reached
    return reached


def _images(path: Path) -> str:
    if not path.exists():
        raise ConfigError(f"{path} is missing", hint="check [images] in seealso.toml")
    return str(path)


def _bundle(settings: Settings) -> str:
    bundle = find_serving_bundle(settings)
    return f"{bundle.name}, {bundle.dimension} dimensions"


def _java() -> str:
    """Check the Java of the embedded node; any other cluster brings its own."""
    missing: list[SeeAlsoError] = []
    for version in VERSIONS:
        try:
            jdk = find_jdk(RELEASES[version])
        except SeeAlsoError as exc:
            missing.append(exc)
        else:
            return f"{jdk.major}, enough for OpenSearch {version}"
    raise missing[0]


def _version(cluster: Cluster, number: str) -> str:
    found = f"OpenSearch {number} at {cluster.url}"
    if tuple(int(part) for part in number.split(".")[:2]) < OLDEST:
        raise ClusterError(found, hint="upgrade OpenSearch to 2.19 or later")
    return found


def _plugin(cluster: Cluster) -> str:
    plugins = cluster.request("GET", "/_cat/plugins", params={"format": "json"})
    if all(row["component"] != "opensearch-knn" for row in plugins):
        raise ClusterError("absent", hint="opensearch-plugin install opensearch-knn")
    return "installed"


def _index(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    alias = settings.index.alias
    try:
        live = live_index(cluster, settings)
        documents = indices.count(cluster, live.name)
    except SeeAlsoError as exc:
        yield Finding("index", ok=False, found=exc.message, cure=exc.hint or "")
        return
    found = f"{alias} -> {live.name}, {format_count(documents, 'document')}"
    yield Finding("index", documents > 0, found, "" if documents else "run `seealso index build`")
    yield check("fingerprint", lambda: _fingerprint(live))
    yield _space(live)
    yield check("scripts", lambda: _scripts(cluster, live.name))
    yield check("half-built", lambda: _half_built(cluster, alias))


def _space(live: LiveIndex) -> Finding:
    if live.space is not Space.COSINE:
        return Finding("space", ok=True, found=f"{live.space.value}: reference (by script) only")
    if live.recall_for_users.misses:
        found = "cosine: exact, reference; the graph finds too few of the best items to rank"
        cure = "build again with a larger index.m and index.ef_construction"
        return Finding("space", ok=False, found=found, cure=cure)
    return Finding("space", ok=True, found="cosine: exact, ann, reference")


def _fingerprint(live: LiveIndex) -> str:
    """Check that the bundle of the index is there: to read it is to check it."""
    return f"{live.bundle.fingerprint}, bundle in the store"


def _half_built(cluster: Cluster, alias: str) -> str:
    left = [one for one in indices.list_indices(cluster, alias) if one.state == "building"]
    if not left:
        return "none"
    # one that was attached is its owner's: it is not pruned
    first = min(left, key=lambda one: "attached" not in one.meta)
    prune = "" if "attached" in first.meta else ", or `seealso index prune`"
    hint = f"run `{name_finishing_command(first.meta)}` again{prune}"
    raise ClusterError(", ".join(one.name for one in left), hint=hint)


def _scripts(cluster: Cluster, name: str) -> str:
    """Check whether scripts may rank; without them, the graph of a cosine index still can."""
    query = {"script_score": {"query": {"match_all": {}}, "script": {"source": "1"}}}
    try:
        cluster.request("POST", f"/{name}/_search", {"size": 0, "query": query})
    except ClusterError as exc:
        if EXPENSIVE not in exc.message:
            raise
        raise ClusterError(
            f"{EXPENSIVE} is false: the graph ranks (path ann), and nothing personalises",
            hint=f'PUT _cluster/settings {{"persistent": {{"{EXPENSIVE}": true}}}}',
        ) from exc
    return "may rank"


def _users(cluster: Cluster, settings: Settings) -> str:
    found = live_users(cluster, settings, Pseudonyms.from_environment(os.environ))
    found.require(live_index(cluster, settings).fingerprint)
    return f"{found.name}, {format_count(indices.count(cluster, found.name), 'document')}"


def _templates(cluster: Cluster) -> str:
    wrong = [f"{name} {state}" for name, state in installed(cluster).items() if state != "current"]
    if wrong:
        hint = "`seealso templates install` (needed by curl, not by this package)"
        raise ClusterError(", ".join(wrong), hint=hint)
    return "stored and current"
