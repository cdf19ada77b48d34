"""SASRec where the right answer is known, what it may see, and where it is left out."""

import math
import sys
from itertools import count
from random import Random

import numpy as np
import pytest
import torch
from torch.nn import functional

from seealso.config import load_settings
from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.datasets.questions import Question
from seealso.datasets.ranks import gains
from seealso.errors import MissingExtraError
from seealso.evaluation.baselines import baselines
from seealso.evaluation.evaluate import evaluate
from seealso.evaluation.protocols import EvaluationProtocol, Holdout
from seealso.evaluation.sequences import Limits, SequenceBaseline
from seealso.evaluation.systems import LeftOut
from seealso.evaluation.tuning import Baseline
from seealso.models.popularity import fit_popularity
from seealso.training.sequences import learning
from seealso.training.sequences.batches import FILL, draw_batches, fill_up
from seealso.training.sequences.learning import SequenceConfig, learn_sequences, sampled_softmax
from seealso.training.sequences.network import SasRec
from tests.training_data import events, items

ROUND = 60
"""Items that stand in a circle."""
UNCHOSEN = ROUND
"""Position of an item that nobody chose."""
USERS = 400
ONE_SETTING = {"dropout": (0.1,), "dimension": (32,), "length": (8,)}


def walks():
    """Return walks around the circle, by steps of one or of three places.

    The last two items tell the next one, the last one alone does not.
    """
    rng = Random(5)
    found = []
    for _ in range(USERS):
        start, step = rng.randrange(ROUND), rng.choice((1, 3))
        found.append([(start + step * place) % ROUND for place in range(7)])
    return found


def holdout(most=USERS):
    """Return the walks, the next step of each being asked for."""
    ids = tuple(f"i{n}" for n in range(ROUND + 1))
    catalogue = Catalogue(ids, ids, {name: n for n, name in enumerate(ids)}, 0)
    told = walks()[:most]
    dev = [
        Question(np.array(one[-2::-1]), one[-1], np.array(one[:-1]), f"u{n}")
        for n, one in enumerate(told)
    ]
    dataset = Dataset(catalogue, [tuple(one[:-1]) for one in told], dev, [], "")
    protocol = EvaluationProtocol("leave-one-out", dev, None, [("all", np.arange(len(dev)))])
    return Holdout(dataset, dev, "leave-one-out", np.zeros(ROUND + 1, dtype=bool), (protocol,))


def ndcg(system, asked):
    return float(gains(system.target_ranks(asked.dev)).mean())


def network(**changes):
    torch.manual_seed(3)
    return SasRec(**{"items": 30, "dimension": 16, "length": 6, "dropout": 0.0, **changes}).eval()


SMALL = SequenceConfig(16, 8, 0.2)


def learn(config=SMALL, sequences=None):
    # two epochs: dev is no better after the second
    found = iter((0.5, 0.4))
    ended = []

    def after_epoch(epoch, _ndcg):
        ended.append(epoch)

    learnt = learn_sequences(
        walks()[:100] if sequences is None else sequences, ROUND + 1, config,
        seed=7, measure=lambda _model: next(found, 0.3), after_epoch=after_epoch,
    )  # fmt: skip
    return learnt, ended


@pytest.mark.slow
def test_a_next_item_that_the_last_two_tell_is_learnt():
    known = holdout()
    with SequenceBaseline("sasrec", ONE_SETTING, 17).build(known) as (found,):
        assert ndcg(found.system, known) > 0.95
        assert found.tuned.dev == pytest.approx(ndcg(found.system, known))
        assert found.baseline
    with Baseline("popularity", fit_popularity, recencies=(1.0,)).build(known) as (found,):
        assert ndcg(found.system, known) < 0.2


def test_no_place_sees_a_later_item():
    model = network()
    first = torch.tensor([[1, 2, 3, 4, 5, 6]])
    changed = torch.tensor([[1, 2, 3, 4, 9, 8]])
    one, other = (model(each, torch.tensor([6])) for each in (first, changed))
    assert torch.equal(one[:, :4], other[:, :4])
    assert not torch.allclose(one[:, 4:], other[:, 4:])


def test_what_fills_a_batch_up_changes_no_score():
    learnt, _ = learn()
    histories = [np.array([4, 3, 2, 1]), np.array([7]), np.arange(20), np.array([3, UNCHOSEN])]
    together = learnt.model.scores(histories)
    alone = np.concatenate([learnt.model.scores([one]) for one in histories])
    assert together == pytest.approx(alone, abs=1e-5)


def test_items_that_nobody_chose_are_not_ranked_and_tell_nothing():
    learnt, _ = learn()
    found = learnt.model.scores([np.array([3, UNCHOSEN]), np.array([3]), np.array([UNCHOSEN])])
    assert np.isneginf(found[:, UNCHOSEN]).all()
    assert np.isfinite(found[:2, :ROUND]).all()
    assert found[0] == pytest.approx(found[1], abs=1e-6)
    assert np.isneginf(found[2]).all()


def test_only_the_newest_items_of_a_history_are_read():
    learnt, _ = learn(SequenceConfig(16, 3, 0.2))
    whole = learnt.model.scores([np.array([5, 9, 2, 11, 4])])
    assert whole == pytest.approx(learnt.model.scores([np.array([5, 9, 2])]), abs=1e-6)


def test_the_same_input_gives_the_same_network_and_leaves_chance_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    threads = torch.get_num_threads()
    (one, _), (other, _) = learn(), learn()
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == threads
    histories = [np.array([4, 3, 2, 1]), np.array([7])]
    assert np.array_equal(one.model.scores(histories), other.model.scores(histories))
    # nothing to resume from, and nothing that a kill leaves behind
    assert list(tmp_path.iterdir()) == []


def test_the_best_epoch_is_kept_and_learning_ends_when_dev_gains_no_more(monkeypatch):
    monkeypatch.setattr(learning, "PATIENCE", 3)
    learnt, ended = learn()
    assert (learnt.epochs, learnt.ndcg, ended) == (1, 0.5, [1, 2, 3, 4])
    monkeypatch.setattr(learning, "LONGEST", 1)
    first, _ = learn()
    history = [np.array([4, 3])]
    assert np.array_equal(learnt.model.scores(history), first.model.scores(history))


def test_the_loss_is_the_softmax_over_all_items_and_its_sample_is_near_it(monkeypatch):
    model = network(items=400)
    with torch.no_grad():
        model.items.weight.mul_(20)
    batch = fill_up([np.array([1, 2, 3, 4]), np.array([5, 6])])
    wanted = batch[:, 1:]
    read = model(batch[:, :-1].clamp(min=0), (wanted != FILL).sum(dim=1))
    everything = model.score(read[wanted != FILL], torch.arange(400))
    expected = functional.cross_entropy(everything, wanted[wanted != FILL]).item()
    assert sampled_softmax(model, batch).item() == pytest.approx(expected, rel=1e-5)
    monkeypatch.setattr(learning, "NEGATIVES", 100)
    drawn = [sampled_softmax(model, batch).item() for _ in range(100)]
    assert np.std(drawn) > 0
    assert np.mean(drawn) == pytest.approx(expected, rel=0.02)
    # without its correction, a quarter of the items would weigh a quarter
    assert abs(np.mean(drawn) - expected) < math.log(4) / 4


def test_every_item_but_the_first_is_asked_for_once_in_each_pass():
    sequences = [np.arange(23), np.arange(30, 33), np.arange(40, 49)]
    rng = np.random.default_rng(0)
    cuts = set()
    for _ in range(5):
        batches = list(draw_batches(sequences, 5, 24, rng))
        assert all(batch.shape[1] <= 6 and batch.numel() <= 24 for batch in batches)
        rows = [row[row != FILL].tolist() for batch in batches for row in batch]
        asked = sorted(item for row in rows for item in row[1:])
        assert asked == [*range(1, 23), 31, 32, *range(41, 49)]
        assert all(row == list(range(row[0], row[-1] + 1)) for row in rows)
        cuts.add(tuple(sorted(map(tuple, rows))))
    assert len(cuts) > 1


def test_sequences_of_one_item_teach_nothing_and_stop_nothing():
    learnt, ended = learn(sequences=[(3,), (4,)])
    assert len(ended) == learning.PATIENCE + 1
    assert np.isfinite(learnt.model.scores([np.array([3])])[0, [3, 4]]).all()


def test_without_torch_it_is_left_out_and_where_it_is_named_it_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with SequenceBaseline("sasrec", ONE_SETTING, 17, Limits()).build(holdout(5)) as (found,):
        assert found.note == (
            "sasrec is left out: torch is not installed (pip install 'seealso[train]')"
        )
    with (
        pytest.raises(MissingExtraError, match="torch is not installed"),
        SequenceBaseline("sasrec", ONE_SETTING, 17).build(holdout(5)),
    ):
        pass


def test_more_events_than_it_learns_in_minutes_leave_it_out():
    with SequenceBaseline("sasrec", ONE_SETTING, 17, Limits(events=29)).build(holdout(5)) as (
        found,
    ):
        assert found.note == (
            "sasrec is left out: 30 training events are more than the 29 that it learns in "
            "minutes (--baseline sasrec has no limit)"
        )


def test_a_search_whose_time_is_up_ends_with_what_it_tried_and_says_so(monkeypatch):
    clock = count()
    monkeypatch.setattr("seealso.evaluation.sequences.monotonic", lambda: next(clock))
    monkeypatch.setattr(learning, "LONGEST", 10)
    monkeypatch.setattr(learning, "PATIENCE", 10)
    grid = {**ONE_SETTING, "dropout": (0.1, 0.5, 0.3)}
    with SequenceBaseline("sasrec", grid, 17, Limits(seconds=15)).build(holdout(9)) as (found,):
        assert found.notes == ("sasrec: 1 of 3 settings were tried within 0.25 minutes",)
        assert (found.tuned.tried, found.tuned.settings["dropout"]) == (1, 0.1)
    with SequenceBaseline("sasrec", grid, 17, Limits(seconds=6)).build(holdout(9)) as (found,):
        assert isinstance(found, LeftOut)
        assert found.reason == "its first training did not end within 0.1 minutes"


def test_who_reads_the_figures_is_told_what_is_left_out(tiny):
    settings = load_settings(None, {"encoder": {"bundle": str(tiny.folder), "cache": False}})
    builders = [
        *baselines(settings, ["popularity"]),
        SequenceBaseline("sasrec", ONE_SETTING, 1, Limits(1)),
    ]
    found = evaluate(
        settings, items, events, builders, protocols=["leave-one-out", "few-shot"], split="dev"
    )
    for protocol in found.protocols:
        assert [one.system for one in protocol.scores if one.part == "all"] == ["popularity"]
        (note,) = protocol.notes
        assert note.startswith("sasrec is left out: ")


def test_what_is_named_has_no_limit(tiny):
    settings = load_settings(None, {"encoder": {"bundle": str(tiny.folder), "cache": False}})
    *_, unnamed = baselines(settings)
    (named,) = baselines(settings, ["sasrec"])
    assert (unnamed.limits, named.limits) == (Limits(), None)
