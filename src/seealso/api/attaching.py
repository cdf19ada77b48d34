"""``seealso attach``: an index that serves searches already gets vectors and importance.

With ``--pipeline``, the cluster itself personalises its searches.
"""

import os

from seealso.api.reading import say_notes, say_skipped
from seealso.choices import SERVICE_KEY, OnError
from seealso.cluster import connect
from seealso.config import Settings
from seealso.config.cluster import in_clear
from seealso.errors import ConfigError
from seealso.indexer.attach import running as attaching
from seealso.indexer.attach.plan import AttachPlan
from seealso.plugin.pipelines import installing
from seealso.plugin.pipelines.installing import PipelinePlan, PipelineRemoval, PipelineReport
from seealso.plugin.pipelines.recipe import Recipe
from seealso.readers import Problems


def attach(
    settings: Settings,
    index: str,
    *,
    on_error: OnError = "stop",
    copy: bool = False,
    allow_unmatched: bool = False,
) -> attaching.AttachReport:
    """Add vectors and importance to an index that serves searches already.

    Parameters
    ----------
    settings
        What the fields of its documents mean, and the alias that is added.
    index
        The name of an index, or an alias of one.
    on_error
        What a broken document or event does.
    copy
        Make a new copy, with the settings of now.
    allow_unmatched
        Attach even if most events name items that the index lacks.

    Raises
    ------
    MappingMismatch
        The index cannot be attached to.
    """
    problems = Problems(on_error)
    with connect(settings) as cluster:
        report = attaching.attach(
            cluster, settings, index, problems, copy=copy, allow_unmatched=allow_unmatched
        )
    say_skipped(problems)
    say_notes(report.notes)
    return report


def plan_attach(
    settings: Settings,
    index: str,
    *,
    on_error: OnError = "stop",
    copy: bool = False,
    allow_unmatched: bool = False,
) -> AttachPlan:
    """Say what `attach` would do, and what it would meet; nothing is written."""
    problems = Problems(on_error)
    with connect(settings) as cluster:
        plan = attaching.plan_attach(
            cluster, settings, index, problems, copy=copy, allow_unmatched=allow_unmatched
        )
    say_skipped(problems)
    say_notes(plan.notes)
    return plan


def attach_pipeline(settings: Settings, index: str, *, service_address: str) -> PipelineReport:
    """Let the cluster personalise searches of an index that name a user, by asking the service.

    Connector, model and search pipeline are installed, or written anew: call it again after the
    address or the key of the service has changed. The key is that of ``SEEALSO_SERVICE_KEY``.

    Parameters
    ----------
    settings
        ``index.alias`` is what the service answers from.
    index
        The index, or an alias of it; it was attached to, or built by seealso.
    service_address
        Where the nodes of the cluster reach ``seealso serve``.

    Raises
    ------
    ConfigError
        The address is none, or the key would go to the cluster in clear.
    MappingMismatch
        The index has no vectors.
    ClusterError
        The cluster has no ml-commons, does not trust the address, does not reach the service, or
        the user has not the rights.
    """
    key = os.environ.get(SERVICE_KEY) or None
    _check_secrecy(settings, key)
    recipe = Recipe.of(settings.index.alias, service_address, keyed=key is not None)
    with connect(settings) as cluster:
        report = installing.install_pipeline(cluster, settings, index, recipe, key)
    say_notes(report.plan.notes)
    return report


def plan_attach_pipeline(settings: Settings, index: str, *, service_address: str) -> PipelinePlan:
    """Say what `attach_pipeline` would install, as requests to the cluster; nothing is written."""
    keyed = bool(os.environ.get(SERVICE_KEY))
    recipe = Recipe.of(settings.index.alias, service_address, keyed=keyed)
    with connect(settings) as cluster:
        plan = installing.plan_pipeline(cluster, settings, index, recipe)
    say_notes(plan.notes)
    return plan


def remove_pipeline(settings: Settings, index: str) -> PipelineRemoval:
    """Take away what `attach_pipeline` installed; searches go on without it.

    Parameters
    ----------
    settings
        ``index.alias`` is what it was installed for.
    index
        The index, or an alias of it.

    Raises
    ------
    MappingMismatch, ClusterError
        As for `attach_pipeline`.
    """
    with connect(settings) as cluster:
        return installing.remove_pipeline(cluster, settings, index)


def plan_remove_pipeline(settings: Settings, index: str) -> PipelineRemoval:
    """Say what `remove_pipeline` would send to the cluster; nothing is written."""
    with connect(settings) as cluster:
        return installing.plan_removal(cluster, settings, index)


def _check_secrecy(settings: Settings, key: str | None) -> None:
    """Refuse to send the key of the service to a cluster where others can read it.

    Raises
    ------
    ConfigError
        It would go over http.
    """
    addresses = [one for one in (settings.cluster.url, *settings.cluster.hosts) if one]
    clear = in_clear(addresses, password=key is not None)
    if clear is not None and not settings.cluster.allow_plain_text:
        raise ConfigError(
            f"cluster.url: {clear.replace('password', 'key of the service')}",
            hint="set https addresses, or cluster.allow_plain_text = true",
            field="cluster.url",
        )
