"""From behaviour to recommendations: train, export, index, ask; for each way of learning."""

from collections.abc import Iterator
from typing import Any

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.datasets.intervals import Estimate
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.plugin import Recommender
from seealso.readers import Histories, Problems
from seealso.training.train import train
from tests.integration.test_train_learns import FROM_SCRATCH, METHODS
from tests.training_data import Board, board_items, colour, events, items

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "gpt2": {"training": {"backbone": "gpt2", **FROM_SCRATCH}},
    "full": {},
    "lora": {"training": {"method": "lora", **METHODS["lora"]}},
    "adalora": {"training": {"method": "adalora", **METHODS["adalora"]}},
    "adapter": {"training": {"method": "adapter", **METHODS["adapter"]}},
    "head": {"training": {"method": "head", **METHODS["head"]}},
    "int8": {"encoder": {"precision": "int8", "query_precision": "int8"}},
}


@pytest.fixture
def cluster(opensearch_latest: NodeInfo, index_name: str) -> Iterator[Cluster]:
    """The cluster; the index goes when the test ends."""
    found = Cluster(opensearch_latest.url, retries=1)
    yield found
    for index in indices.list_indices(found, index_name):
        indices.delete(found, index.name)
    found.close()


@pytest.mark.parametrize("way", WAYS)
def test_what_was_learnt_is_recommended(
    board: Board, gpt2_board: str, cluster: Cluster, index_name: str, way: str
) -> None:
    changes = WAYS[way]
    training = dict(changes.get("training", {}))
    if way == "gpt2":
        training["backbone"] = gpt2_board
    report = train(board.settings(training=training), items, events)
    assert report.test["hr@1"] >= 0.95
    assert (report.items, report.without_text, report.users) == (16, 0, 24)
    bundle = board.store.find("board")
    lineage = bundle.origin["training"]
    assert (lineage["dev"], lineage["method"]) == (report.dev, report.method)
    assert Estimate(**lineage["gain"]) == report.gain
    change = report.test["ndcg@10"] - report.frozen_test["ndcg@10"]
    assert report.gain.mean == pytest.approx(change)
    assert report.gain.low <= report.gain.mean <= report.gain.high
    assert (bundle.whiten, bundle.fingerprint) == (report.whiten, report.fingerprint)

    settings = board.settings(
        index={"alias": index_name},
        encoder={
            "bundle": "board", "store": str(board.store.root), "cache": False, "threads": 1,
            **changes.get("encoder", {}),
        },
        cluster={"url": cluster.url},
    )  # fmt: skip
    build(cluster, settings, inputs(settings, cluster, Problems("stop")))
    recommender = Recommender(cluster, settings, Histories.from_events([], positive=None))
    for item in board_items():
        own = item["item_id"]
        # someone new, who liked all of the colour but one
        liked = [
            one["item_id"]
            for one in board_items()
            if colour(one["item_id"]) == colour(own) and one["item_id"] != own
        ]
        found = recommender.recommend(history=liked, size=3, tail_share=0.0)
        assert found.items[0].item_id == own
        related = {colour(one.item_id) for one in recommender.related(own, size=7)}
        # a head learns means of histories, and no pairs of items
        assert related == {colour(own)} or way == "head"
