"""``seealso evaluate``: how good the recommendations are, beside what others reach."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seealso import api
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.findings import evaluation_table
from seealso.cli.options import no_stream, on_error
from seealso.evaluation import BASELINES, PROTOCOLS
from seealso.log import stderr

if TYPE_CHECKING:
    from seealso.choices import OnError, Split

FOLDER = Path(".seealso/evaluation")


@click.command(cls=Command)
@on_error
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice([*PROTOCOLS, "all"]),
    help="How events are held out; may be repeated.  [default: leave-one-out, without --groups]",
)
@click.option(
    "--groups",
    is_flag=True,
    help="Compare the lists for known groups, by what groups and their members chose next.",
)
@click.option("--test", "split", flag_value="test", default="dev", help="Use test instead of dev.")
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    type=click.Choice(BASELINES),
    help="Compare with this baseline only, however long it takes; may be repeated.  [default: all]",
)
@click.option("--no-baselines", is_flag=True, help="Evaluate only the index.")
@click.option(
    "--no-index",
    "index",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Evaluate only the baselines; no cluster is needed.",
)
@click.option(
    "--users", type=click.IntRange(min=1), help="Evaluate at most this many users, drawn at random."
)
@click.option(
    "--by", metavar="FIELD", help="Report metrics and exposure by the values of this field."
)
@click.option(
    "--by-user",
    metavar="FIELD",
    help="Compare groups of users, by this attribute of [users].",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    callback=no_stream,
    help="Write report.html and evaluation.json to this folder.",
)
@click.option(
    "--open", "opened", is_flag=True, help=f"Open the report.  [--out is {FOLDER} by default]"
)
@click.option(
    "--before",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Compare with the evaluation.json of an earlier evaluation.",
)
@click.option(
    "--workbench",
    type=click.Path(path_type=Path, file_okay=False),
    callback=no_stream,
    help="Write what OpenSearch's Search Relevance Workbench imports to this folder: users as "
    "queries, later choices as judgments, a search configuration for each list.",
)
@click.option("--keep", is_flag=True, help="Keep the evaluated index in the cluster.")
@pass_context
def evaluate(
    context: Context,
    on_error: "OnError",
    protocols: tuple[str, ...],
    groups: bool,
    split: "Split",
    baselines: tuple[str, ...],
    no_baselines: bool,
    index: bool,
    users: int | None,
    by: str | None,
    by_user: str | None,
    out: Path | None,
    opened: bool,
    before: Path | None,
    workbench: Path | None,
    keep: bool,
) -> None:
    """Measure recommendations on events that were held out.

    An index is built beside the live one from the events before the held-out ones, gets the queries
    of the product, and is deleted. Every system ranks the whole catalogue; baselines are tuned on
    dev. Choose by dev; use test once, at the end. With --before, the same users are compared with
    their results of an earlier evaluation.
    """
    if baselines and no_baselines:
        raise click.UsageError("--baseline and --no-baselines exclude each other")
    if not index and no_baselines:
        raise click.UsageError("--no-index and --no-baselines leave nothing to evaluate")
    if not index and before is not None:
        raise click.UsageError("--before compares the index, which --no-index leaves out")
    if not index and groups:
        raise click.UsageError("--groups asks the index, which --no-index leaves out")
    if not protocols and not groups:
        protocols = PROTOCOLS[:1]
    folder = out or (FOLDER if opened else None)
    found = api.evaluate(
        context.settings,
        on_error=on_error,
        protocols=PROTOCOLS if "all" in protocols else protocols,
        groups=groups,
        split=split,
        baselines=() if no_baselines else baselines or None,
        index=index,
        users=users,
        by=by,
        by_user=by_user,
        out=folder,
        before=before,
        keep=keep,
        workbench=workbench,
    )
    if workbench is not None:
        stderr.print(f"workbench: {workbench}", markup=False, soft_wrap=True)
    if folder is not None:
        page = folder / "report.html"
        stderr.print(f"report: {page}", markup=False, soft_wrap=True)
        if opened:
            click.launch(str(page))
    context.show(found, lambda: evaluation_table(found))
