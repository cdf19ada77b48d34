"""What a training says of itself in the end: no gain is claimed that may be chance."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.quality.page import PAGE, TUNED_HEADINGS, tuned_rows, with_tables
from seealso.cli.context import plain
from seealso.cli.train import report_table
from seealso.datasets.intervals import Estimate
from seealso.training.train import TrainReport


def metrics(ndcg: float) -> dict[str, float]:
    return {"hr@1": 0.0, "hr@10": 0.05, "hr@20": 0.1, "ndcg@10": ndcg}


REPORT = TrainReport(
    bundle="tuned", folder=Path("tuned"), fingerprint="0123456789abcdef", method="head",
    pairs=1000, users=100, items=50, without_text=0, trained_parameters=10, parameters=1000,
    whiten=True,
    frozen_dev=metrics(0.02), dev=metrics(0.05), frozen_test=metrics(0.02), test=metrics(0.03),
    gain=Estimate(0.01, 0.002, 0.018), dev_users=90, test_users=95, steps=9, seconds=60.0,
    tracked=None,
)  # fmt: skip


def said(report: TrainReport) -> str:
    console = Console(width=200)
    with console.capture() as caught:
        console.print(report_table(report))
    return caught.get()


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (Estimate(0.01, 0.002, 0.018), "NDCG@10 on test 0.0300, frozen 0.0200: 1.50 times as go"),
        (Estimate(0.01, -0.002, 0.022), "not beyond chance: NDCG@10 on test 0.0300, frozen 0.02"),
        (Estimate(0.0, 0.0, 0.0), "not beyond chance: NDCG@10 on test 0.0300"),
        (Estimate(-0.01, -0.02, -0.001), "none: NDCG@10 on test 0.0300, frozen 0.0200, worse be"),
    ],
)
def test_the_gain_is_that_of_test_and_beyond_chance(gain: Estimate, verdict: str) -> None:
    lines = said(replace(REPORT, gain=gain)).splitlines()
    (told,) = (line for line in lines if line.startswith("gain "))
    assert verdict in told
    (last,) = (line for line in lines if line.startswith("test, fine-tuned"))
    assert last.split(maxsplit=6)[-1] == f"{gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
    assert sum(" to " in line for line in lines) == 1


def test_of_a_model_that_hit_nothing_there_is_no_multiple() -> None:
    assert "times as good" not in said(replace(REPORT, frozen_test=metrics(0.0)))


def test_the_quality_page_shows_the_difference_on_test() -> None:
    kept = {"data": "Films", "label": "budget", "backbone": "b", "report": plain(REPORT)}
    told = list(tuned_rows([kept]))
    assert {len(row) for row in told} == {len(TUNED_HEADINGS)}
    assert [row[-1] for row in told] == ["", "", "", "+0.0100 (+0.0020 to +0.0180)"]


def test_the_quality_page_shows_what_is_kept() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page
