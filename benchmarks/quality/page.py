"""Writes the table of fine-tuning in docs/quality.md from the kept results."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from benchmarks.report import between

RESULTS = Path("benchmarks/results/quality")
PAGE = Path("docs/quality.md")
BEGIN = "<!-- begin: python -m benchmarks.quality -->"
END = "<!-- end: python -m benchmarks.quality -->"
HEADINGS = (
    "data", "fine-tuned", "", "users", "HR@10", "NDCG@10", "HR@20", "ratio of NDCG@10",
    "test difference (95 %)",
)  # fmt: skip


def kept() -> list[dict[str, Any]]:
    """Return the kept results, by file name."""
    return [orjson.loads(file.read_bytes()) for file in sorted(RESULTS.glob("*.json"))]


def write_page() -> None:
    """Put the table between the markers of docs/quality.md."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_table(text, kept()), encoding="utf-8")


def with_table(text: str, results: Iterable[Mapping[str, Any]]) -> str:
    """Return the page `text` with the table of `results` between its markers."""
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(row for one in results for row in _rows(one))]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return between(text, BEGIN, END, table)


def _rows(result: Mapping[str, Any]) -> Iterator[list[str]]:
    report = result["report"]
    how = f"{result['label']}: {report['method']} on {result['backbone']}, "
    how += f"{report['seconds'] / 60:.0f} min"
    for part, users in (("dev", report["dev_users"]), ("test", report["test_users"])):
        frozen, tuned = report[f"frozen_{part}"], report[part]
        for name, found, ratio in (
            ("frozen", frozen, ""),
            ("fine-tuned", tuned, f"{tuned['ndcg@10'] / frozen['ndcg@10']:.2f}"),
        ):
            yield [
                result["data"],
                how,
                f"{part}, {name}",
                f"{users:,}",
                *(f"{found[metric]:.4f}" for metric in ("hr@10", "ndcg@10", "hr@20")),
                ratio,
                _difference(report) if (part, name) == ("test", "fine-tuned") else "",
            ]


def _difference(report: Mapping[str, Any]) -> str:
    if "gain" not in report:
        return "not kept"
    mean, low, high = (f"{report['gain'][name]:+.4f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
