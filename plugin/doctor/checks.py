"""Checks everything that a recommendation needs, and says what to do about what is wrong."""

import os
from collections.abc import Callable, Iterator

from seealso.cluster import Cluster, indices
from seealso.cluster.node import VERSIONS
from seealso.cluster.node.jdk import find_jdk
from seealso.cluster.node.versions import RELEASES
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.errors import ClusterError, SeeAlsoError
from seealso.indexer.live import live_index
from seealso.indexer.templates import installed
from seealso.indexer.users.live import live_users
from seealso.plugin.doctor.finding import Finding, failed
from seealso.plugin.doctor.inputs import examine_inputs
from seealso.plugin.doctor.writing import examine_writing
from seealso.plugin.serving import EXPENSIVE
from seealso.readers import Pseudonyms

TIMEOUT_S = 10.0
"""Seconds that the cluster has for an answer: that it gives none is a finding as well."""

OLDEST = (2, 19)
"""OpenSearch from this version on is supported."""


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
    reached = _reach(connect)
    yield from examine_inputs(settings, lambda: _cluster_of(reached))
    yield from _images(settings)
    yield _bundle(settings)
    if settings.cluster.url is None:
        yield _java()
    if isinstance(reached, SeeAlsoError):
        yield failed("cluster", reached)
        return
    cluster, number = reached
    yield _version(cluster, number)
    plugins = cluster.request("GET", "/_cat/plugins", params={"format": "json"})
    yield _plugin(any(row["component"] == "opensearch-knn" for row in plugins))
    yield from _index(cluster, settings)
    if settings.users.enabled:
        yield _users(cluster, settings)
    yield from examine_writing(cluster, settings)
    yield _templates(cluster)


Reached = tuple[Cluster, str] | SeeAlsoError
"""The cluster and its version, or why there is none."""


def _reach(connect: Callable[[], Cluster]) -> Reached:
    try:
        cluster = connect().hurry(TIMEOUT_S)
        return cluster, str(cluster.request("GET", "/", retries=0)["version"]["number"])
    except SeeAlsoError as exc:
        return exc


def _cluster_of(reached: Reached) -> Cluster:
    if isinstance(reached, SeeAlsoError):
        raise reached
    return reached[0]


def _images(settings: Settings) -> Iterator[Finding]:
    """Check that the images are there, where the settings name any."""
    named = settings.images.path or settings.images.folder
    if named is not None:
        there = named.exists()
        cure = "" if there else "check [images] in seealso.toml"
        yield Finding("images", there, f"{named}{'' if there else ' is missing'}", cure)


def _bundle(settings: Settings) -> Finding:
    try:
        bundle = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    except SeeAlsoError as exc:
        return failed("bundle", exc)
    return Finding("bundle", ok=True, found=f"{bundle.name}, {bundle.dimension} dimensions")


def _java() -> Finding:
    """Check the Java of the embedded node; any other cluster brings its own."""
    missing: list[SeeAlsoError] = []
    for version in VERSIONS:
        try:
            jdk = find_jdk(RELEASES[version])
        except SeeAlsoError as exc:
            missing.append(exc)
        else:
            return Finding("Java", ok=True, found=f"{jdk.major}, enough for OpenSearch {version}")
    return failed("Java", missing[0])


def _fingerprint(settings: Settings, fingerprint: str) -> Finding:
    try:
        BundleStore(settings.encoder.store).by_fingerprint(fingerprint)
    except SeeAlsoError as exc:
        return failed("fingerprint", exc)
    return Finding("fingerprint", ok=True, found=f"{fingerprint}, bundle in the store")


def _version(cluster: Cluster, number: str) -> Finding:
    major, minor = (int(part) for part in number.split(".")[:2])
    fine = (major, minor) >= OLDEST
    cure = "" if fine else "upgrade OpenSearch to 2.19 or later"
    return Finding("cluster", fine, f"OpenSearch {number} at {cluster.url}", cure)


def _plugin(present: bool) -> Finding:
    cure = "" if present else "opensearch-plugin install opensearch-knn"
    return Finding("k-NN plugin", present, "installed" if present else "absent", cure)


def _index(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    alias = settings.index.alias
    try:
        name = indices.find_live(cluster, alias)
        if name is None:
            yield Finding(
                "index", ok=False, found=f"alias {alias} is not there", cure="seealso index build"
            )
            return
        meta = live_index(cluster, settings).meta
        documents = indices.count(cluster, name)
        yield Finding(
            "index",
            ok=documents > 0,
            found=f"{alias} -> {name}, {documents:,} documents",
            cure="" if documents else "run `seealso index build`",
        )
    except SeeAlsoError as exc:
        yield failed("index", exc)
        return
    yield _fingerprint(settings, meta["fingerprint"])
    paths = "exact, ann, reference" if meta["space"] == "cosine" else "reference (by script) only"
    yield Finding("space", ok=True, found=f"{meta['space']}: {paths}")
    yield _scripts(cluster, name)
    left = [one.name for one in indices.list_indices(cluster, alias) if one.state == "building"]
    yield Finding(
        "half-built",
        ok=not left,
        found=", ".join(left) or "none",
        cure="run `seealso index build` again, or `seealso index prune`" if left else "",
    )


def _scripts(cluster: Cluster, name: str) -> Finding:
    """Check whether scripts may rank; without them, the graph of a cosine index still can."""
    query = {"script_score": {"query": {"match_all": {}}, "script": {"source": "1"}}}
    try:
        cluster.request("POST", f"/{name}/_search", {"size": 0, "query": query})
    except ClusterError as exc:
        if EXPENSIVE not in exc.message:
            return failed("scripts", exc)
        return Finding(
            "scripts",
            ok=False,
            found=f"{EXPENSIVE} is false: the graph ranks (path ann), and nothing personalises",
            cure=f'PUT _cluster/settings {{"persistent": {{"{EXPENSIVE}": true}}}}',
        )
    return Finding("scripts", ok=True, found="may rank")


def _users(cluster: Cluster, settings: Settings) -> Finding:
    try:
        found = live_users(cluster, settings, Pseudonyms.from_environment(os.environ))
        found.require(live_index(cluster, settings).fingerprint)
        documents = indices.count(cluster, found.name)
    except SeeAlsoError as exc:
        return failed("users", exc)
    return Finding("users", ok=True, found=f"{found.name}, {documents:,} documents")


def _templates(cluster: Cluster) -> Finding:
    wrong = [f"{name} {state}" for name, state in installed(cluster).items() if state != "current"]
    cure = "`seealso templates install` (needed by curl, not by this package)" if wrong else ""
    return Finding("templates", not wrong, ", ".join(wrong) or "stored and current", cure)
