"""``seealso evaluate``: how good the recommendations are, beside what others reach."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seealso.cli.context import Context, pass_context
from seealso.cli.findings import shown
from seealso.cli.inputs import attributes_of_users, on_error, read_inputs, say_skipped
from seealso.log import stderr
from seealso.readers import Pseudonyms
from seealso.readers.pseudonyms import KEY

if TYPE_CHECKING:
    from seealso.evaluation.systems import SystemBuilder

PROTOCOLS = ("leave-one-out", "temporal", "cold", "few-shot")
FOLDER = Path(".seealso/evaluation")
BASELINES = ("popularity", "itemknn", "ease", "ials", "ials-ridge", "bm25", "text")


@click.command()
@on_error
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice([*PROTOCOLS, "all"]),
    default=["leave-one-out"],
    show_default=True,
    help="What is asked; may be repeated.",
)
@click.option("--test", "asked", flag_value="test", default="dev", help="Ask test, not dev.")
@click.option(
    "--baseline",
    "chosen",
    multiple=True,
    type=click.Choice(BASELINES),
    help="Compare with these only; may be repeated.  [default: all]",
)
@click.option("--no-baselines", is_flag=True, help="Ask the index alone.")
@click.option("--no-index", is_flag=True, help="Ask the baselines alone; no cluster is needed.")
@click.option("--users", type=click.IntRange(min=1), help="Ask at most so many users, drawn.")
@click.option("--by", metavar="FIELD", help="Tell users and exposure apart by this field.")
@click.option(
    "--by-user",
    metavar="FIELD",
    help="Tell whether users are served alike, by this attribute of [users].",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write report.html and evaluation.json to this folder.",
)
@click.option(
    "--open", "opened", is_flag=True, help=f"Open the report.  [--out is {FOLDER} by default]"
)
@click.option(
    "--before",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Compare with the evaluation.json of an earlier one.",
)
@click.option("--keep", is_flag=True, help="Leave the evaluated index in the cluster.")
@pass_context
def evaluate(
    context: Context,
    on_error: str,
    protocols: tuple[str, ...],
    asked: str,
    chosen: tuple[str, ...],
    no_baselines: bool,
    no_index: bool,
    users: int | None,
    by: str | None,
    by_user: str | None,
    out: Path | None,
    opened: bool,
    before: Path | None,
    keep: bool,
) -> None:
    """Measure recommendations on events that were kept back, beside tuned baselines.

    An index is built beside the live one from what may be known, asked by the product's own
    queries, and deleted. Every system ranks the whole catalogue; baselines are tuned on dev.
    Choose by dev; ask test once, at the end. With --before, the same users are compared with
    what they got in an earlier evaluation.
    """
    if chosen and no_baselines:
        raise click.UsageError("--baseline and --no-baselines exclude each other")
    if no_index and no_baselines:
        raise click.UsageError("--no-index and --no-baselines leave nobody to ask")
    if no_index and before is not None:
        raise click.UsageError("--before compares the index, which --no-index leaves out")
    from seealso.evaluation.earlier import Earlier
    from seealso.evaluation.evaluate import evaluate as hold
    from seealso.evaluation.report import require_plots, write_report

    folder = out or (FOLDER if opened else None)
    if folder is not None:
        # before anything is asked, not an hour later
        require_plots()
    earlier = None if before is None else Earlier.read(before)
    source, problems = read_inputs(context, on_error)
    groups = None
    if by_user is not None:
        from seealso.evaluation.fairness import Groups

        groups = Groups.of(by_user, attributes_of_users(context.settings, problems))
    builders: list[SystemBuilder] = []
    if not no_baselines:
        from seealso.evaluation.baselines import baselines

        builders += baselines(context.settings, chosen or BASELINES)
    if not no_index:
        from seealso.fitting.refit import refit
        from seealso.judging.index_systems import IndexSystems

        prepare = partial(refit, items=source.items, images=source.images)
        builders.append(IndexSystems(context.cluster(), context.settings, source, keep, prepare))
    found = hold(
        context.settings,
        source.items,
        source.events,
        builders,
        protocols=PROTOCOLS if "all" in protocols else protocols,
        asked=asked,
        by=by,
        most_users=users,
        before=earlier,
        groups=groups,
        names=Pseudonyms.from_environment(os.environ) if KEY in os.environ else None,
    )
    say_skipped(problems)
    if folder is not None:
        page = write_report(found, folder)
        stderr.print(f"report: {page}", markup=False, soft_wrap=True)
        if opened:
            click.launch(str(page))
    context.show(found, lambda: shown(found))
