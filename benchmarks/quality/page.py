"""Writes the tables in docs/explanation/quality.md from the kept results."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks.report import between

RESULTS = Path("benchmarks/results/quality")
PAGE = Path("docs/explanation/quality.md")
TUNED = "python -m benchmarks.quality tune"
EVALUATED = "python -m benchmarks.quality evaluate"
TUNED_HEADINGS = (
    "data", "fine-tuned", "", "users", "HR@10", "NDCG@10", "HR@20", "ratio of NDCG@10",
    "test difference (95 %)",
)  # fmt: skip
EVALUATED_HEADINGS = (
    "data", "system", "HR@10", "NDCG@10 (95 %)", "ours without tail share minus it (95 %)",
    "coverage@10", "few-shot 1", "few-shot 3", "cold", "cold among cold", "ECE",
)  # fmt: skip
OURS = "seealso, no tail share"
"""Compared with the baselines, which guarantee the tail nothing."""
KNOWING = ("seealso fine-tuned", "seealso fine-tuned, no tail share")

Result = Mapping[str, Any]


def keep(name: str, found: Result) -> None:
    """Write one result."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    (RESULTS / f"{name}.json").write_bytes(orjson.dumps(found, option=option))


def kept(kind: str) -> list[Result]:
    """Return the kept results of a kind, ``tuned`` or ``evaluated``, by file name."""
    files = sorted(RESULTS.glob(f"{kind}-*.json"))
    return [orjson.loads(file.read_bytes()) for file in files]


def write_page() -> None:
    """Put the tables between the markers of docs/explanation/quality.md."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(text: str) -> str:
    """Return the page `text` with the tables of what is kept between its markers."""
    text = with_table(text, TUNED, TUNED_HEADINGS, tuned_rows(kept("tuned")))
    return with_table(text, EVALUATED, EVALUATED_HEADINGS, evaluated_rows(kept("evaluated")))


def with_table(text: str, name: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the page `text` with one table between the markers of that name."""
    lines = [headings, ["---"] * len(headings), *rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return between(text, f"<!-- begin: {name} -->", f"<!-- end: {name} -->", table)


def tuned_rows(results: Iterable[Result]) -> Iterator[list[str]]:
    """Yield the rows of the table of fine-tuning."""
    for result in results:
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
                    _gain(report["gain"]) if (part, name) == ("test", "fine-tuned") else "",
                ]


def _gain(gain: Result) -> str:
    mean, low, high = (f"{gain[name]:+.4f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def evaluated_rows(results: Iterable[Result]) -> Iterator[list[str]]:
    """Yield the rows of the table of systems."""
    for result in results:
        protocols = {protocol["name"]: protocol for protocol in result["evaluation"]["protocols"]}
        whole = protocols["leave-one-out"]
        for score in whole["scores"]:
            if score["part"] == "all":
                yield _row(result["data"], score["system"], score, protocols)


def _row(data: str, system: str, score: Result, protocols: Mapping[str, Result]) -> list[str]:
    whole = protocols["leave-one-out"]
    ndcg = score["metrics"]["ndcg@10"]
    return [
        data,
        system,
        f"{score['metrics']['hr@10']['mean']:.4f}",
        f"{ndcg['mean']:.4f} ({ndcg['low']:.4f} to {ndcg['high']:.4f})",
        _paired(whole, system),
        _of(whole["beyond_accuracy"], system, "coverage"),
        *(_ndcg(protocols.get(name), system, "ndcg@10") for name in ("few-shot 1", "few-shot 3")),
        *(_cold(protocols.get(name), system) for name in ("cold", "cold among cold")),
        _of(whole["reliability"], system, "error"),
    ]


def _paired(protocol: Result, system: str) -> str:
    for one in protocol["pairings"]:
        if one["other"] == system and one["metric"] == "ndcg@10" and one["system"] == OURS:
            return _gain(one["difference"])
    return ""


def _cold(protocol: Result | None, system: str) -> str:
    # a fine-tuned model learnt from the events that were taken from the cold items
    return "knows" if protocol and system in KNOWING else _ndcg(protocol, system, "ndcg@20")


def _of(found: Iterable[Result], system: str, name: str) -> str:
    return next((f"{one[name]:.3f}" for one in found if one["system"] == system), "")


def _ndcg(protocol: Result | None, system: str, metric: str) -> str:
    for score in protocol["scores"] if protocol else ():
        if (score["system"], score["part"]) == (system, "all"):
            return f"{score['metrics'][metric]['mean']:.4f}"
    return ""
