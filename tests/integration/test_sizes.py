"""Smaller models and shorter vectors: made, measured, and indexed on a real node."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from seealso.cli.context import Context
from seealso.cli.model import model
from seealso.cluster import Cluster
from seealso.cluster.node import NodeInfo
from seealso.config import TextSettings
from seealso.datasets.dataset import read_dataset
from seealso.encoder import (
    LEAST_INT8_HEAD,
    Bundle,
    BundleStore,
    Encoder,
    VectorCache,
    bind,
    item_encoder,
    query_encoder,
)
from seealso.encoder.description import MODEL, MODEL_INT8
from seealso.errors import BundleError, ConfigError
from seealso.evaluation.sizes import measure_sizes
from seealso.indexer.build import build
from seealso.indexer.inputs import inputs
from seealso.plugin import Recommender
from seealso.readers import Problems
from seealso.training import export, load_backbone
from seealso.training.exporting.quantisation import CALIBRATION_TEXTS, sampled
from seealso.training.train import train
from tests.bundles import tiny_source
from tests.training_data import Board, board_items, colour, events, items

TITLES = [str(item["title"]) for item in board_items()]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("source", ["bert", "gpt2"])
def test_a_static_twin_computes_what_fp32_does(
    source: str, gpt2_board: str, tmp_path: Path
) -> None:
    backbone = load_backbone(
        tiny_source() if source == "bert" else gpt2_board, pooling="auto", max_length=32
    )
    store = BundleStore(tmp_path)
    static = export(backbone, "static", store, calibration_texts=TITLES)
    dynamic = export(backbone, "dynamic", store)
    assert (static.origin["int8"], dynamic.origin["int8"]) == ("static", "dynamic")
    assert static.origin["parity"]["int8_mean"] >= 0.98
    assert static.model_fingerprint == dynamic.model_fingerprint
    found, expected = (Encoder(static, precision=p).raw_items(TITLES) for p in ("int8", "fp32"))
    assert (found * expected).sum(axis=1).min() > 0.98
    operators = (static.folder / MODEL_INT8).read_bytes()
    # what is measured as it comes needs an operator that a static twin has no use for
    assert b"DynamicQuantizeLinear" in (dynamic.folder / MODEL_INT8).read_bytes()
    assert b"DynamicQuantizeLinear" not in operators
    assert b"QuantizeLinear" in operators


def test_a_new_twin_reads_again_what_the_old_one_read(tmp_path: Path) -> None:
    backbone = load_backbone(tiny_source(), pooling="auto", max_length=32)
    store, cache = BundleStore(tmp_path / "store"), VectorCache(tmp_path / "vectors.sqlite")
    found = {}
    for kind, measured in (("dynamic", ()), ("static", TITLES)):
        # replaced under its name, as `model export --force` and a second training do
        bundle = export(backbone, "mine", store, calibration_texts=measured)
        assert bundle == store.find("mine")
        bound = bind(bundle, text=TextSettings(), projection=None, store=store)
        assert bound.origin["int8"] == kind
        found[kind] = {
            precision: Encoder(bound, precision=precision, cache=cache).raw_items(TITLES)
            for precision in ("fp32", "int8")
        }
        anew = Encoder(bundle, precision="int8").raw_items(TITLES)
        np.testing.assert_array_equal(found[kind]["int8"], anew)
    np.testing.assert_array_equal(found["static"]["fp32"], found["dynamic"]["fp32"])
    assert (found["static"]["int8"] != found["dynamic"]["int8"]).any()


def test_calibration_takes_texts_from_everywhere() -> None:
    texts = [str(number) for number in range(10_000)]
    found = sampled(texts)
    assert len(found) == len(set(found)) == CALIBRATION_TEXTS
    assert (found[0], found[-1]) == ("0", "9999")
    assert sampled(texts[:5]) == texts[:5]


def test_export_reads_calibration_texts_from_a_file(board: Board) -> None:
    file = board.folder / "texts.txt"
    context = Context(board.settings, json=True)
    command = [
        "model", "export", tiny_source(), "--out", "measured", "--calibration-texts", str(file),
        "--max-length", "32",
    ]  # fmt: skip
    file.write_text("\n \n", encoding="utf-8")
    export = model.commands["export"]
    refused = CliRunner().invoke(export, command[2:], obj=context)
    assert "texts.txt: no text in it" in str(refused.exception)
    file.write_text("\n".join(TITLES), encoding="utf-8")
    done = CliRunner().invoke(export, command[2:], obj=context)
    assert json.loads(done.stdout)["origin"]["int8"] == "static"
    assert board.store.find("measured").origin["parity"]["int8_mean"] >= 0.98


def test_a_training_measures_its_static_twin(board: Board) -> None:
    settings = board.settings(training={"epochs": 1, "int8": "static"})
    train(settings, items, events)
    assert board.store.find("board").origin["int8"] == "static"


def test_a_head_is_kept_from_what_eight_bits_lose(board: Board) -> None:
    head = {"method": "head", "epochs": 1}
    with pytest.raises(ConfigError, match="leave int8 out"):
        board.settings(training={**head, "int8": "static"})
    train(board.settings(training=head), items, events)
    found = board.store.find("board")
    assert found.origin["int8"] == "blocks"
    assert found.origin["parity"]["int8_mean"] >= LEAST_INT8_HEAD
    settings = board.settings(encoder={"precision": "int8", "query_precision": "int8"})
    for encoder in (item_encoder(found, settings), query_encoder(found, settings)):
        vectors = encoder.encode_users(TITLES)
        assert (vectors * Encoder(found).encode_users(TITLES)).sum(axis=1).mean() > 0.999


def test_int8_that_loses_much_behind_a_head_is_not_opened(board: Board) -> None:
    train(board.settings(training={"method": "head", "epochs": 1}), items, events)
    found = board.store.find("board")
    # what an earlier version made, and fp32 as ever
    parity = {"fp32_least": 1.0, "int8_mean": 0.9867}
    earlier = replace(found, origin={**found.origin, "parity": parity})
    query_encoder(earlier, board.settings())
    for name, open_encoder in (("precision", item_encoder), ("query_precision", query_encoder)):
        with pytest.raises(BundleError, match=r"0\.9867 .* at least 0\.995") as refused:
            open_encoder(earlier, board.settings(encoder={name: "int8"}))
        assert f'encoder.{name} = "fp32"' in str(refused.value.hint)
    silent = replace(found, origin={**found.origin, "parity": "good"})
    with pytest.raises(BundleError, match=r"mean cosine of \? with"):
        query_encoder(silent, board.settings(encoder={"query_precision": "int8"}))


def test_sizes_answer_the_same_questions(board: Board, tiny: Bundle) -> None:
    found = measure_sizes(
        board.settings(), items, events, tiny, split="dev", dimensions=(128, 400, 8, 4)
    )
    assert [(one.precision, one.dimension) for one in found.sizes] == [
        (precision, dimension)
        for precision in ("fp32", "int8 dynamic", "int8 static", "int8 blocks")
        for dimension in (128, 8, 4)
    ]
    asked = read_dataset(board.settings(), items, events).dev
    assert (found.users, found.items) == (len(asked), 16)
    whole = found.sizes[0]
    assert whole.change.mean == whole.change.low == whole.change.high == 0
    assert whole.model_bytes == (tiny.folder / MODEL).stat().st_size
    for one in found.sizes:
        change = one.metrics["ndcg@10"] - whole.metrics["ndcg@10"]
        assert one.change.mean == pytest.approx(change)
        assert one.change.low <= one.change.mean <= one.change.high
        assert one.vector_bytes == 16 * 4 * one.dimension
        assert (one.model_bytes < whole.model_bytes) == (one.precision != "fp32")
        assert one.texts_per_second > 0
    assert len({one.metrics["ndcg@10"] for one in found.sizes}) > 1


def test_sizes_of_a_bound_bundle_are_cut_from_its_own_projection(
    board: Board, tiny: Bundle, opensearch_latest: NodeInfo, index_name: str
) -> None:
    settings = board.settings(
        encoder={"bundle": str(tiny.folder)}, index={"alias": index_name},
        cluster={"url": opensearch_latest.url},
    )  # fmt: skip
    cluster = Cluster(opensearch_latest.url, retries=2)
    report = build(cluster, settings, inputs(settings, None, Problems("stop")))
    bound = board.store.by_fingerprint(report.fingerprint)
    found = measure_sizes(settings, items, events, bound, split="test", dimensions=(8,))
    free = measure_sizes(settings, items, events, tiny, split="test", dimensions=(8,))
    assert [one.metrics for one in found.sizes[:2]] == [one.metrics for one in free.sizes[:2]]


def test_the_table_of_sizes(board: Board, tiny: Bundle) -> None:
    sizes = model.commands["sizes"]
    context = Context(lambda: board.settings(encoder={"bundle": str(tiny.folder)}), json=False)
    done = CliRunner().invoke(sizes, ["--dimension", "8"], obj=context)
    assert done.exception is None
    lines = done.stdout.splitlines()
    assert lines[1].split()[0] == "asked"
    assert lines[1].rstrip().endswith("users, 16 items")
    assert [line.split()[0] for line in lines[4:]] == ["fp32", "fp32"] + ["int8"] * 6


def test_leading_parts_learn_along_and_are_indexed(
    board: Board, opensearch_latest: NodeInfo, index_name: str
) -> None:
    settings = board.settings(training={"matryoshka": [8, 32]})
    report = train(settings, items, events)
    assert report.test["hr@1"] >= 0.95
    cluster = Cluster(opensearch_latest.url, retries=2)
    for dimension in (8, 32, 128):
        chosen = board.settings(
            training={"matryoshka": [8, 32]},
            encoder={"bundle": "board", "dimension": None if dimension == 128 else dimension},
            index={"alias": index_name},
            cluster={"url": opensearch_latest.url},
        )
        built = build(cluster, chosen, inputs(chosen, None, Problems("stop")))
        properties = cluster.request("GET", f"/{built.index}/_mapping")[built.index]
        vector = properties["mappings"]["properties"]["vector"]
        assert vector["dimension"] == dimension
        own, *liked = [one["item_id"] for one in board_items() if colour(one["item_id"]) == 0]
        found = Recommender(cluster, chosen).recommend(history=liked, size=3, tail_share=0.0)
        assert found.ids[0] == own
