"""Protocols over a real index: ranks as numpy has them, no answer known, the index deleted."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from seealso.cli.main import main
from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.datasets.questions import Question
from seealso.datasets.ranks import profile_vectors
from seealso.errors import ClusterError, DataError
from seealso.evaluation import BASELINES
from seealso.evaluation.metrics import ranks_in
from seealso.evaluation.protocols import Holdout, hold_out, is_cold
from seealso.evaluation.systems import Scoring
from seealso.judging.index_systems import SUFFIX, IndexSystems
from seealso.types import Vector
from tests.integration.catalogues import OpenShop, Record, Shop, films

FILMS = 150
SAME = 1e-5
NAMED = ["popularity", "seealso", "seealso, no tail share"]


def behaviour(users: int = 40, length: int = 9) -> list[Record]:
    """Return what users watched; some films far more often than others."""
    rng = Random(8)
    return [
        {"user_id": f"u{user:02}", "item_id": f"f{place}", "second": 1000 * day + user}
        for user in range(users)
        for day, place in enumerate(
            dict.fromkeys(int(FILMS * rng.random() ** 2) for _ in range(length))
        )
    ]


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop on the default version."""
    return stocked(open_shop, opensearch_latest)


def stocked(open_shop: OpenShop, node: NodeInfo, **sections: dict[str, Any]) -> Shop:
    made = open_shop(node.url, events={"time": "second"}, **sections)
    made.stock(films(FILMS), behaviour())
    return made


def sat(shop: Shop, *names: str, split: str = "dev") -> tuple[Holdout, ...]:
    source = shop.inputs()
    return hold_out(shop.settings(), source.items, source.events, names=names, split=split)


def builder(shop: Shop, **changes: Any) -> IndexSystems:
    return IndexSystems(shop.cluster, shop.settings(), shop.inputs(), **changes)


def left(shop: Shop) -> list[str]:
    found = indices.list_indices(shop.cluster, shop.alias + SUFFIX)
    return [index.name for index in found]


def documents(shop: Shop) -> list[dict[str, Any]]:
    """Return all that the evaluated index holds."""
    found = shop.cluster.request("POST", f"/{shop.alias}{SUFFIX}/_search", {"size": FILMS})
    hits: list[dict[str, Any]] = found["hits"]["hits"]
    return hits


def by_numpy(shop: Shop, holdout: Holdout) -> Callable[[list[Question]], Vector]:
    """Return a score function made of what the index holds: w * cosine with the profile."""
    ids = holdout.dataset.catalogue.ids
    stored = {hit["_id"]: hit["_source"] for hit in documents(shop)}
    weighted = np.array([stored[item]["vector"] for item in ids], dtype=np.float32)
    unit = weighted / np.linalg.norm(weighted, axis=1, keepdims=True)
    profile = shop.settings().profile

    def score(asked: list[Question]) -> Vector:
        users = profile_vectors(unit, asked, profile.recency, profile.history_items)
        users /= np.linalg.norm(users, axis=1, keepdims=True)
        return users @ weighted.T

    return score


@pytest.mark.parametrize("path", ["exact", "ann", "reference"])
def test_the_index_ranks_as_numpy_does(
    open_shop: OpenShop, opensearch: NodeInfo, path: str
) -> None:
    shop = stocked(open_shop, opensearch, recommend={"path": path, "tail_share": 0.0})
    (holdout, cold) = sat(shop, "leave-one-out", "cold")
    for one, protocol in (
        (holdout, holdout.protocols[0]),
        (cold, cold.protocols[0]),
        (cold, cold.protocols[1]),
    ):
        with builder(shop).build(one) as (entrant,):
            score = by_numpy(shop, one)
            numpy = Scoring("numpy", score).rank(protocol.questions, 20, protocol.among)
            found = entrant.system.rank(protocol.questions, 20, protocol.among)
        scores = score(list(protocol.questions))
        for row, (own, theirs) in enumerate(zip(found.places, numpy.places, strict=True)):
            # films of equal scores may stand in any order
            assert (own >= 0).tolist() == (theirs >= 0).tolist()
            shown = theirs >= 0
            assert np.abs(scores[row, own[shown]] - scores[row, theirs[shown]]).max() < SAME
            p = 1 / (1 + np.exp(-scores[row, own[shown]].astype(float)))
            assert np.abs(found.probabilities[row, shown] - p).max() < SAME
        ours, expected = (ranks_in(lists, protocol.questions) for lists in (found, numpy))
        assert np.mean(ours == expected) > 0.97


def test_what_was_seen_and_what_may_not_be_ranked_is_not_shown(shop: Shop) -> None:
    (holdout,) = sat(shop, "cold")
    alone = holdout.protocols[1]
    with builder(shop).build(holdout) as entrants:
        for entrant in entrants:
            found = entrant.system.rank(alone.questions, 20, alone.among).places
            for places, question in zip(found, alone.questions, strict=True):
                shown = places[places >= 0]
                assert holdout.cold[shown].all()
                assert not set(shown.tolist()) & set(question.seen.tolist())


def test_the_index_knows_only_what_may_be_known(shop: Shop) -> None:
    (holdout,) = sat(shop, "cold", split="test")
    counts = holdout.dataset.event_counts()
    with builder(shop).build(holdout):
        hits = documents(shop)
    for hit in hits:
        place = holdout.dataset.catalogue.place[hit["_id"]]
        assert hit["_source"].get("interactions", 0) == counts[place]
        assert not is_cold(hit["_id"]) or counts[place] == 0


def test_the_systems_are_the_product_as_set_and_without_tail_share(shop: Shop) -> None:
    (holdout,) = sat(shop, "leave-one-out")
    questions = holdout.protocols[0].questions
    with builder(shop).build(holdout) as (own, without):
        assert [own.system.name, without.system.name] == ["seealso", "seealso, no tail share"]
        assert not own.baseline
        shares = [one.system.rank(questions, 10).places for one in (own, without)]
    tail = holdout.dataset.event_counts() <= np.quantile(holdout.dataset.event_counts(), 0.2)
    assert tail[shares[0]].mean() > tail[shares[1]].mean()


def test_the_index_stands_beside_the_live_one_and_goes(shop: Shop) -> None:
    live = shop.build().index
    (holdout,) = sat(shop, "leave-one-out")
    with builder(shop).build(holdout):
        assert len(left(shop)) == 1
        assert shop.live == live
    assert left(shop) == []
    assert shop.names == [live]


class Interruption(KeyboardInterrupt):
    """Somebody presses Ctrl-C."""


def test_an_interrupted_protocol_leaves_nothing_behind(shop: Shop) -> None:
    (holdout,) = sat(shop, "leave-one-out")
    with pytest.raises(Interruption), builder(shop).build(holdout):
        raise Interruption
    assert left(shop) == []


def test_a_build_that_fails_leaves_nothing_behind(shop: Shop) -> None:
    (holdout,) = sat(shop, "leave-one-out")

    def broken(batches: int = 0) -> Iterator[Any]:
        for batch in shop.inputs().items():
            yield batch
            raise DataError("the catalogue broke off")

    source = shop.inputs()
    breaking = replace(source, items=broken)
    given = IndexSystems(shop.cluster, shop.settings(), breaking)
    with pytest.raises(DataError, match="broke off"), given.build(holdout):
        pytest.fail("it was built")
    assert left(shop) == []


def test_what_a_killed_evaluation_left_is_cleared_by_the_next(shop: Shop) -> None:
    (holdout,) = sat(shop, "leave-one-out")
    with builder(shop, keep=True).build(holdout):
        pass
    (old,) = left(shop)
    with builder(shop).build(holdout):
        assert old not in left(shop)
    assert left(shop) == []


def test_two_evaluations_of_one_alias_do_not_mix(shop: Shop) -> None:
    (holdout,) = sat(shop, "leave-one-out")
    with (
        builder(shop).build(holdout),
        pytest.raises(ClusterError, match="another evaluation is running"),
        builder(shop).build(holdout),
    ):
        pytest.fail("both were let in")


def refused(shop: Shop, *options: str) -> int:
    """Return the exit code of ``seealso evaluate`` with these options."""
    with pytest.raises(SystemExit) as stopped:
        main(shop.arguments("evaluate", *options))
    assert left(shop) == []
    return int(str(stopped.value.code))


def test_what_cannot_be_asked_is_refused_in_one_line(
    open_shop: OpenShop, opensearch_latest: NodeInfo, capsys: Any
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(30), [one for one in behaviour(9) if int(one["item_id"][1:]) < 30])
    assert refused(shop, "--protocol", "temporal") == 3
    assert "temporal: a split at a moment needs events" in capsys.readouterr().err
    assert refused(shop, "--protocol", "cold") == 3
    assert "at least 5 are needed" in capsys.readouterr().err
    assert refused(shop, "--protocol", "warm") == 2
    assert "'warm' is not one of" in capsys.readouterr().err
    assert refused(shop, "--by", "colour", "--no-baselines") == 2
    assert "--by colour: no item has this field" in capsys.readouterr().err
    assert refused(shop, "--no-baselines", "--no-index") == 2
    assert "leave nothing to evaluate" in capsys.readouterr().err
    shop.stock(films(30), behaviour(9, length=2))
    assert refused(shop, "--no-index", "--baseline", "popularity") == 3
    assert "none can be asked about in dev" in capsys.readouterr().err


def test_a_missing_library_is_named_with_its_extra(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    assert refused(shop, "--no-index", "--baseline", "ials") == 4
    assert "pip install 'seealso[evaluate]'" in capsys.readouterr().err


def test_the_table_lines_up(shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("seealso.cli.context.stdout", Console(width=200))
    main(shop.arguments("evaluate", "--baseline", "popularity", "--users", "12"))
    lines = capsys.readouterr().out.splitlines()
    head = next(line for line in lines if line.startswith("system"))
    rows = lines[lines.index(head) + 1 :][:3]
    assert [row.split("  ")[0] for row in rows] == NAMED
    # the last column is aligned to the right
    assert len({len(row.rstrip()) for row in rows}) == 1
    assert any(line.startswith("leave-one-out, dev: 12 users, 150 items") for line in lines)
    assert "seealso minus it (95 %)" in head
    assert any(line.startswith("chosen on dev") for line in lines)


@pytest.mark.slow
def test_every_protocol_and_every_baseline_in_one_call(
    shop: Shop, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "found"
    main(
        shop.arguments("evaluate", "--protocol", "all", "--by", "kind", "--out", str(out), "--json")
    )
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "evaluation.json").read_bytes())
    protocols = {protocol["name"]: protocol for protocol in printed["protocols"]}
    assert list(protocols) == [
        "leave-one-out", "few-shot 1", "few-shot 2", "few-shot 3", "few-shot 5",
        "cold", "cold among cold", "temporal",
    ]  # fmt: skip
    whole = protocols["leave-one-out"]
    assert {one["system"] for one in whole["scores"]} == {
        *BASELINES, "seealso", "seealso, no tail share",
    }  # fmt: skip
    assert {one["system"] for one in whole["tuned"]} == set(BASELINES)
    assert {one["system"] for one in whole["reliability"]} == {"seealso", "seealso, no tail share"}
    assert any(name.startswith("kind: ") for name in whole["beyond_accuracy"][0]["exposure"])
    assert all(0 <= one["p"] <= 1 for one in whole["pairings"])
    assert whole["examples"][0]["history"][0] in {film["title"] for film in films(FILMS)}
    assert protocols["cold"]["cold_items"] == sum(is_cold(film["item_id"]) for film in films(FILMS))
    assert protocols["cold among cold"]["items"] == protocols["cold"]["cold_items"]
    assert left(shop) == []
