"""Each command of the terminal as one call with the same name and options.

The first argument is always the settings: ``build_index(load_settings())`` does what ``seealso
index build`` does. Where a command has ``--dry-run``, a second call says what would be done:
``plan_build_index``. Everything except the result (broken rows, notes, progress) is written to
stderr.

Lists are asked of a `seealso.Recommender`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from seealso.api.attaching import *
    from seealso.api.building import *
    from seealso.api.bundles import *
    from seealso.api.events import *
    from seealso.api.indices import *
    from seealso.api.learning import *
    from seealso.api.lifecycle import *
    from seealso.api.nodes import *
    from seealso.api.reporting import *
    from seealso.api.serving import *
    from seealso.api.templates import *
    from seealso.api.transfers import *
    from seealso.api.users import *

_MODULES: Final = {
    "attaching": (
        "attach attach_pipeline plan_attach plan_attach_pipeline plan_remove_pipeline "
        "remove_pipeline"
    ),
    "building": "build plan_build",
    "bundles": (
        "compare_models export_model list_models measure_sizes plan_export_model show_model"
    ),
    "events": "follow_events ingest_events plan_follow_events plan_ingest_events",
    "indices": (
        "NOTHING_LIVE build_index plan_build_index plan_refresh_importance plan_update_index "
        "refresh_importance update_index verify_index"
    ),
    "learning": "evaluate fit plan_train plan_tune train tune",
    "lifecycle": (
        "list_indices plan_prune_indices plan_rollback_index plan_swap_index prune_indices "
        "rollback_index swap_index"
    ),
    "nodes": "doctor node_logs node_status start_node stop_node",
    "reporting": "status",
    "serving": "serve serve_mcp",
    "templates": "install_templates list_templates plan_install_templates",
    "transfers": "plan_pull_model plan_push_model pull_model push_model",
    "users": (
        "build_users export_user forget_user list_neighbours plan_build_users "
        "plan_forget_user plan_update_users update_users"
    ),
}
"""The calls, by the module that defines them: each is imported when it is first asked for."""

_HOMES: Final = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_HOMES)

# type checkers go by the imports above, and so find a misspelt name
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'seealso.api' has no attribute {name!r}")
        found = getattr(import_module(f"seealso.api.{_HOMES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return __all__
