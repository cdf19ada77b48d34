"""``seealso attach``."""

from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource
from rich.console import Group, RenderableType
from rich.text import Text

from seealso import api
from seealso.cli import tables
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.options import dry_run, on_error
from seealso.cli.pipelines import install, remove
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.choices import OnError
    from seealso.indexer.attach.plan import AttachPlan
    from seealso.indexer.attach.running import AttachReport

WITHOUT_PIPELINE: Final = {
    "on_error": "--on-error",
    "copy": "--copy",
    "allow_unmatched": "--allow-unmatched",
}
"""Options that say how an index is attached to."""


@click.command(cls=Command)
@click.argument("index")
@on_error
@dry_run
@click.option("--copy", is_flag=True, help="Make a new copy, with the current settings.")
@click.option(
    "--allow-unmatched",
    is_flag=True,
    help="Attach even if most events name items that are not in the index.",
)
@click.option(
    "--pipeline",
    is_flag=True,
    help="Let the cluster personalise searches of the attached index, by a search pipeline.",
)
@click.option(
    "--service-address",
    metavar="URL",
    help="Where the nodes of the cluster reach the service, with --pipeline.",
)
@click.option("--remove", is_flag=True, help="Take away what --pipeline installed.")
@pass_context
def attach(
    context: Context,
    index: str,
    on_error: "OnError",
    dry_run: bool,
    copy: bool,
    allow_unmatched: bool,
    pipeline: bool,
    service_address: str | None,
    remove: bool,
) -> None:
    """Add vectors and importance to the existing index INDEX.

    INDEX is the name of an index, or an alias of one. If index.knn is set, its documents get new
    fields in place. Otherwise a copy is made, and the aliases move to it after it is verified. The
    old index is kept. Run it again after documents have changed.

    With --pipeline, an attached index gets a search pipeline instead, which asks the service: a
    search that names a user in ext.ml_inference.user becomes personal. This needs the plugin
    ml-commons. With --dry-run, the requests are printed and not sent.
    """
    if pipeline:
        _refuse_others(click.get_current_context())
        _attach_pipeline(context, index, service_address, removing=remove, dry_run=dry_run)
        return
    if service_address is not None or remove:
        raise click.UsageError("--service-address and --remove are for --pipeline")
    if dry_run:
        plan = api.plan_attach(
            context.settings, index, on_error=on_error, copy=copy, allow_unmatched=allow_unmatched
        )
        context.show(plan, lambda: _with_note(_planned(plan), plan.note))
        return
    report = api.attach(
        context.settings, index, on_error=on_error, copy=copy, allow_unmatched=allow_unmatched
    )
    context.show(report, lambda: _with_note(_done(report), report.plan.note))


def _refuse_others(invoked: click.Context) -> None:
    for name, option in WITHOUT_PIPELINE.items():
        if invoked.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"--pipeline is for an index that is attached, and takes no {option}"
            )


def _attach_pipeline(
    context: Context, index: str, service_address: str | None, *, removing: bool, dry_run: bool
) -> None:
    if removing and service_address is not None:
        raise click.UsageError("--service-address and --remove exclude each other")
    if removing:
        remove(context, index, dry_run=dry_run)
    elif service_address is None:
        raise click.UsageError("--pipeline needs --service-address, or --remove")
    else:
        install(context, index, service_address, dry_run=dry_run)


def _planned(plan: "AttachPlan") -> dict[str, object]:
    moves = ", ".join(dict.fromkeys((*plan.aliases, plan.alias)))
    target = plan.target or f"a copy, {plan.alias}-<time>"
    return {
        "would attach to": f"{plan.index}, {format_count(plan.documents, 'document')}",
        "how": f"{plan.way}: {plan.reason}",
        "writes to": target,
        "aliases": f"{moves} -> {target}",
        **_added(plan),
        **_memory(plan.memory),
    }


def _added(plan: "AttachPlan") -> dict[str, object]:
    return {"hidden alias": f"{plan.added}, by which it is written to"} if plan.added else {}


def _memory(summary: str) -> dict[str, object]:
    return {"memory": summary} if summary else {}


def _done(report: "AttachReport") -> dict[str, object]:
    checked, plan = report.verification, report.plan
    moved = ", ".join(dict.fromkeys((*plan.aliases, plan.alias)))
    return {
        "attached to": plan.index,
        "how": f"{plan.way}: {plan.reason}",
        "index": report.index,
        "aliases": f"{moved} -> {report.index}",
        **_added(plan),
        "bundle": f"{report.bundle} ({report.fingerprint})",
        "documents": f"{report.written:,} written, {report.unchanged:,} unchanged, "
        f"{report.deleted:,} deleted",
        "not items": f"{report.unreadable:,}, kept without a vector",
        **_memory(report.memory),
        "verified": checked.summary,
        "seconds": f"{report.seconds:.1f}",
    }


def _with_note(facts: dict[str, object], note: str) -> RenderableType:
    lines = [Text(f"note: {note}", style="yellow")] if note else []
    return Group(tables.facts(facts), *lines)
