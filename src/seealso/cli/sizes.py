"""``seealso model sizes``: what int8 and shorter vectors cost, and what they save."""

from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType

from seealso.cli import tables
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import on_error, read_inputs, say_skipped
from seealso.encoder import BundleStore

if TYPE_CHECKING:
    from seealso.evaluation.sizes import Size, Sizes


@click.command()
@click.argument("name", required=False)
@on_error
@click.option("--test", "asked", flag_value="test", default="dev", help="Ask test, not dev.")
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
    context: Context, name: str | None, on_error: str, asked: str, dimensions: tuple[int, ...]
) -> None:
    """Measure the bundle NAME in each precision and length, on your own behaviour.

    Quality is that of a full ranking for every dev user, with the 95 % bootstrap interval of the
    change; then come the size of the model and of the catalogue's vectors, and how many texts a
    second are encoded here. Both int8 twins are made anew. Without NAME, the bundle that the
    settings name. Nothing is written; it needs the extra `train`, but no cluster.
    """
    from seealso.evaluation.sizes import measure_sizes

    store = BundleStore(context.settings.encoder.store)
    source, problems = read_inputs(context, on_error)
    found = measure_sizes(
        context.settings,
        source.items,
        source.events,
        store.find(name or context.settings.encoder.bundle),
        asked=asked,
        dimensions=dimensions,
    )
    say_skipped(problems)
    context.show(found, lambda: _table(found))


def _table(found: "Sizes") -> RenderableType:
    whole = found.sizes[0]
    columns = (
        f"full ranking, {found.asked}", "dimension", "ndcg@10", "hr@10", "ndcg@10 change (95 %)",
        "model", "vectors", "texts/s",
    )  # fmt: skip
    lines = [
        (
            size.precision,
            size.dimension,
            f"{size.metrics['ndcg@10']:.4f}",
            f"{size.metrics['hr@10']:.4f}",
            "" if size is whole else _change(size, whole.metrics["ndcg@10"]),
            tables.size(size.model_bytes),
            tables.size(size.vector_bytes),
            f"{size.texts_per_second:,.0f}",
        )
        for size in found.sizes
    ]
    return Group(
        tables.facts(
            {
                "bundle": f"{found.bundle} ({found.fingerprint})",
                "asked": f"{found.users:,} users, {found.items:,} items",
            }
        ),
        "",
        tables.rows(columns, lines, numbers="dimension ndcg@10 hr@10 model vectors texts/s"),
    )


def _change(size: "Size", whole: float) -> str:
    if not whole:
        return "-"
    mean, low, high = (
        f"{one / whole:+.1%}" for one in (size.change.mean, size.change.low, size.change.high)
    )
    return f"{mean} ({low} to {high})"
