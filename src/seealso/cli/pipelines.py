"""``seealso attach --pipeline``: a search pipeline is installed, printed, or taken away."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
import orjson

from seealso import api
from seealso.cli.context import Context
from seealso.errors import SeeAlsoError

if TYPE_CHECKING:
    from seealso.plugin.pipelines.installing import PipelinePlan, PipelineReport
    from seealso.plugin.pipelines.recipe import ClusterRequest


def install(context: Context, index: str, service_address: str, *, dry_run: bool) -> None:
    """Install it, or print the requests that would; where it cannot be installed, print them, too.

    Raises
    ------
    SeeAlsoError
        It cannot be installed.
    """
    if dry_run:
        _show_plan(context, index, service_address)
        return
    try:
        report = api.attach_pipeline(context.settings, index, service_address=service_address)
    except SeeAlsoError:
        # whoever may do more than this user can still send them
        _show_plan(context, index, service_address)
        raise
    if not context.json:
        click.echo(_describe_plan(report.plan))
    context.show(report, lambda: _installed(report, index))


def remove(context: Context, index: str, *, dry_run: bool) -> None:
    """Take it away, or print the requests that would."""
    run = api.plan_remove_pipeline if dry_run else api.remove_pipeline
    removal = run(context.settings, index)
    if context.json:
        context.show(removal, dict)
    elif removal.requests:
        click.echo(_describe(removal.requests))
    else:
        click.echo(f"{removal.pipeline} is not installed: there is nothing to take away")


def _show_plan(context: Context, index: str, service_address: str) -> None:
    plan = api.plan_attach_pipeline(context.settings, index, service_address=service_address)
    if context.json:
        context.show(plan, dict)
    else:
        click.echo(_describe_plan(plan))


def _describe_plan(plan: "PipelinePlan") -> str:
    if not plan.first:
        return _describe(plan.requests)
    parts = (
        "# first, by an administrator of the cluster",
        _describe(plan.first),
        "# then",
        _describe(plan.requests),
    )
    return "\n".join(parts)


def _describe(requests: "Iterable[ClusterRequest]") -> str:
    """Return requests as the consoles of OpenSearch take them."""
    return "\n".join(line for one in requests for line in _lines_of(one))


def _lines_of(request: "ClusterRequest") -> Iterator[str]:
    yield f"{request.method} {request.path}"
    if request.body is not None:
        yield orjson.dumps(request.body, option=orjson.OPT_INDENT_2).decode()


def _installed(report: "PipelineReport", index: str) -> dict[str, object]:
    plan = report.plan
    reached = "each search that names a user" if plan.default else "searches that name the pipeline"
    return {
        "installed" if not report.renewed else "renewed": f"search pipeline {plan.pipeline}",
        "connector": report.connector_id,
        "model": report.model_id,
        "index": plan.index,
        "personal": f"{reached} in ext.ml_inference.user",
        "checked": f"the cluster reaches {plan.service}",
        "not for one search": "search_pipeline=_none",
        "take it away": f"seealso attach {index} --pipeline --remove",
    }
