"""``python -m benchmarks.quality``: fine-tunes on one data set and keeps what it found.

Dev decides everything; test is asked once, after it.
"""

from pathlib import Path

import click
import orjson

from benchmarks.measure import machine
from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.page import RESULTS, write_page
from seealso.cli.context import plain
from seealso.cli.main import overrides
from seealso.indexer.inputs import inputs
from seealso.interactions import Problems
from seealso.training.train import train


@click.command()
@click.argument("data", type=click.Choice(list(DATA_SETS)))
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the published files; MovieLens is shipped.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=Path(".seealso/quality"),
    show_default=True,
    help="Folder for converted files, checkpoints and bundles.",
)
@click.option("--label", default="budget", show_default=True, help="Name of the row in the table.")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a training setting."
)
def main(data: str, source: Path | None, work: Path, label: str, changes: tuple[str, ...]) -> None:
    """Fine-tune on DATA, rank dev and test over the full catalogue, keep the figures."""
    chosen = overrides([f"training.{change}" for change in changes]).get("training", {})
    data_set = DATA_SETS[data]
    settings = data_set.settings(source, work / data, {"preset": "budget", **chosen})
    read = inputs(settings, None, Problems("skip"))
    report = train(settings, read.items, read.events)
    kept = {
        "data": data_set.title,
        "label": label,
        "training": settings.training.model_dump(
            mode="json", exclude_defaults=True, exclude={"folder", "backbone"}
        ),
        "backbone": Path(settings.training.backbone).name,
        "recency": settings.profile.recency,
        "machine": machine(),
        "report": {
            name: value for name, value in plain(report).items() if name not in ("bundle", "folder")
        },
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    (RESULTS / f"{data}-{label}.json").write_bytes(orjson.dumps(kept, option=option))
    write_page()


if __name__ == "__main__":
    main()
