"""What an account needs to be allowed: each request that seealso sends, by task.

The page on security shows this table and the roles that follow from it; a test sends a build and
lists through a proxy that lets exactly these requests through.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Task = Literal["read", "build", "source", "live", "ubi"]
"""Serving lists; building and changing indices; reading a catalogue or events from an index;
besides building, taking in live events and deleting what is held of a user; and writing, reading
and deleting rows of User Behavior Insights."""

PHYSICAL: Final = r"{alias}-[\w-]+"
"""An index of the alias, its locks, live events and users among them."""

ANY: Final = r"{alias}(-[\w-]+)?"
"""Those, and the alias itself."""


@dataclass(frozen=True, slots=True)
class Right:
    """A request that a task may send.

    Attributes
    ----------
    tasks
        Who sends it.
    method, path
        The path is a regular expression; ``{alias}`` is ``index.alias``, ``{source}`` an index
        that a catalogue or events are read from, ``{ubi}`` one of User Behavior Insights.
    actions
        What OpenSearch's security plugin calls it.
    scope
        Whether a role allows these actions for the whole cluster, or for indices.
    """

    tasks: tuple[Task, ...]
    method: str
    path: str
    actions: tuple[str, ...]
    scope: Literal["cluster", "index"] = "index"


BOTH: Final[tuple[Task, ...]] = ("read", "build")
BUILD: Final[tuple[Task, ...]] = ("build",)
SOURCE: Final[tuple[Task, ...]] = ("source",)
LIVE: Final[tuple[Task, ...]] = ("live",)
UBI: Final[tuple[Task, ...]] = ("ubi",)

DELETING: Final = (
    "indices:data/write/delete/byquery",
    "indices:data/read/search*",
    "indices:data/write/bulk*",
    "indices:data/write/delete",
)
"""A deletion by query searches, and writes what it has found."""

SCROLLING: Final = ("indices:data/read/scroll", "indices:data/read/scroll/clear")
"""By which OpenSearch carries it out."""

UBI_INDICES: Final = ("ubi_events", "ubi_queries")
"""As the settings ``ubi.events`` and ``ubi.queries`` name them by default."""

RIGHTS: Final = (
    Right(BOTH, "GET", rf"/_alias/{ANY}", ("indices:admin/aliases/get",)),
    Right(BOTH, "GET", rf"/{ANY}/_mapping", ("indices:admin/mappings/get",)),
    Right(BOTH, "HEAD", rf"/{ANY}", ("indices:admin/get",)),
    Right(BOTH, "GET", rf"/{ANY}/_count", ("indices:data/read/search*",)),
    Right(BOTH, "POST", rf"/{ANY}/_search", ("indices:data/read/search*",)),
    Right(BOTH, "POST", r"/_msearch", ("indices:data/read/msearch",), "cluster"),
    Right(
        BOTH,
        "POST",
        rf"/{ANY}/_mget",
        ("indices:data/read/mget",),
        "cluster",
    ),
    Right(BOTH, "POST", rf"/{ANY}/_mget", ("indices:data/read/mget*",)),
    Right(BOTH, "GET", rf"/{ANY}/_field_caps", ("indices:data/read/field_caps*",)),
    Right(BUILD, "GET", r"/", ("cluster:monitor/main",), "cluster"),
    Right(BUILD, "GET", r"/_index_template", ("indices:admin/index_template/get",), "cluster"),
    Right(BUILD, "GET", r"/_template", ("indices:admin/template/get",), "cluster"),
    Right(BUILD, "GET", r"/{alias}-\*", ("indices:admin/get",)),
    Right(BUILD, "GET", r"/{alias}-\*/_stats/docs,store", ("indices:monitor/stats",)),
    Right(BUILD, "GET", rf"/{ANY}(,{ANY})?", ("indices:admin/get",)),
    Right(BUILD, "PUT", rf"/{PHYSICAL}", ("indices:admin/create",)),
    Right(BUILD, "DELETE", rf"/{PHYSICAL}", ("indices:admin/delete",)),
    Right(BUILD, "PUT", rf"/{PHYSICAL}/_mapping", ("indices:admin/mapping/put",)),
    Right(BUILD, "PUT", rf"/{PHYSICAL}/_settings", ("indices:admin/settings/update",)),
    Right(BUILD, "POST", r"/_aliases", ("indices:admin/aliases",)),
    Right(BUILD, "HEAD", rf"/{PHYSICAL}/_alias/{PHYSICAL}", ("indices:admin/aliases/get",)),
    Right(BUILD, "GET", rf"/{PHYSICAL}/_doc/[\w-]+", ("indices:data/read/get",)),
    Right(
        BUILD,
        "PUT",
        rf"/{PHYSICAL}/_doc/[\w-]+",
        ("indices:data/write/index", "indices:data/write/bulk*"),
    ),
    Right(BUILD, "POST", rf"/{PHYSICAL}/_bulk", ("indices:data/write/bulk",), "cluster"),
    Right(
        BUILD,
        "POST",
        rf"/{PHYSICAL}/_bulk",
        (
            "indices:data/write/bulk*",
            "indices:data/write/index",
            "indices:data/write/update",
            "indices:data/write/delete",
        ),
    ),
    Right(BUILD, "POST", rf"/{PHYSICAL}/_refresh", ("indices:admin/refresh*",)),
    Right(BUILD, "POST", rf"/{PHYSICAL}/_forcemerge", ("indices:admin/forcemerge*",)),
    Right(
        ("build", "source"),
        "POST",
        rf"/({ANY}|{{source}})/_search/point_in_time",
        ("indices:data/read/point_in_time/create",),
    ),
    Right(("build", "source", "ubi"), "POST", r"/_search", ("indices:data/read/search*",)),
    Right(
        ("build", "source", "ubi"),
        "DELETE",
        r"/_search/point_in_time",
        ("indices:data/read/point_in_time/delete",),
    ),
    Right(
        ("build", "source"),
        "GET",
        rf"/({ANY}|{{source}})/_settings/index\.uuid",
        ("indices:monitor/settings/get",),
    ),
    Right(SOURCE, "GET", r"/{source}/_field_caps", ("indices:data/read/field_caps*",)),
    Right(LIVE, "GET", r"/{alias}-users-\*", ("indices:admin/get",)),
    Right(LIVE, "GET", r"/{alias}-users-\*/_stats/docs,store", ("indices:monitor/stats",)),
    Right(
        LIVE,
        "POST",
        rf"/{PHYSICAL}/_update/[\w:-]+",
        ("indices:data/write/update", "indices:data/write/index", "indices:data/write/bulk*"),
    ),
    Right(
        LIVE,
        "PUT",
        rf"/{PHYSICAL}/_doc/[\w:-]+",
        ("indices:data/write/index", "indices:data/write/bulk*"),
    ),
    Right(LIVE, "POST", rf"/{PHYSICAL}/_delete_by_query", DELETING),
    Right(LIVE, "POST", rf"/{PHYSICAL}/_delete_by_query", SCROLLING, "cluster"),
    Right(UBI, "HEAD", r"/{ubi}", ("indices:admin/get",)),
    Right(UBI, "PUT", r"/{ubi}", ("indices:admin/create",)),
    Right(UBI, "GET", r"/{ubi}/_mapping", ("indices:admin/mappings/get",)),
    Right(UBI, "GET", r"/{ubi}/_count", ("indices:data/read/search*",)),
    Right(UBI, "POST", r"/{ubi}/_search", ("indices:data/read/search*",)),
    Right(UBI, "POST", r"/{ubi}/_refresh", ("indices:admin/refresh*",)),
    Right(UBI, "POST", r"/{ubi}/_bulk", ("indices:data/write/bulk",), "cluster"),
    Right(UBI, "POST", r"/{ubi}/_bulk", ("indices:data/write/bulk*", "indices:data/write/index")),
    Right(UBI, "POST", r"/{ubi}/_delete_by_query", DELETING),
    Right(UBI, "POST", r"/{ubi}/_delete_by_query", SCROLLING, "cluster"),
    Right(
        UBI,
        "POST",
        r"/{ubi}/_search/point_in_time",
        ("indices:data/read/point_in_time/create",),
    ),
    Right(UBI, "GET", r"/{ubi}/_settings/index\.uuid", ("indices:monitor/settings/get",)),
)


def allows(
    task: Task,
    method: str,
    path: str,
    *,
    alias: str,
    source: str = "-",
    ubi: Sequence[str] = UBI_INDICES,
) -> bool:
    """Tell whether `task` may send a request.

    Parameters
    ----------
    task
        What the account is for.
    method, path
        Of the request, the path without its parameters.
    alias, source
        ``index.alias``, and the index that a catalogue is read from.
    ubi
        ``ubi.events`` and ``ubi.queries``.
    """
    names = {
        "{alias}": re.escape(alias),
        "{source}": re.escape(source),
        "{ubi}": f"({'|'.join(map(re.escape, ubi))})",
    }
    return any(
        task in right.tasks
        and method == right.method
        and re.fullmatch(_filled(right.path, names), path)
        for right in RIGHTS
    )


def _filled(path: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        path = path.replace(name, value)
    return path


def role(task: Task, *, alias: str, source: str = "SOURCE") -> dict[str, Any]:
    """Return the narrowest role for `task`, as OpenSearch's security plugin takes it."""
    rights = [right for right in RIGHTS if task in right.tasks]
    own: dict[Task, list[str]] = {"source": [source], "ubi": [*UBI_INDICES]}
    patterns = own.get(task, [alias, f"{alias}-*"])
    cluster = {action for right in rights if right.scope == "cluster" for action in right.actions}
    indices = {action for right in rights if right.scope == "index" for action in right.actions}
    return {
        "cluster_permissions": sorted(cluster),
        "index_permissions": [{"index_patterns": patterns, "allowed_actions": sorted(indices)}],
    }
