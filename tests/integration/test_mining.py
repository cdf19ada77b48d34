"""Hard negatives from a live index: who they are, and that a model learns with them."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from seealso.cluster import Cluster
from seealso.datasets.dataset import Dataset, read_dataset
from seealso.errors import ClusterError, DataError
from seealso.indexer.inputs import inputs
from seealso.readers import Problems
from seealso.training import load_backbone
from seealso.training.examples.negatives import mine, neighbours_of
from seealso.training.examples.pairs import history_pairs
from seealso.training.learning.context import LearningContext
from seealso.training.learning.head import learn_head
from seealso.training.learning.trainer import Evaluator
from seealso.training.train import train
from tests.bundles import tiny_source
from tests.clubs import BOOKS, Clubs
from tests.library import Library

TRAINING = {
    "backbone": tiny_source(),
    "method": "head",
    "hard_negatives": 2,
    "batch": 16,
    "epochs": 2,
    "learning_rate": 1e-3,
    "max_length": 16,
    "tracking": "none",
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def library(opensearch_latest, tiny, tmp_path_factory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("negatives")
    made = Library.found(folder, opensearch_latest.url, f"t-{folder.name}", tiny)
    made.build()
    yield made
    made.close()


def settings_of(library: Library, folder: Path, **more: object):
    return library.changed(training={**TRAINING, "folder": folder / "training", **more})


def material_of(library: Library, folder: Path) -> Dataset:
    settings = settings_of(library, folder)
    source = inputs(settings, None, Problems("stop"))
    return read_dataset(settings, source.items, source.events)


def users(dataset: Dataset, item: int) -> set[int]:
    return {user for user, items in enumerate(dataset.sequences) if item in items}


def test_neighbours_are_alike_and_were_not_chosen_together(library, tmp_path):
    dataset = material_of(library, tmp_path)
    found = mine(library.cluster, library.alias, dataset, most=8)
    chosen = {item for sequence in dataset.sequences for item in sequence}
    assert set(found) <= chosen
    assert len(found) > len(chosen) / 2
    ids = dataset.catalogue.ids
    weighted = np.array([library.documents[one]["vector"] for one in ids])
    for item, alike in found.items():
        assert len(set(alike)) == len(alike) <= 8
        assert item not in alike
        apart = [
            one
            for one in range(len(ids))
            if one != item and users(dataset, item).isdisjoint(users(dataset, one))
        ]
        assert set(alike) <= set(apart)
        # the first is the nearest of all others, as the index ranks them
        scores = weighted @ library.vector(ids[item])
        assert scores[alike[0]] == pytest.approx(max(scores[apart]), abs=1e-5)


def test_words_find_what_vectors_do_not_bring_first(library, tmp_path):
    dataset = material_of(library, tmp_path)
    found = mine(library.cluster, library.alias, dataset, most=2)
    texts = [set(text.lower().split()) for text in dataset.catalogue.texts]
    shared = [
        len(texts[item] & texts[alike[1]]) for item, alike in found.items() if len(alike) == 2
    ]
    assert len(shared) > len(found) / 2
    # "the" and "number" are in most titles; place or kind as well are in the nearest ones
    assert np.mean(shared) > 2.5


def test_a_run_that_goes_on_keeps_its_negatives(library, tmp_path):
    dataset, settings = material_of(library, tmp_path), settings_of(library, tmp_path)
    first = neighbours_of(library.cluster, settings, dataset, tmp_path)
    # no cluster is asked any more
    assert neighbours_of(None, settings, dataset, tmp_path) == first


@pytest.mark.parametrize("loss", ["softmax", "cosine", "bce"])
def test_a_head_learns_with_them(library, tmp_path, loss):
    dataset = material_of(library, tmp_path)
    settings = settings_of(library, tmp_path, loss=loss)
    neighbours = neighbours_of(library.cluster, settings, dataset, tmp_path)
    study = LearningContext(settings, dataset, neighbours=neighbours)
    backbone = load_backbone(tiny_source(), pooling="auto", max_length=16)
    frozen = study.encode(backbone, "encoding")
    with_them = learn_head(study, backbone, frozen, tmp_path / "with")
    without = learn_head(
        LearningContext(settings_of(library, tmp_path, loss=loss, hard_negatives=0), dataset),
        backbone,
        frozen,
        tmp_path / "without",
    )
    assert np.isfinite(with_them.raw).all()
    assert with_them.steps == without.steps
    assert np.abs(with_them.raw - without.raw).max() > 1e-4


def test_hard_negatives_end_further_away_than_without_them(tmp_path, monkeypatch):
    # every epoch counts, whatever dev says of it
    better = count(1)
    monkeypatch.setattr(Evaluator, "__call__", lambda *_, **__: {"ndcg@10": next(better) / 1000})
    # so warm that the loss is still interested in what is far away already
    clubs = Clubs.found(
        tmp_path, tracking="none", epochs=24, temperature=1.0, learning_rate=1e-2, popularity=0.0
    )
    dataset = read_dataset(clubs.settings(), clubs.source.items, clubs.source.events)
    items = len(dataset.catalogue.ids)
    neighbours = {n: [(n + BOOKS) % items, (n + 2 * BOOKS) % items] for n in range(items)}
    backbone = load_backbone(tiny_source(), pooling="auto", max_length=16)

    def alike(hard: int) -> float:
        study = LearningContext(clubs.settings(hard_negatives=hard), dataset, neighbours=neighbours)
        frozen = study.encode(backbone, "encoding")
        raw = learn_head(study, backbone, frozen, tmp_path / str(hard)).raw
        pairs = history_pairs(dataset.sequences, 1)
        return float(np.mean([raw[neighbours[one.positive]] @ raw[one.anchor[0]] for one in pairs]))

    assert alike(2) < alike(0) - 0.02


def test_train_mines_the_live_index(library, tmp_path):
    settings = settings_of(library, tmp_path)
    source = inputs(settings, None, Problems("stop"))
    report = train(settings, source.items, source.events, library.cluster)
    assert report.steps > 0
    assert report.dev_users > 0


def test_without_a_live_index_they_are_refused(library, tmp_path):
    dataset = material_of(library, tmp_path)
    with pytest.raises(ClusterError, match="no index is live") as caught:
        mine(library.cluster, "t-nothing-is-here", dataset, most=8)
    assert "seealso index build" in caught.value.hint


def test_an_index_of_another_catalogue_is_refused(library, tmp_path):
    clubs = Clubs.found(tmp_path)
    dataset = read_dataset(clubs.settings(), clubs.source.items, clubs.source.events)
    with pytest.raises(DataError, match="has none of the 48 items"):
        mine(library.cluster, library.alias, dataset, most=8)


def test_a_refused_search_is_one_clear_line(library, tmp_path, monkeypatch):
    request = Cluster.request

    def broken(self, method, path, body=None, *more, **named):
        if path == "/_msearch":
            body = body.replace(b'"match"', b'"mismatch"')
        return request(self, method, path, body, *more, **named)

    monkeypatch.setattr(Cluster, "request", broken)
    with pytest.raises(ClusterError) as caught:
        mine(library.cluster, library.alias, material_of(library, tmp_path), most=8)
    assert "mismatch" in caught.value.message
    assert "\n" not in caught.value.message
