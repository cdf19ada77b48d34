"""Comparing bundles: the same ranks as a loop by hand, intervals as by drawing users, segments."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from seealso.config import Settings, TextSettings, load_settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset, read_dataset
from seealso.datasets.intervals import estimate
from seealso.datasets.questions import Question
from seealso.datasets.ranks import gains, metrics
from seealso.encoder import (
    Bundle,
    BundleStore,
    Collaborative,
    Encoder,
    History,
    Projection,
    bind,
    fit_projection,
)
from seealso.evaluation.comparison import BundleRanker, compare
from seealso.evaluation.segments import segments, thirds
from seealso.readers import EVENT_SCHEMA
from seealso.types import Item, Vector

GENRES = ("horror", "comedy", "western", "poetry", "travel", "cooking")
EACH = 8
USERS = 60


def items() -> Iterator[list[Item]]:
    """Yield books whose titles tell their genre, in two batches, and one without a title."""
    every = [
        Item(f"{genre}{n}", {"title": f"{genre} {genre} number {n}", "shelf": f"shelf {n}"})
        for n in range(EACH)
        for genre in GENRES
    ]
    yield every[:20]
    yield [*every[20:], Item("silent", {"title": ""})]


def events() -> list[pl.DataFrame]:
    """Return what the users chose: five books of one genre each, the first ones most often."""
    rng = np.random.default_rng(5)
    rows = []
    for user in range(USERS):
        genre = GENRES[user % len(GENRES)]
        chosen = rng.choice(EACH, size=5 + user % 3, replace=False, p=POPULAR)
        rows += [(f"u{user:02}", f"{genre}{n}", "view", 1.0, None) for n in chosen]
    columns = ["user_id", "item_id", "type", "value", "time"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return [frame.cast(dict(EVENT_SCHEMA)).select(list(EVENT_SCHEMA))]


POPULAR = np.arange(EACH, 0, -1) / np.arange(EACH, 0, -1).sum()


def settings(**sections: dict[str, Any]) -> Settings:
    quiet: dict[str, Any] = {"cache": False, "threads": 1}
    return load_settings(None, {**sections, "encoder": {**quiet, **sections.get("encoder", {})}})


@pytest.fixture
def blurred(tiny: Bundle, tmp_path: Path) -> Bundle:
    """A bundle that tells little apart: its vectors are cut to two random directions."""
    rng = np.random.default_rng(0)
    projection = Projection(
        np.zeros(128, dtype=np.float32), rng.normal(size=(128, 2)).astype(np.float32)
    )
    return bind(tiny, text=TextSettings(), projection=projection, store=BundleStore(tmp_path))


def naive(profiles: Vector, vectors: Vector, asked: list[Question]) -> list[int]:
    """Return the ranks by a loop over every user and item."""
    ranks = []
    for profile, question in zip(profiles, asked, strict=True):
        scores = {
            place: float(vectors[place] @ profile)
            for place in range(len(vectors))
            if place not in set(question.seen.tolist())
        }
        ranks.append(sum(score >= scores[question.target] for score in scores.values()))
    return ranks


def histories(vectors: Vector, asked: list[Question]) -> Vector:
    weights = 0.8 ** np.arange(50)
    return np.stack(
        [weights[: len(q.history)] @ vectors[q.history] for q in asked]
    ).astype(np.float32)  # fmt: skip


@pytest.fixture
def dataset() -> Dataset:
    return read_dataset(settings(), items, events)


def encoded(bundle: Bundle, texts: tuple[str, ...]) -> Vector:
    return Encoder(bundle, threads=1).raw_items(texts)


@pytest.mark.parametrize(
    ("bundle_whitens", "asked", "whitened"),
    # 48 texts are too few for 128 dimensions, unless a person says so
    [(True, None, False), (False, None, False), (False, True, True)],
)
def test_an_unbound_bundle_is_projected_as_a_build_would(
    tiny: Bundle, dataset: Dataset, bundle_whitens: bool, asked: bool | None, whitened: bool
) -> None:
    bundle = replace(tiny, whiten=bundle_whitens)
    chosen = settings(encoder={"whiten": asked})
    ranks, how = BundleRanker(chosen, dataset, items, bundle).ranks(dataset.dev)
    raw = encoded(tiny, dataset.catalogue.texts)
    vectors = fit_projection(raw, whiten=True, dimension=None).apply(raw) if whitened else raw
    assert ranks.tolist() == naive(histories(vectors, [*dataset.dev]), vectors, [*dataset.dev])
    assert how.projection == ("whitened" if whitened else "none")


def test_a_fitted_bundle_asks_as_the_query_does(
    tiny: Bundle, dataset: Dataset, tmp_path: Path
) -> None:
    rng = np.random.default_rng(6)
    ids = dataset.catalogue.ids
    factors = rng.normal(size=(len(ids), 4)).astype(np.float32)
    predictor = rng.normal(size=(128, 4)).astype(np.float32)
    gram = factors.T.astype(np.float64) @ factors + np.eye(4)
    part = Collaborative(ids, factors, gram, predictor, 1.0, 40.0, 0.5, 1.0)
    fitted = replace(tiny, fitted={"profile": {"recency": 0.5}})
    bound = bind(
        fitted,
        text=TextSettings(),
        projection=None,
        collaborative=part,
        store=BundleStore(tmp_path),
    )
    ranks, how = BundleRanker(settings(), dataset, items, bound).ranks(dataset.dev)
    assert [note.partition(" was ")[2] for note in how.notes] == [
        "fitted on all events: it has learnt the answers"
    ]
    texts = encoded(tiny, dataset.catalogue.texts)
    joined = part.join(ids, texts)
    users = []
    for question in dataset.dev:
        ages = np.arange(len(question.history))
        told = 0.5**ages @ texts[question.history]
        unit = (told / np.linalg.norm(told)).astype(np.float32)
        history = [History(np.array(question.history), ages)]
        users.append(part.user_vectors(unit[None], joined, history, np.zeros(1)))
    assert ranks.tolist() == naive(np.vstack(users), joined, [*dataset.dev])


def test_the_settings_decide_over_the_bundle(tiny: Bundle, dataset: Dataset) -> None:
    chosen = settings(encoder={"whiten": False, "dimension": 16})
    contest = BundleRanker(chosen, dataset, items, tiny)
    ranks, how = contest.ranks(dataset.dev)
    raw = encoded(tiny, dataset.catalogue.texts)
    vectors = fit_projection(raw, whiten=False, dimension=16).apply(raw)
    assert ranks.tolist() == naive(histories(vectors, [*dataset.dev]), vectors, [*dataset.dev])
    assert how.projection == "cut"


def test_a_bound_bundle_reads_with_its_own_templates(
    tiny: Bundle, dataset: Dataset, tmp_path: Path
) -> None:
    text = TextSettings(
        item="{{ title | upper }}", views={"place": "{{ shelf }}"}, weights={"place": 0.5}
    )
    bound = bind(tiny, text=text, projection=None, store=BundleStore(tmp_path))
    ranks, how = BundleRanker(settings(), dataset, items, bound).ranks(dataset.dev)
    titles = encoded(tiny, tuple(one.upper() for one in dataset.catalogue.texts))
    shelves = encoded(tiny, tuple(f"shelf {name[-1]}" for name in dataset.catalogue.ids))
    vectors = titles + 0.5 * shelves
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert ranks.tolist() == naive(histories(vectors, [*dataset.dev]), vectors, [*dataset.dev])
    assert how.projection == "none"


def test_profiles_can_be_texts(blurred: Bundle, dataset: Dataset) -> None:
    chosen = settings(profile={"history_as": "text", "history_items": 2})
    ranks, _ = BundleRanker(chosen, dataset, items, blurred).ranks(dataset.dev)
    encoder, texts = Encoder(blurred, threads=1), dataset.catalogue.texts
    told = ["".join(f"{texts[place]}. " for place in q.history[:2]) for q in dataset.dev]
    vectors = encoder.encode_items(texts)
    assert ranks.tolist() == naive(encoder.encode_users(told), vectors, [*dataset.dev])


def test_better_is_better_one_way_only(tiny: Bundle, blurred: Bundle) -> None:
    found = compare(settings(), items, events, blurred, tiny, split="dev")
    whole = found.segments[0]
    assert found.better
    assert whole.users == USERS
    ndcg = whole.differences["ndcg@10"]
    assert 0 < ndcg.low < ndcg.mean < ndcg.high
    for name, difference in whole.differences.items():
        assert difference.mean == pytest.approx(whole.after[name] - whole.before[name])
    assert whole.gained > whole.lost
    back = compare(settings(), items, events, tiny, blurred, split="dev")
    assert not back.better
    assert back.segments[0].before == whole.after
    assert (back.segments[0].gained, back.segments[0].lost) == (whole.lost, whole.gained)
    same = compare(settings(), items, events, tiny, tiny, split="dev")
    assert not same.better
    unchanged = same.segments[0].differences["ndcg@10"]
    assert unchanged.low == unchanged.high == 0


def test_test_asks_something_else(tiny: Bundle, blurred: Bundle, dataset: Dataset) -> None:
    found = compare(settings(), items, events, blurred, tiny, split="test")
    ranks, _ = BundleRanker(settings(), dataset, items, tiny).ranks(dataset.test)
    assert found.split == "test"
    expected = metrics(ranks)
    assert found.segments[0].after["ndcg@10"] == pytest.approx(expected["ndcg@10"])
    assert found.segments[0].after["hr@10"] == expected["hr@10"]
    assert found.segments[0].after["hr@20"] == expected["hr@20"]
    targets = [[question.target for question in one] for one in (dataset.dev, dataset.test)]
    assert targets[0] != targets[1]


def test_who_learnt_from_other_events_is_told(tiny: Bundle, dataset: Dataset) -> None:
    def notes(**origin: object) -> tuple[str, ...]:
        bundle = replace(tiny, origin=origin)
        return BundleRanker(settings(), dataset, items, bundle).ranks(dataset.dev)[1].notes

    assert notes(training={"data": dataset.signature}) == ()
    (note,) = notes(training={"data": "other"})
    assert note.startswith(f"{tiny.name} was fine-tuned on other events")
    assert notes() == ()


def test_a_catalogue_above_the_sample_is_fitted_on_a_part(tiny: Bundle, dataset: Dataset) -> None:
    drawn = settings(encoder={"whiten": True, "sample": 20})
    few = BundleRanker(drawn, dataset, items, tiny).ranks(dataset.dev)[0]
    again = BundleRanker(drawn, dataset, items, tiny).ranks(dataset.dev)[0]
    whole = settings(encoder={"whiten": True})
    every = BundleRanker(whole, dataset, items, tiny).ranks(dataset.dev)[0]
    assert few.tolist() == again.tolist()
    assert few.tolist() != every.tolist()


def test_an_interval_is_that_of_drawing_users() -> None:
    rng = np.random.default_rng(3)
    old, new = rng.integers(1, 30, size=(2, 400))
    paired = gains(new) - gains(old)
    found = estimate(paired, seed=1)
    drawn = paired[rng.integers(0, len(paired), size=(4000, len(paired)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.mean == pytest.approx(paired.mean())
    width = high - low
    assert found.low == pytest.approx(low, abs=0.05 * width)
    assert found.high == pytest.approx(high, abs=0.05 * width)
    assert estimate(paired, seed=1) == found


def test_gains_are_the_ndcg_of_each_user() -> None:
    ranks = np.arange(1, 40)
    assert gains(ranks).mean() == pytest.approx(metrics(ranks)["ndcg@10"])
    assert gains(np.array([1, 3, 10, 11])).tolist() == pytest.approx([1, 0.5, 1 / np.log2(11), 0])


def handmade(counts: list[int], asked: list[tuple[int, int]]) -> Dataset:
    """Return material with so many events of each item; questions are (history, target)."""
    ids = tuple(f"i{n}" for n in range(len(counts)))
    catalogue = Catalogue(ids, ids, {name: n for n, name in enumerate(ids)}, 0)
    most = max(counts)
    sequences = [tuple(n for n, c in enumerate(counts) if c > user) for user in range(most)]
    questions = [
        Question(np.zeros(length, dtype=np.int64), target, np.zeros(1, dtype=np.int64))
        for length, target in asked
    ]
    return Dataset(catalogue, sequences, questions, questions, "0")


def test_thirds_hold_a_third_of_the_events_each() -> None:
    #                    of 18 events: 0-6, 6-9, 9-12, 12-15, 15-17, 17-18, none
    assert thirds(handmade([6, 3, 3, 3, 2, 1, 0], [])).tolist() == [0, 1, 1, 2, 2, 2, 2]
    assert thirds(handmade([0, 1, 6, 3, 2, 3, 3], [])).tolist() == [2, 2, 0, 1, 2, 1, 2]
    # an item that holds nearly all is head; what is left is tail
    assert thirds(handmade([10, 1, 0], [])).tolist()[1:] == [2, 2]


def test_segments_part_the_users() -> None:
    made = handmade([6, 3, 3, 3, 2, 1, 0], [(1, 0), (2, 1), (3, 6), (9, 2), (2, 4)])
    found = {name: places.tolist() for name, places in segments(made, made.dev)}
    assert found == {
        "all": [0, 1, 2, 3, 4],
        "head items": [0],
        "middle items": [1, 3],
        "tail items": [2, 4],
        "histories of up to 2": [0, 1, 4],
        "histories of more than 2": [2, 3],
    }


def test_a_part_without_users_is_left_out() -> None:
    made = handmade([6, 3, 3, 3, 2, 1, 0], [(1, 0), (1, 0)])
    names = [name for name, _ in segments(made, made.dev)]
    assert names == ["all", "head items", "histories of up to 1"]


def test_it_needs_no_torch() -> None:
    code = (
        "import sys; import seealso.evaluation.comparison, seealso.cli.model; "
        "print({name.split('.')[0] for name in sys.modules} "
        "& {'torch', 'transformers', 'sentence_transformers', 'onnx', 'datasets'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "set()"
