"""Installs what lets a cluster personalise searches of one index, and takes it away again."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer.attach.owned import Owned, look
from seealso.plugin.pipelines.ml_commons import MlCommons
from seealso.plugin.pipelines.recipe import (
    CONNECTORS,
    DEFAULT_PIPELINE,
    MODELS,
    ClusterRequest,
    Recipe,
)
from seealso.plugin.pipelines.trust import Trust

NONE: Final = "_none"
"""What says that an index has no search pipeline, and in a request that none is used."""

LOGGING: Final = ((2, 19, 0), (2, 19, 1))
"""Versions that write a warning to their log for each search that names no user."""


@dataclass(frozen=True, slots=True)
class PipelinePlan:
    """How a cluster would personalise the searches of an index.

    Attributes
    ----------
    index
        The physical index.
    pipeline
        What the search pipeline is called, and the connector, and the model.
    service
        What the connector asks.
    first
        What an administrator of the cluster must send first.
    requests
        What installs it, in this order; the key and ids that the cluster gives are left open.
    default
        Whether searches of the index go through the pipeline where they name none.
    notes
        What the operator must know, a sentence each.
    """

    index: str
    pipeline: str
    service: str
    first: tuple[ClusterRequest, ...]
    requests: tuple[ClusterRequest, ...]
    default: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """What was installed.

    Attributes
    ----------
    plan
        How.
    connector_id, model_id
        The ids that the cluster gave.
    renewed
        Whether connector and model were there before.
    """

    plan: PipelinePlan
    connector_id: str
    model_id: str
    renewed: bool


@dataclass(frozen=True, slots=True)
class PipelineRemoval:
    """What takes it away, or took it away.

    Attributes
    ----------
    pipeline
        What it was called.
    requests
        In their order; none where nothing is installed.
    """

    pipeline: str
    requests: tuple[ClusterRequest, ...]


def plan_pipeline(cluster: Cluster, settings: Settings, index: str, recipe: Recipe) -> PipelinePlan:
    """Say what would be installed; nothing is written.

    Parameters
    ----------
    cluster, settings
        Where, and what the fields of the index mean.
    index
        The index whose searches become personal, or an alias of it.
    recipe
        What is installed.

    Raises
    ------
    MappingMismatch, ClusterError
        The index has no vectors, or is not the one that the service answers from.
    """
    owned = _personalised(cluster, settings, index)
    trust = Trust.read(cluster)
    current = owned.flat_settings.get(DEFAULT_PIPELINE, NONE)
    default = current in (NONE, recipe.name)
    return PipelinePlan(
        index=owned.name,
        pipeline=recipe.name,
        service=recipe.url,
        first=trust.lacking(recipe),
        requests=recipe.requests(owned.name, default=default),
        default=default,
        notes=tuple(_notes(owned, recipe, trust, current)),
    )


def install_pipeline(
    cluster: Cluster, settings: Settings, index: str, recipe: Recipe, key: str | None
) -> PipelineReport:
    """Install connector, model and pipeline, or write them anew, and name them in the index.

    Parameters
    ----------
    cluster, settings, index, recipe
        As for `plan_pipeline`.
    key
        Of the service; None if it asks for none.

    Raises
    ------
    MappingMismatch
        As for `plan_pipeline`.
    ClusterError
        The cluster has no ml-commons, does not trust the address, does not reach the service, or
        the user has not the rights. No search goes through a pipeline that could not ask.
    """
    plan = plan_pipeline(cluster, settings, index, recipe)
    plugin = MlCommons(cluster, recipe, key)
    connectors, models = plugin.find(CONNECTORS), plugin.find(MODELS)
    for model_id in models:
        plugin.undeploy(model_id)
    connector_id = plugin.write_connector(connectors[0] if connectors else None)
    model_id = models[0] if models else plugin.register(connector_id)
    plugin.deploy(model_id)
    plugin.check(model_id)
    cluster.request("PUT", f"/_search/pipeline/{recipe.name}", recipe.pipeline(model_id))
    if plan.default:
        cluster.request("PUT", f"/{plan.index}/_settings", {DEFAULT_PIPELINE: recipe.name})
    return PipelineReport(plan, connector_id, model_id, bool(connectors and models))


def plan_removal(cluster: Cluster, settings: Settings, index: str) -> PipelineRemoval:
    """Say what would take it away; nothing is written.

    Raises
    ------
    MappingMismatch, ClusterError
        As for `install_pipeline`.
    """
    owned = _personalised(cluster, settings, index)
    recipe = Recipe(settings.index.alias)
    plugin = MlCommons(cluster, recipe)
    models, connectors = plugin.find(MODELS), plugin.find(CONNECTORS)
    # an index that names a pipeline which is not there answers no search: that goes first
    requests = [_unnamed(name, owned) for name in _naming(cluster, recipe.name)]
    if _has_pipeline(cluster, recipe.name):
        requests.append(ClusterRequest("DELETE", f"/_search/pipeline/{recipe.name}"))
    for model_id in models:
        requests.append(ClusterRequest("POST", f"{MODELS}/{model_id}/_undeploy"))
        requests.append(ClusterRequest("DELETE", f"{MODELS}/{model_id}"))
    requests += [ClusterRequest("DELETE", f"{CONNECTORS}/{one}") for one in connectors]
    return PipelineRemoval(recipe.name, tuple(requests))


def remove_pipeline(cluster: Cluster, settings: Settings, index: str) -> PipelineRemoval:
    """Take pipeline, model and connector away; searches go on without them.

    Raises
    ------
    MappingMismatch, ClusterError
        As for `install_pipeline`.
    """
    plan = plan_removal(cluster, settings, index)
    for one in plan.requests:
        cluster.request(one.method, one.path, one.body)
    return plan


def _personalised(cluster: Cluster, settings: Settings, index: str) -> Owned:
    """Return the index, if it is the one that the service personalises searches of."""
    owned, alias = look(cluster, settings, index), settings.index.alias
    if owned.meta is None:
        raise MappingMismatch(
            f"{owned.name}: has no vectors: there is nothing to personalise its searches with",
            hint=f"`seealso attach {index}` first",
            index=owned.name,
        )
    if indices.resolve_alias(cluster, alias) != [owned.name]:
        raise ClusterError(
            f"{owned.name}: is not the index behind {alias}, which the service answers from",
            hint=f"name {alias}, or set index.alias to an alias of {owned.name}",
            index=owned.name,
        )
    return owned


def _notes(owned: Owned, recipe: Recipe, trust: Trust, current: str) -> list[str]:
    notes = []
    if current not in (NONE, recipe.name):
        notes.append(
            f"{owned.name} has the search pipeline {current}, which stays: name "
            f"search_pipeline={recipe.name} in a search, or put its processor into {current}"
        )
    if not owned.attached:
        notes.append(
            f"{owned.name} was built by seealso: the index of the next build names no pipeline, "
            "run this again after it"
        )
    if not recipe.keyed:
        notes.append("SEEALSO_SERVICE_KEY is not set: the service is asked without a key")
    elif urlsplit(recipe.address).scheme == "http":
        notes.append(
            "the key of the service goes over http, in clear: give an https address where others "
            "can read the network"
        )
    if not trust.readable:
        notes.append(
            "the settings of the cluster cannot be read: PUT /_cluster/settings replaces the list "
            "of trusted addresses, so add those that are there"
        )
    if owned.cluster.version() in LOGGING:
        notes.append(
            "this version of OpenSearch writes a warning to its log for each search of the index "
            "that names no user; 2.19.2 does not"
        )
    return notes


def _naming(cluster: Cluster, name: str) -> list[str]:
    """Return the indices whose searches go through the pipeline; a copy has what it was made of."""
    found = cluster.request(
        "GET",
        f"/_all/_settings/{DEFAULT_PIPELINE}",
        params={"flat_settings": "true", "expand_wildcards": "all"},
    )
    return sorted(
        index for index, one in found.items() if one["settings"].get(DEFAULT_PIPELINE) == name
    )


def _has_pipeline(cluster: Cluster, name: str) -> bool:
    try:
        return name in cluster.request("GET", f"/_search/pipeline/{name}")
    except ClusterError as exc:
        if getattr(exc.__cause__, "status_code", None) != HTTPStatus.NOT_FOUND:
            raise
        return False


def _unnamed(index: str, owned: Owned) -> ClusterRequest:
    # what seealso built says that it has none, so that no index template gives it one
    value = NONE if index == owned.name and not owned.attached else None
    return ClusterRequest("PUT", f"/{index}/_settings", {DEFAULT_PIPELINE: value})
