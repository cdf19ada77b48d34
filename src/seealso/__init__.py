"""seealso: recommendations inside the OpenSearch you already run.

The names below are what most programs need; each is imported at its first use, so that ``import
seealso`` costs next to nothing::

    from seealso import Recommender

    with Recommender.from_config("seealso.toml") as recommender:
        print(recommender.recommend("ann", size=5).ids)

A command of the terminal is one call with the same name and options: ``seealso index build`` is
`build_index`, ``seealso fit`` is `fit`; all of them are in `seealso.api`.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

from seealso.version import __version__

# since 1.29 onnxruntime reports to its maker what it runs, unless this is set before it is loaded
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from seealso.api import (
        build,
        build_index,
        evaluate,
        fit,
        ingest_events,
        refresh_importance,
        update_index,
    )
    from seealso.cluster import Cluster, connect
    from seealso.config import Settings, load_settings
    from seealso.errors import (
        BulkWriteError,
        BundleError,
        Busy,
        ClusterError,
        ConfigError,
        DataError,
        MappingMismatch,
        MissingExtraError,
        NodeError,
        NotBetter,
        ParityError,
        PartialAnswer,
        SeeAlsoError,
        ServiceError,
        TemplateError,
        TooFewEvents,
        Unavailable,
    )
    from seealso.plugin.explanations.explanation import Explanation
    from seealso.plugin.recommendations import Recommendation, RecommendationList
    from seealso.plugin.recommender import Recommender
    from seealso.types import User

__all__ = [
    "BulkWriteError",
    "BundleError",
    "Busy",
    "Cluster",
    "ClusterError",
    "ConfigError",
    "DataError",
    "Explanation",
    "MappingMismatch",
    "MissingExtraError",
    "NodeError",
    "NotBetter",
    "ParityError",
    "PartialAnswer",
    "Recommendation",
    "RecommendationList",
    "Recommender",
    "SeeAlsoError",
    "ServiceError",
    "Settings",
    "TemplateError",
    "TooFewEvents",
    "Unavailable",
    "User",
    "__version__",
    "build",
    "build_index",
    "connect",
    "evaluate",
    "fit",
    "ingest_events",
    "load_settings",
    "refresh_importance",
    "update_index",
]

_ROOMS = {
    "seealso.api": ("build build_index evaluate fit ingest_events refresh_importance update_index"),
    "seealso.cluster": "Cluster connect",
    "seealso.config": "Settings load_settings",
    "seealso.errors": (
        "BulkWriteError BundleError Busy ClusterError ConfigError DataError MappingMismatch"
        " MissingExtraError NodeError NotBetter ParityError PartialAnswer SeeAlsoError"
        " ServiceError TemplateError TooFewEvents Unavailable"
    ),
    "seealso.plugin.explanations.explanation": "Explanation",
    "seealso.plugin.recommendations": "Recommendation RecommendationList",
    "seealso.plugin.recommender": "Recommender",
    "seealso.types": "User",
}
"""Where each name is defined; the same as above, for the interpreter."""

_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}

# type checkers go by the imports above, and so find a misspelt name
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'seealso' has no attribute {name!r}")
        found = getattr(import_module(_HOMES[name]), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return __all__
