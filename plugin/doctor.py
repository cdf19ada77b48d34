"""Looks at everything that a recommendation needs and says what to do about what is wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.errors import SeeAlsoError
from seealso.indexer.templates import installed

OLDEST = (2, 19)
"""OpenSearch from this version on is supported."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    cure: str = ""


def examine(settings: Settings, connect: Callable[[], Cluster]) -> Iterator[Finding]:
    """Yield a finding for each thing a recommendation needs, in the order they build on.

    Parameters
    ----------
    settings
        Everything that is set.
    connect
        Returns the cluster; may raise.
    """
    yield _catalogue(settings)
    yield _bundle(settings)
    try:
        cluster = connect()
        info = cluster.request("GET", "/", retries=0)
    except SeeAlsoError as exc:
        yield _failed("cluster", exc)
        return
    yield _version(cluster, info["version"]["number"])
    plugins = cluster.request("GET", "/_cat/plugins", params={"format": "json"})
    yield _plugin(any(row["component"] == "opensearch-knn" for row in plugins))
    yield from _index(cluster, settings)
    yield _templates(cluster)


def _failed(what: str, exc: SeeAlsoError) -> Finding:
    return Finding(what, ok=False, found=exc.message, cure=exc.hint or "")


def _catalogue(settings: Settings) -> Finding:
    chosen = settings.catalogue
    if chosen.index:
        return Finding("catalogue", ok=True, found=f"index {chosen.index}")
    if chosen.path is None:
        return Finding(
            "catalogue", ok=False, found="none is named", cure="set catalogue.path in seealso.toml"
        )
    there = chosen.path.is_file()
    cure = "" if there else "check catalogue.path in seealso.toml"
    return Finding("catalogue", there, f"{chosen.path}{'' if there else ' is missing'}", cure)


def _bundle(settings: Settings) -> Finding:
    try:
        bundle = BundleStore(settings.encoder.store).find(settings.encoder.bundle)
    except SeeAlsoError as exc:
        return _failed("bundle", exc)
    return Finding("bundle", ok=True, found=f"{bundle.name}, {bundle.dimension} dimensions")


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
        name = indices.live_name(cluster, alias)
        if name is None:
            yield Finding(
                "index", ok=False, found=f"alias {alias} is not there", cure="seealso index build"
            )
            return
        meta = indices.meta(cluster, name)
        yield Finding("index", ok=True, found=f"{alias} -> {name}")
        BundleStore(settings.encoder.store).by_fingerprint(meta["fingerprint"])
    except SeeAlsoError as exc:
        yield _failed("index", exc)
        return
    yield Finding("fingerprint", ok=True, found=f"{meta['fingerprint']}, bundle in the store")
    paths = "exact, ann, reference" if meta["space"] == "cosine" else "reference (by script) only"
    yield Finding("space", ok=True, found=f"{meta['space']}: {paths}")
    left = [one.name for one in indices.listing(cluster, alias) if one.state == "building"]
    yield Finding(
        "half-built",
        ok=not left,
        found=", ".join(left) or "none",
        cure="run `seealso index build` again, or `seealso index prune`" if left else "",
    )


def _templates(cluster: Cluster) -> Finding:
    wrong = [f"{name} {state}" for name, state in installed(cluster).items() if state != "current"]
    cure = "`seealso templates install` (needed by curl, not by this package)" if wrong else ""
    return Finding("templates", not wrong, ", ".join(wrong) or "stored and current", cure)
