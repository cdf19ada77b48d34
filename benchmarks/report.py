"""Prints reports, keeps them as JSON, and writes docs/explanation/benchmarks.md from that."""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

RESULTS = Path("benchmarks/results")
PAGE = Path("docs/explanation/benchmarks.md")
BEGIN, END = "<!-- begin: python -m benchmarks -->", "<!-- end: python -m benchmarks -->"
ORDER = (
    "ranking",
    "million",
    "joined",
    "joined million",
    "ten million",
    "recommending",
    "many",
    "users",
    "live",
    "load",
    "features",
    "playground",
    "encoding",
    "loading",
)
HEADINGS = ("what", "median", "10th to 90th percentile", "wanted", "reached")

Row = tuple[str, str, str, str, str]


def keep(report: Mapping[str, Any]) -> None:
    """Write the report to benchmarks/results."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    option = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    (RESULTS / f"{report['name']}.json").write_bytes(orjson.dumps(report, option=option))


def show(report: Mapping[str, Any]) -> None:
    """Print the report."""
    # a log file gets whole lines
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(*HEADINGS, title=report["title"])
    for figure in report["figures"]:
        table.add_row(*_row(figure))
    console.print(table)
    console.print(f"{machine_line(report['machine'])}\n{_setting_line(report['setting'])}\n")


def write_page() -> None:
    """Put the tables of every kept report between the markers of docs/explanation/benchmarks.md."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_tables(text, kept()), encoding="utf-8")


def with_tables(text: str, reports: Iterable[Mapping[str, Any]]) -> str:
    """Return the page `text` with the tables of `reports` between its markers."""
    return between(text, BEGIN, END, page_tables(reports))


def between(text: str, begin: str, end: str, block: str) -> str:
    """Return the page `text` with `block` between the markers `begin` and `end`."""
    marked = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return marked.sub(lambda _: f"{begin}\n{block}\n{end}", text)


def page_tables(reports: Iterable[Mapping[str, Any]]) -> str:
    """Return the tables as Markdown, each below its heading."""
    return "\n".join(_section(report) for report in reports)


def kept() -> list[dict[str, Any]]:
    """Return every report that benchmarks/results holds, in the order of the page."""
    files = [RESULTS / f"{name}.json" for name in ORDER]
    return [orjson.loads(file.read_bytes()) for file in files if file.is_file()]


def _section(report: Mapping[str, Any]) -> str:
    rule = ("---", "---:", "---:", "---", "---")
    rows = [HEADINGS, rule, *(_row(figure) for figure in report["figures"])]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    facts = f"{machine_line(report['machine'])}. {_setting_line(report['setting'])}."
    return "\n".join((f"### {report['title']}", "", facts, "", *lines, ""))


def _row(figure: Mapping[str, Any]) -> Row:
    target = figure["target"]
    wanted = "" if target is None else f"{target['bound']} {target['value']:g} ({target['kind']})"
    reached = "" if target is None else ("yes" if figure["met"] else "no")
    spread = "" if figure["rounds"] == 1 else f"{_number(figure, 'p10')} – {_number(figure, 'p90')}"
    return (figure["what"], _number(figure, "median"), spread, wanted, reached)


def _number(figure: Mapping[str, Any], which: str) -> str:
    value, unit = figure[which], figure["unit"]
    if unit == "1/s":
        return f"{value:,.0f}/s"
    if unit == "":
        return f"{value:.3f}"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def machine_line(machine: Mapping[str, Any]) -> str:
    """Return the facts of the machine as one line."""
    parts = [f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB"]
    if "opensearch" in machine:
        simd = "with" if machine["simd"] else "without"
        parts += [
            f"OpenSearch {machine['opensearch']}, heap {machine['heap']}",
            f"{machine['jdk']} {simd} the SIMD module",
        ]
    parts += [f"Python {machine['python']}", f"load {machine['load_at_start']:g} at the start"]
    return "; ".join(parts)


def _setting_line(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in setting.items())
