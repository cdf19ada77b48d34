"""What an account needs to be allowed: each request that seealso sends, by task.

The page on security shows this table and the roles that follow from it; a test sends a build and
lists through a proxy that lets exactly these requests through.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Task = Literal["read", "build", "source", "live", "ubi"]
"""Serving lists; building and changing indices; reading a catalogue or events from an index;
besides building, ingesting live events and deleting what is stored of a user; and writing, reading
and deleting rows of User Behavior Insights."""

PHYSICAL: Final = r"{alias}-[\w-]+"
"""An index of the alias, its locks, live events and users among them."""

ANY: Final = r"{alias}(-[\w-]+)?"
"""Those, and the alias itself."""

OWN: Final[Mapping[Task, str]] = {"read": ANY, "build": ANY, "source": "{source}", "ubi": "{ubi}"}
"""What ``{own}`` is in the path of a request, by task."""

UBI_INDICES: Final = ("ubi_events", "ubi_queries")
"""As the settings ``ubi.events`` and ``ubi.queries`` name them by default."""

DELETING: Final = (
    "indices:data/write/delete/byquery indices:data/read/search* indices:data/write/bulk* "
    "indices:data/write/delete"
)
"""A deletion by query searches, and writes what it has found."""

SCROLLING: Final = "indices:data/read/scroll indices:data/read/scroll/clear"
"""How OpenSearch carries out a deletion by query."""

INDEXING: Final = "indices:data/write/bulk* indices:data/write/index"
"""One document is written by the cluster as a bulk request, too."""

OPENING: Final = "indices:data/read/point_in_time/create"
"""All documents are read as they were at one moment."""

TABLE: Final = rf"""
read build        GET /{{own}}/_alias/{ANY}  index  indices:admin/aliases/get
read build ubi    GET /{{own}}/_mapping  index  indices:admin/mappings/get
read build        GET /{{alias}}-\*/_mapping  index  indices:admin/mappings/get
read build ubi    HEAD /{{own}}  index  indices:admin/get
read build ubi    GET /{{own}}/_count  index  indices:data/read/search*
read build ubi    POST /{{own}}/_search  index  indices:data/read/search*
read build        POST /_msearch  cluster  indices:data/read/msearch
read build        POST /{{own}}/_mget  cluster  indices:data/read/mget
read build        POST /{{own}}/_mget  index  indices:data/read/mget*
read build source GET /{{own}}/_field_caps  index  indices:data/read/field_caps*
build             GET /  cluster  cluster:monitor/main
build             GET /_index_template  cluster  indices:admin/index_template/get
build             GET /_template  cluster  indices:admin/template/get
build             GET /{{alias}}-\*  index  indices:admin/get
build             GET /{{alias}}-\*/_stats/docs,store  index  indices:monitor/stats
build             GET /{ANY}(,{ANY})?  index  indices:admin/get
build             PUT /{PHYSICAL}  index  indices:admin/create
build             DELETE /{PHYSICAL}  index  indices:admin/delete
build             PUT /{PHYSICAL}/_mapping  index  indices:admin/mapping/put
build             PUT /{PHYSICAL}/_settings  index  indices:admin/settings/update
build             POST /_aliases  index  indices:admin/aliases
build             HEAD /{PHYSICAL}/_alias/{PHYSICAL}  index  indices:admin/aliases/get
build             GET /{PHYSICAL}/_doc/[\w-]+  index  indices:data/read/get
build             PUT /{PHYSICAL}/_doc/[\w-]+  index  {INDEXING}
build             POST /{PHYSICAL}/_bulk  cluster  indices:data/write/bulk
build             POST /{PHYSICAL}/_bulk  index  {INDEXING}
build             POST /{PHYSICAL}/_bulk  index  indices:data/write/update indices:data/write/delete
build             POST /{PHYSICAL}/_refresh  index  indices:admin/refresh*
build             POST /{PHYSICAL}/_forcemerge  index  indices:admin/forcemerge*
read build source ubi POST /{{own}}/_search/point_in_time  index  {OPENING}
read build source ubi POST /_search  index  indices:data/read/search*
read build source ubi DELETE /_search/point_in_time  index  indices:data/read/point_in_time/delete
read build source ubi GET /{{own}}/_settings/index\.uuid  index  indices:monitor/settings/get
live              GET /{{alias}}-users-\*  index  indices:admin/get
live              GET /{{alias}}-users-\*/_stats/docs,store  index  indices:monitor/stats
live              POST /{PHYSICAL}/_update/[\w:-]+  index  indices:data/write/update {INDEXING}
live              PUT /{PHYSICAL}/_doc/[\w:-]+  index  {INDEXING}
live              POST /{PHYSICAL}/_delete_by_query  index  {DELETING}
live              POST /{PHYSICAL}/_delete_by_query  cluster  {SCROLLING}
ubi               PUT /{{ubi}}  index  indices:admin/create
ubi               POST /{{ubi}}/_refresh  index  indices:admin/refresh*
ubi               POST /{{ubi}}/_bulk  cluster  indices:data/write/bulk
ubi               POST /{{ubi}}/_bulk  index  {INDEXING}
ubi               POST /{{ubi}}/_delete_by_query  index  {DELETING}
ubi               POST /{{ubi}}/_delete_by_query  cluster  {SCROLLING}
"""
"""In each line: the tasks, method and path of a request, the scope of its rights, their names.

A path is a regular expression; ``{alias}`` is ``index.alias``, ``{source}`` an index that a
catalogue or events are read from, ``{ubi}`` one of User Behavior Insights, and ``{own}`` what
`OWN` has for the task. The names are those of OpenSearch's security plugin."""


@dataclass(frozen=True, slots=True)
class Right:
    """A request that a task may send.

    Attributes
    ----------
    method, path
        The path is a regular expression, as in `TABLE`.
    scope
        Whether a role allows these actions for the whole cluster, or for indices.
    actions
        What OpenSearch's security plugin calls it.
    """

    method: str
    path: str
    scope: str
    actions: tuple[str, ...]


def find_rights(task: Task) -> list[Right]:
    """Return what `task` may send, in the order of `TABLE`."""
    found = []
    for line in TABLE.strip().splitlines():
        words = line.split()
        first = next(place for place, word in enumerate(words) if word.isupper())
        method, path, scope, *actions = words[first:]
        if task in words[:first]:
            path = path.replace("{own}", OWN.get(task, ""))
            found.append(Right(method, path, scope, tuple(actions)))
    return found


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
        method == right.method
        and re.fullmatch(re.sub(r"{\w+}", lambda found: names[found[0]], right.path), path)
        for right in find_rights(task)
    )


def role(task: Task, *, alias: str, source: str = "SOURCE") -> dict[str, Any]:
    """Return the narrowest role for `task`, as OpenSearch's security plugin takes it."""
    own: dict[Task, list[str]] = {"source": [source], "ubi": [*UBI_INDICES]}
    allowed: dict[str, set[str]] = {"cluster": set(), "index": set()}
    for right in find_rights(task):
        allowed[right.scope].update(right.actions)
    patterns, actions = own.get(task, [alias, f"{alias}-*"]), sorted(allowed["index"])
    return {
        "cluster_permissions": sorted(allowed["cluster"]),
        "index_permissions": [{"index_patterns": patterns, "allowed_actions": actions}],
    }
