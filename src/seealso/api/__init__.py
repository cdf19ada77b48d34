"""Each command of the terminal as one call with the same name and options.

The first argument is always the settings: ``build_index(load_settings())`` does what ``seealso
index build`` does. Where a command has ``--dry-run``, a second call says what would be done:
``plan_build_index``. Everything except the result (broken rows, notes, progress) is written to
stderr.

Lists are asked of a `seealso.Recommender`.
"""

from seealso.api.attaching import attach, plan_attach
from seealso.api.building import build, plan_build
from seealso.api.bundles import (
    compare_models,
    export_model,
    list_models,
    measure_sizes,
    plan_export_model,
    show_model,
)
from seealso.api.events import (
    follow_events,
    ingest_events,
    plan_follow_events,
    plan_ingest_events,
)
from seealso.api.indices import (
    NOTHING_LIVE,
    build_index,
    list_indices,
    plan_build_index,
    plan_prune_indices,
    plan_refresh_importance,
    plan_rollback_index,
    plan_swap_index,
    plan_update_index,
    prune_indices,
    refresh_importance,
    rollback_index,
    swap_index,
    update_index,
    verify_index,
)
from seealso.api.learning import evaluate, fit, plan_train, plan_tune, train, tune
from seealso.api.nodes import doctor, node_logs, node_status, start_node, stop_node
from seealso.api.reporting import status
from seealso.api.templates import install_templates, list_templates, plan_install_templates
from seealso.api.transfers import plan_pull_model, plan_push_model, pull_model, push_model
from seealso.api.users import (
    build_users,
    export_user,
    forget_user,
    list_neighbours,
    plan_build_users,
    plan_forget_user,
    plan_update_users,
    update_users,
)

__all__ = [
    "NOTHING_LIVE",
    "attach",
    "build",
    "build_index",
    "build_users",
    "compare_models",
    "doctor",
    "evaluate",
    "export_model",
    "export_user",
    "fit",
    "follow_events",
    "forget_user",
    "ingest_events",
    "install_templates",
    "list_indices",
    "list_models",
    "list_neighbours",
    "list_templates",
    "measure_sizes",
    "node_logs",
    "node_status",
    "plan_attach",
    "plan_build",
    "plan_build_index",
    "plan_build_users",
    "plan_export_model",
    "plan_follow_events",
    "plan_forget_user",
    "plan_ingest_events",
    "plan_install_templates",
    "plan_prune_indices",
    "plan_pull_model",
    "plan_push_model",
    "plan_refresh_importance",
    "plan_rollback_index",
    "plan_swap_index",
    "plan_train",
    "plan_tune",
    "plan_update_index",
    "plan_update_users",
    "prune_indices",
    "pull_model",
    "push_model",
    "refresh_importance",
    "rollback_index",
    "show_model",
    "start_node",
    "status",
    "stop_node",
    "swap_index",
    "train",
    "tune",
    "update_index",
    "update_users",
    "verify_index",
]
