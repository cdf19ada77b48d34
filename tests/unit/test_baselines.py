"""Each baseline against a few lines of numpy that do the same the long way."""

import math
from collections import Counter

import numpy as np
import pytest

from seealso.config import load_settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.errors import ConfigError
from seealso.evaluation import BASELINES
from seealso.evaluation.baselines import baselines
from seealso.evaluation.protocols import EvaluationProtocol, Holdout
from seealso.evaluation.tuning import Baseline, Dev, search
from seealso.models.bm25 import fit_bm25
from seealso.models.ease import fit_ease
from seealso.models.histories import build_interactions, weigh_histories
from seealso.models.ials import fit_ials
from seealso.models.item_knn import fit_item_knn
from seealso.models.popularity import Popularity, fit_popularity
from seealso.models.similarity import keep_strongest
from seealso.models.text import VectorModel, open_text_model
from seealso.readers import Pseudonyms
from tests.training_data import events, items

SEQUENCES = [(0, 1, 2), (1, 2), (0, 1), (2, 3), (3,), (0, 1, 3)]
TEXTS = ("red fox", "red red hen", "blue fox", "green fox tree", "grey")
N = 5


def dataset(sequences=SEQUENCES, texts=TEXTS):
    ids = tuple(f"i{n}" for n in range(len(texts)))
    catalogue = Catalogue(ids, texts, {name: n for n, name in enumerate(ids)}, 0)
    return Dataset(catalogue, sequences, [], [], "")


def question(*history, target=4):
    return Question(np.array(history, dtype=np.int64), target, np.array(history, dtype=np.int64))


def dense():
    table = np.zeros((len(SEQUENCES), N))
    for user, sequence in enumerate(SEQUENCES):
        table[user, list(sequence)] = 1
    return table


def weights(recency, *histories):
    return weigh_histories([question(*one) for one in histories], N, recency)


def test_interactions_are_ones_even_where_an_item_stands_twice():
    found = build_interactions([(0, 2, 0), (), (1,)], 3).toarray()
    assert found.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


def test_a_profile_weighs_the_newest_item_most():
    found = weights(0.5, (3, 0, 1), (2,)).toarray()
    assert found.tolist() == [[0.5, 0.25, 0, 1, 0], [0, 0, 1, 0, 0]]


def test_the_strongest_entries_are_kept_without_the_diagonal():
    table = np.array([[9, 2, 1], [3, 9, 0], [1, -2, 9]], dtype=np.float32)
    found = keep_strongest(lambda one: table[one].copy(), 3, k=1).toarray()
    assert found.tolist() == [[0, 2, 0], [3, 0, 0], [1, 0, 0]]


def test_popularity_counts_events_whoever_asks():
    found = fit_popularity(dataset(), {}).scores(weights(1.0, (0,), (3,)))
    assert found.tolist() == [[3, 4, 3, 3, 0]] * 2


@pytest.mark.parametrize("shrink", [0.0, 10.0])
def test_item_knn_is_a_shrunk_cosine_of_columns(shrink):
    table = dense()
    both = table.T @ table
    length = np.sqrt(both.diagonal())
    with np.errstate(invalid="ignore", divide="ignore"):
        similarity = np.nan_to_num(both / (np.outer(length, length) + shrink))
    np.fill_diagonal(similarity, 0)
    expected = 1.0 * similarity[1] + 0.5 * similarity[3]
    found = fit_item_knn(dataset(), {"k": 5, "shrink": shrink}).scores(weights(0.5, (1, 3)))[0]
    kept = expected > 0
    assert found[kept] == pytest.approx(expected[kept])
    assert np.isneginf(found[~kept]).all()


def test_ease_is_its_closed_form():
    table = dense()
    inverse = np.linalg.inv(table.T @ table + 3.0 * np.eye(N))
    expected = -inverse / inverse.diagonal()
    np.fill_diagonal(expected, 0)
    found = fit_ease(dataset(), {"regularisation": 3.0}).scores(weights(1.0, (1, 3)))[0]
    assert found[:4] == pytest.approx((expected[1] + expected[3])[:4], abs=1e-5)
    # nobody chose the last item: EASE cannot rank it
    assert np.isneginf(found[4])


def test_ials_folds_a_history_in_as_least_squares_over_all_items_does():
    chosen = {"factors": 3, "alpha": 4.0, "regularisation": 0.7}
    model = fit_ials(dataset(), chosen)
    w = weights(0.5, (1, 3))
    v = model.items.astype(np.float64)
    confidence = np.diag(1 + 4.0 * w.toarray()[0])
    wanted = (w.toarray()[0] > 0).astype(float)
    expected = np.linalg.solve(v.T @ confidence @ v + 0.7 * np.eye(3), v.T @ confidence @ wanted)
    assert model.users(w)[0] == pytest.approx(expected, abs=1e-4)
    assert model.scores(w)[0] == pytest.approx(v @ expected, abs=1e-4)


def test_ridge_foretells_the_factors_of_items_without_events(tiny):
    settings = load_settings(None, {"encoder": {"bundle": str(tiny.folder), "cache": False}})
    frozen, known = open_text_model(settings), dataset()
    chosen = {"factors": 3, "alpha": 4.0, "regularisation": 0.7, "ridge": 0.5}
    model = frozen.fit_ridge(known, chosen)
    assert model.items[:4] == pytest.approx(fit_ials(known, chosen).items[:4], abs=1e-4)
    x = frozen.whitened(known).astype(np.float64)
    penalty = np.sqrt(0.5) * np.eye(x.shape[1])
    solved = np.linalg.lstsq(
        np.vstack([x[:4], penalty]), np.vstack([model.items[:4], np.zeros((len(penalty), 3))])
    )[0]
    assert model.items[4] == pytest.approx(x[4] @ solved, abs=1e-3)


def test_ials_learns_what_goes_together():
    sides = [(0, 1, 2), (0, 2), (1, 2), (0, 1)] * 5 + [(3, 4), (4, 3)] * 5
    chosen = {"factors": 2, "alpha": 10.0, "regularisation": 0.1}
    found = fit_ials(dataset(sides), chosen).scores(weights(1.0, (0,), (3,)))
    assert found[0, 1:3].min() > found[0, 3:].max()
    assert found[1, 4] > found[1, :3].max()


def test_bm25_is_the_sum_over_the_terms_of_the_history():
    k1, b = 1.2, 0.75
    words = [text.split() for text in TEXTS]
    mean = sum(map(len, words)) / N
    holding = Counter(word for one in words for word in set(one))

    def weight(word, place):
        times = words[place].count(word)
        idf = math.log(1 + (N - holding[word] + 0.5) / (holding[word] + 0.5))
        return idf * times / (times + k1 * (1 - b + b * len(words[place]) / mean))

    def score(place):
        parts = (1.0, words[1]), (0.5, words[2])
        own = {1: 1, 2: 0}
        return sum(
            w * sum(weight(word, place) for word in query)
            for number, (w, query) in enumerate(parts)
            # an item is no neighbour of its own
            if own.get(place) != 1 - number
        )

    found = fit_bm25(dataset(), {"k1": k1, "b": b}).scores(weights(0.5, (1, 2)))[0]
    for place in (0, 3):
        assert found[place] == pytest.approx(score(place), rel=1e-5)
    assert np.isneginf(found[4])


def test_directions_rank_by_inner_product_with_the_weighted_sum():
    vectors = np.random.default_rng(1).normal(size=(N, 4)).astype(np.float32)
    found = VectorModel(vectors).scores(weights(0.5, (2, 0)))[0]
    assert found == pytest.approx(vectors @ (vectors[2] + 0.5 * vectors[0]), abs=1e-5)


class Guess:
    """Shows the item whose number is the chosen setting, to those whose recency it likes."""

    def __init__(self, dataset, chosen):
        self.chosen = chosen

    def scores(self, weigh_histories):
        found = np.zeros(weigh_histories.shape, dtype=np.float32)
        found[:, int(self.chosen["a"])] = 1
        found[:, int(self.chosen["b"])] += 2 if weigh_histories.data.min() == 0.5 else 0
        return found


def test_the_search_takes_one_parameter_after_the_other_and_the_best_recency():
    ticks = []
    dev = [question(0, 1, target=3)]
    grid = {"a": (2, 4), "b": (2, 3, 4)}
    found = search(Guess, grid, (1.0, 0.5), Dev(dataset(), dev), ticks.append)
    assert found.chosen == {"a": 2, "b": 3}
    assert (found.recency, found.ndcg) == (0.5, 1.0)
    assert len(ticks) == 4


def test_a_baseline_that_reads_nothing_is_not_tuned_on_cold_items():
    fitted = []

    def fit(known, chosen):
        fitted.append(dict(chosen))
        return fit_popularity(known, chosen)

    dev = [question(0, target=4)]
    protocol = EvaluationProtocol("cold", dev, None, [("all", np.arange(1))])
    cold = np.array([False] * 4 + [True])
    holdout = Holdout(dataset(), dev, "leave-one-out", cold, (protocol,))
    with Baseline("b", fit, {"a": (1, 2)}).build(holdout) as (entrant,):
        assert entrant.tuned.tried == 1
    assert fitted == [{"a": 1}]
    fitted.clear()
    with Baseline("b", fit, {"a": (1, 2)}, reads=True).build(holdout) as (entrant,):
        assert entrant.tuned.tried == 16
        assert set(entrant.tuned.settings) == {"a", "recency"}
    assert fitted == [{"a": 1}, {"a": 2}]


def test_settings_are_chosen_apart_for_a_ranking_of_some_items():
    dev = [question(0, target=3)]
    everyone = [("all", np.arange(1))]
    some = np.array([False, False, False, True, True])
    protocols = (
        EvaluationProtocol("cold", dev, None, everyone),
        EvaluationProtocol("cold among cold", dev, some, everyone),
    )
    holdout = Holdout(dataset(), dev, "leave-one-out", some, protocols)

    def fit(known, chosen):
        # the target is second to an item that is no rival among some
        scores = [0, 3, 0, 2, 1] if chosen["a"] == 2 else [0, 1, 0, 2, 3]
        return Popularity(np.array(scores, dtype=np.float32))

    baseline = Baseline("b", fit, {"a": (1, 2)}, recencies=(1.0,), reads=True)
    with baseline.build(holdout) as (whole, part):
        assert (whole.takes_part("cold"), whole.takes_part("cold among cold")) == (True, False)
        assert (part.takes_part("cold"), part.takes_part("cold among cold")) == (False, True)
        assert whole.tuned.settings == {"a": 1}
        assert part.tuned.settings == {"a": 2}
        assert (whole.tuned.dev, part.tuned.dev) == (pytest.approx(1 / math.log2(3)), 1.0)


def test_every_baseline_has_a_name_and_no_other_has_one(tiny):
    settings = load_settings(None, {"encoder": {"bundle": str(tiny.folder), "cache": False}})
    assert [one.name for one in baselines(settings)] == list(BASELINES)
    with pytest.raises(ConfigError, match="baseline 'svd': there is none"):
        baselines(settings, ["svd"])


@pytest.mark.parametrize("name", ["itemknn", "ease", "ials"])
def test_the_board_is_learnt(name, tiny):
    from seealso.evaluation.evaluate import evaluate

    settings = load_settings(None, {"encoder": {"bundle": str(tiny.folder), "cache": False}})
    found = evaluate(
        settings,
        items,
        events,
        baselines(settings, [name]),
        protocols=["leave-one-out"],
        split="test",
    )
    (protocol,) = found.protocols
    # one item of the colour is left for each user: whoever knows the colour has it first
    assert protocol.score(name).metrics["ndcg@10"].mean == 1.0
    assert (protocol.users, protocol.items) == (24, 16)


def test_users_are_not_named_in_what_is_found(tiny):
    from seealso.evaluation.evaluate import evaluate

    settings = load_settings(None, {"encoder": {"bundle": str(tiny.folder), "cache": False}})
    names = Pseudonyms(b"a key of this test and of no other")
    ids = {user for frame in events() for user in frame["user_id"].unique()}

    def read(**chosen):
        found = evaluate(
            settings, items, events, baselines(settings, ["ease"]), protocols=["leave-one-out"],
            split="test", **chosen,
        )  # fmt: skip
        return {one.user_id for one in found.protocols[0].examples}

    assert read(names=names) <= {names.of(user) for user in ids}
    drawn = read()
    assert drawn
    assert not drawn & ({names.of(user) for user in ids} | ids)
