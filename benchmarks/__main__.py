"""``python -m benchmarks``: runs the benchmarks one after the other and reports each."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from benchmarks import (
    encoding,
    features,
    joined,
    live,
    load,
    loading,
    many,
    million,
    playground,
    ranking,
    recommending,
    sizes,
    users,
)
from benchmarks.report import keep, show, write_page

ITEMS = 100_000

BY_HAND = ("ten million",)
"""Takes hours, so it runs where it is asked for."""

RUNS: Mapping[str, Callable[[int], Mapping[str, Any]]] = {
    "ranking": lambda items: ranking.run(items).as_dict(),
    "joined": lambda items: joined.run(items).as_dict(),
    "recommending": lambda items: recommending.run(items).as_dict(),
    "many": lambda items: many.run(items).as_dict(),
    "users": lambda items: users.run(items).as_dict(),
    "live": lambda items: live.run(items).as_dict(),
    "load": lambda items: load.run(items).as_dict(),
    "features": lambda items: features.run(items).as_dict(),
    "playground": lambda items: playground.run(items).as_dict(),
    "encoding": lambda _: encoding.run(),
    "loading": lambda items: loading.run(items).as_dict(),
    "million": lambda items: million.run(items).as_dict(),
    "joined million": lambda items: sizes.run(items).as_dict(),
    "ten million": lambda items: sizes.run_ten_million(items).as_dict(),
}


@click.command()
@click.option("--quick", is_flag=True, help="Leave out the millions (an hour on two cores).")
@click.option("--only", type=click.Choice(list(RUNS)), multiple=True, help="Run this one alone.")
@click.option(
    "--items",
    type=click.IntRange(min=5000),
    default=ITEMS,
    show_default=True,
    help="Size of the small catalogue; results of any other size are only printed.",
)
def main(quick: bool, only: tuple[str, ...], items: int) -> None:
    """Measure speed side by side, print the ratios, keep them in benchmarks/results."""
    whole = [name for name in RUNS if name not in BY_HAND]
    chosen = only or tuple(name for name in whole if not (quick and "million" in name))
    for name in chosen:
        report = RUNS[name](items)
        show(report)
        if items == ITEMS:
            keep(report)
            write_page()


if __name__ == "__main__":
    main()
