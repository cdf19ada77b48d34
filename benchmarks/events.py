"""What many events cost: seconds and peak memory of a fit, its reading, of counting, and of users.

Users of MovieLens are multiplied under new ids, each with some of the ratings of the user they are
made from. Run by hand, as ``python -m benchmarks.events``: the fit of ten million takes an hour.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import click
import numpy as np
import polars as pl

from benchmarks.node import ROOT
from seealso.api import export_model
from seealso.config import Settings, load_settings
from seealso.encoder import BundleStore
from seealso.fitting.fit import find_current_fit
from seealso.indexer.counts import count_events
from seealso.indexer.inputs import inputs
from seealso.indexer.users.people import read_people
from seealso.log import progress
from seealso.readers import Problems

SETTINGS = "examples/ml-latest-small/seealso.toml"
KEPT: Final = 0.6
"""Share of the ratings of a user that a copy has."""
COPIES_AT_ONCE: Final = 20
"""Copies of all users in one file."""
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What a child process took."""

    seconds: float
    gib: float


def write_events(folder: Path, events: int) -> int:
    """Write at least so many events as Parquet files, and return how many these are."""
    films = load_settings(SETTINGS)
    read = inputs(films, None, Problems("skip"))
    rows = pl.concat(list(read.events()))
    draw = np.random.default_rng(17)
    written, copy = 0, 0
    with progress("writing events", events) as tick:
        while written < events:
            parts = []
            for _ in range(COPIES_AT_ONCE):
                if written + sum(part.height for part in parts) >= events:
                    break
                copy += 1
                chosen = rows.filter(pl.Series(draw.random(rows.height) < KEPT))
                name = pl.format("{}-{}", pl.lit(str(copy)), "user_id")
                parts.append(chosen.with_columns(user_id=name))
            # as they come in a log: users stand beside each other in no order
            found = pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=copy)
            found.write_parquet(folder / f"{copy:06}.parquet")
            written += found.height
            tick(found.height)
    return written


def settings_of(folder: Path, changes: Mapping[str, Mapping[str, object]]) -> Settings:
    """Return settings for the events in `folder`, with the texts of the films."""
    names = {"user": "user_id", "item": "item_id", "value": "value", "time": "time"}
    sections: dict[str, dict[str, object]] = {
        "events": {**names, "path": folder, "type": "type"},
        "encoder": {"store": ROOT / "joined", "cache": ROOT / "vectors.sqlite"},
        "index": {"alias": "events"},
    }
    for name, values in changes.items():
        sections[name] = {**sections.get(name, {}), **values}
    return load_settings(SETTINGS, sections)


def read_for_fit(settings: Settings) -> object:
    """Read what a fit is made from, as far as it can be told whether one is due."""
    read = inputs(settings, None, Problems("skip"))
    return find_current_fit(settings, read.items, read.learnt)


def fit(settings: Settings) -> object:
    """Fit a bundle."""
    from seealso import api

    return api.fit(settings, on_error="skip", force=True).draw


def read_users(settings: Settings) -> object:
    """Read all users as ``users build`` does, and count them."""
    return sum(1 for _ in read_people(settings, None, Problems("skip")).users())


def count(settings: Settings) -> object:
    """Count the events of each item, as the build of an index does."""
    read = inputs(settings, None, Problems("skip"))
    return count_events(read.events(), settings.importance).summary.events


TASKS: Final[Mapping[str, Callable[[Settings], object]]] = {
    "reading": read_for_fit,
    "fit": fit,
    "counting": count,
    "users": read_users,
}


def measure(folder: Path, task: str, changes: Mapping[str, Mapping[str, object]]) -> Cost:
    """Run a task in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.events", "--child", task, str(folder)]
    started = perf_counter()
    child = subprocess.Popen([*command, json.dumps(changes)])
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{task} failed")
    return Cost(perf_counter() - started, used.ru_maxrss / 2**20)


def measure_all(
    millions: tuple[float, ...], tasks: tuple[str, ...], changes: Mapping[str, Mapping[str, object]]
) -> Iterator[str]:
    """Yield a line for each task and number of events."""
    for size in millions:
        with TemporaryDirectory(dir=ROOT) as folder:
            events = write_events(Path(folder), round(size * MILLION))
            for task in tasks:
                cost = measure(Path(folder), task, changes)
                yield f"| {task} | {events:,} | {cost.seconds:.0f} s | {cost.gib:.2f} GiB |"


@click.command()
@click.option("--millions", type=float, multiple=True, default=(1, 10, 20), show_default=True)
@click.option("--task", type=click.Choice(list(TASKS)), multiple=True, default=tuple(TASKS))
@click.option("--most", type=int, help="training.most_events.")
@click.option("--factors", type=int, help="fit.factors: fewer are tried.")
@click.option("--child", nargs=3, hidden=True)
def main(
    millions: tuple[float, ...],
    task: tuple[str, ...],
    most: int | None,
    factors: int | None,
    child: tuple[str, str, str] | None,
) -> None:
    """Print what each task takes, for each number of events."""
    if child is not None:
        name, folder, changed = child
        print(TASKS[name](settings_of(Path(folder), json.loads(changed))), flush=True)
        return
    changes: dict[str, dict[str, object]] = {}
    if most is not None:
        changes["training"] = {"most_events": most}
    if factors is not None:
        changes["fit"] = {"factors": factors}
    ROOT.mkdir(parents=True, exist_ok=True)
    settings = load_settings(SETTINGS, {"encoder": {"store": ROOT / "joined"}})
    if not BundleStore(settings.encoder.store).has(settings.encoder.bundle):
        export_model(settings)
    for line in measure_all(millions, task, changes):
        click.echo(line)


if __name__ == "__main__":
    main()
