"""Measures lists for known groups on households that were made: what they choose together next.

Strategy, weight of the own history and seen items are chosen on dev; test is asked once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl

from benchmarks.quality.evaluating import FROZEN, export_frozen
from benchmarks.quality.groups import ratio_with_interval
from benchmarks.quality.households import MAKERS, Households
from seealso.choices import StrategyName
from seealso.config import Settings
from seealso.datasets.group_questions import read_group_questions
from seealso.encoder import BundleStore
from seealso.evaluation.protocols import Holdout, hold_out, known_events
from seealso.fitting.bundles import read_contents, strip_collaborative
from seealso.fitting.fitter import Fitted, Fitter
from seealso.fitting.group_bench import GroupBench, GroupChoice, score_groups
from seealso.fitting.group_scores import GroupScorer
from seealso.fitting.groups import choose_groups, count_choices
from seealso.fitting.importance import Shares, read_shares
from seealso.indexer.inputs import Inputs, inputs
from seealso.log import progress
from seealso.models.group_strategies import Values
from seealso.readers import Problems
from seealso.types import Calibration, Vector

SERVED = "as chosen on dev"


@dataclass(frozen=True, eq=False)
class Known:
    """What a fit chose for users, and what it knows.

    Attributes
    ----------
    holdout
        What may be known.
    texts
        Vectors of the contents, shape (n, d).
    fitted
        What dev chose.
    shares
        The importances that were tried.
    """

    holdout: Holdout
    texts: Vector
    fitted: Fitted
    shares: Shares


def measure_households(settings: Settings, prefix: str, work: Path) -> dict[str, Any]:
    """Return what dev chose and what each way to make lists reached on test, by kind of household.

    Parameters
    ----------
    settings
        Of the data set; ``training.backbone`` is the frozen model.
    prefix
        Put before every text that the frozen model reads.
    work
        Folder for the events of the households.
    """
    export_frozen(settings, prefix)
    read = inputs(settings, None, Problems("skip"))
    events = pl.concat(list(read.events()))
    found = {}
    for kind, make in MAKERS.items():
        made = make(events, settings.events.positive, settings.training.seed)
        folder = work / kind.replace(" ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        made.write(folder)
        own = replace(read, events=lambda made=made: [_as_events(made)])
        found[kind] = compare(settings, learn(settings, own), own, made)
    return found


def learn(settings: Settings, read: Inputs) -> Known:
    """Fit on dev what users are ranked by."""
    store = BundleStore(settings.encoder.store)
    base = replace(strip_collaborative(store.find(FROZEN)), images=None)
    split = settings.training.split
    (holdout,) = hold_out(settings, read.items, read.learnt, names=[split], split="dev")
    _, texts = read_contents(settings, base, read.items, holdout.dataset)
    known = known_events(read.learnt, holdout)
    shares = read_shares(settings, read.items, known, holdout.dataset)
    return Known(holdout, texts, Fitter(settings, holdout, texts).choose(shares), shares)


def compare(settings: Settings, known: Known, read: Inputs, made: Households) -> dict[str, Any]:
    """Choose on dev, and ask test once."""
    dataset = known.holdout.dataset
    scorer = GroupScorer.of(settings, dataset, known.texts, known.fitted, known.shares)

    def bench(asked: str) -> GroupBench:
        found = read_group_questions(settings, dataset.catalogue, read.learnt, made.members, asked)
        scored = score_groups(found.own, scorer.score)
        calibration = known.fitted.calibration or Calibration()
        return GroupBench(scored, calibration, settings.groups.fairness)

    with progress("choosing on dev", count_choices()) as tick:
        chosen = choose_groups(bench("dev"), tick)
    test = bench("test")
    plain = replace(GroupChoice(), seen=chosen.settings["seen"])
    ways: dict[str, GroupChoice] = {
        f"{name} of the members": replace(plain, strategy=name) for name in get_args(StrategyName)
    }
    ways["own history"] = replace(plain, own_weight=1.0)
    ways[SERVED] = GroupChoice(**chosen.settings)
    gains = {name: test.gains(way) for name, way in ways.items()}
    return {
        "groups": {"dev": chosen.groups, "test": len(test.scored)},
        "chosen": dict(chosen.settings),
        "dev": dict(chosen.dev),
        "test": _describe(gains, settings.training.seed),
    }


def _describe(gains: Mapping[str, Values], seed: int) -> dict[str, Any]:
    base = _alone(gains["average of the members"])
    return {
        name: {
            "ndcg@10": float(own.mean()),
            "hr@10": float((own > 0).mean()),
            "of the average": ratio_with_interval(_alone(own), base, np.mean, seed),
        }
        for name, own in gains.items()
    }


def _alone(values: Values) -> Sequence[Values]:
    """Return one array a group, as ratios of means over groups take them."""
    return list(values[:, None])


def _as_events(made: Households) -> pl.DataFrame:
    typed = made.events.with_columns(pl.lit("event").alias("type"))
    return typed.select("user_id", "item_id", "type", "value", "time")
