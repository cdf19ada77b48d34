"""Writes the tables in docs/explanation/groups.md from the kept results."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.quality.household_groups import SERVED
from benchmarks.quality.page import Result, kept, with_table
from benchmarks.quality.parties import KINDS, SIZES

PAGE = Path("docs/explanation/groups.md")
MEASURED = "python -m benchmarks.quality groups"
HEADINGS = (
    "data", "strategy", "mean NDCG@10", "of the average's (95 %)", "worst-off NDCG@10",
    "of the average's (95 %)", *(f"{kind}: mean, worst-off" for kind in KINDS),
)  # fmt: skip
TIMES = f"{MEASURED}: time"
HOUSEHOLDS = "python -m benchmarks.quality households"
HOUSEHOLD_HEADINGS = (
    "data", "households", "list", "HR@10", "NDCG@10", "of the members' average (95 %)",
)  # fmt: skip


def write_page() -> None:
    """Put the tables between the markers of the page."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(text: str) -> str:
    """Return the page `text` with the tables of what is kept between its markers."""
    results = kept("groups")
    text = with_table(text, MEASURED, HEADINGS, rows(results))
    headings = ("data", *(f"{size} members" for size in SIZES))
    text = with_table(text, TIMES, headings, times(results))
    return with_table(text, HOUSEHOLDS, HOUSEHOLD_HEADINGS, households(kept("households")))


def rows(results: Iterable[Result]) -> Iterator[list[str]]:
    """Yield a row for each strategy."""
    for result in results:
        for name, found in result["test"].items():
            whole = found["all"]
            label = f"fair (fairness {result['fairness']:g})" if name == "fair" else name
            yield [
                result["data"],
                label,
                f"{whole['mean']:.4f}",
                _ratio(whole["mean ratio"]),
                f"{whole['least']:.4f}",
                _ratio(whole["least ratio"]),
                *(f"{found[kind]['mean']:.4f}, {found[kind]['least']:.4f}" for kind in KINDS),
            ]


def times(results: Iterable[Result]) -> Iterator[list[str]]:
    """Yield a row for each data set: milliseconds of a group's list."""
    for result in results:
        if "ms" in result:
            yield [result["data"], *(f"{ms:.0f} ms" for ms in result["ms"].values())]


def households(results: Iterable[Result]) -> Iterator[list[str]]:
    """Yield a row for each way to make the lists of each kind of household."""
    for result in results:
        for kind, found in result["kinds"].items():
            chosen = found["chosen"]
            label = f"as chosen on dev: {chosen['strategy']}, own weight {chosen['own_weight']:g}"
            for name, way in found["test"].items():
                yield [
                    result["data"],
                    f"{found['groups']['test']:,} {kind}",
                    label if name == SERVED else name,
                    f"{way['hr@10']:.4f}",
                    f"{way['ndcg@10']:.4f}",
                    _ratio(way["of the average"]),
                ]


def _ratio(one: Result) -> str:
    return f"{one['ratio']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
