"""Which negatives a pair gets, and what they do to the popularity of the columns."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seealso.datasets.catalogue import Catalogue
from seealso.datasets.dataset import Dataset
from seealso.errors import ConfigError, DataError
from seealso.training.examples.negatives import drawn, neighbours_of
from seealso.training.examples.pairs import Pair, item_pairs
from seealso.training.learning.objectives import columns_share

ITEMS = 12
SEQUENCES = [(0, 1, 2), (2, 3), (4, 5, 6), (6, 0)]


def dataset(sequences=SEQUENCES, items=ITEMS) -> Dataset:
    ids = tuple(f"i{n}" for n in range(items))
    place = {name: n for n, name in enumerate(ids)}
    return Dataset(Catalogue(ids, ids, place, 0), sequences, [], [], "")


def together(one: int, other: int) -> bool:
    return any(one in sequence and other in sequence for sequence in SEQUENCES)


@given(
    each=st.integers(1, 4),
    seed=st.integers(0, 1000),
    neighbours=st.dictionaries(st.integers(0, 6), st.lists(st.integers(7, 11), unique=True)),
)
def test_no_negative_was_chosen_with_the_item(each, seed, neighbours):
    pairs = item_pairs(SEQUENCES, 2)
    found = drawn(pairs, neighbours, dataset(), each=each, seed=seed)
    assert len(found) == len(pairs)
    for pair, negatives in zip(pairs, found, strict=True):
        assert len(set(negatives)) == each
        assert not any(together(pair.positive, one) for one in negatives)
        hard = neighbours.get(pair.positive, [])
        assert len(set(negatives) & set(hard)) >= min(each, len(hard))
    assert drawn(pairs, neighbours, dataset(), each=each, seed=seed) == found


def test_the_anchor_of_a_pseudo_pair_is_no_negative():
    # nobody chose 9 with 1, yet they were paired
    pair = Pair((9,), 1, as_history=False)
    for seed in range(20):
        ((negative,),) = drawn([pair], {1: [9, 8]}, dataset(), each=1, seed=seed)
        assert negative == 8


def test_where_everybody_chose_everything_any_other_item_serves():
    sequences = [tuple(range(5))]
    pairs = item_pairs(sequences, 1)
    found = drawn(pairs, {}, dataset(sequences, 5), each=2, seed=1)
    assert all(pair.positive not in out for pair, out in zip(pairs, found, strict=True))


def test_none_are_drawn_unless_they_are_wanted():
    assert drawn(item_pairs(SEQUENCES, 1), {}, dataset(), each=0, seed=1) == [()] * 6


def test_more_negatives_than_items_are_refused():
    with pytest.raises(DataError, match="5 items are too few for 4 hard negatives"):
        drawn([], {}, dataset([(0, 1)], 5), each=4, seed=1)


def test_columns_are_shared_by_popularity_and_by_what_was_drawn():
    counts = torch.tensor([3.0, 1.0, 0.0, 0.0])
    found = columns_share(counts, [(2, 3), (2, 2)])
    # one column in three is a positive
    assert found.tolist() == pytest.approx([0.25, 1 / 12, 0.5, 1 / 6])
    assert columns_share(counts, [(), ()]).tolist() == [0.75, 0.25, 0.0, 0.0]


def test_no_cluster_is_needed_unless_they_are_wanted(tmp_path):
    from seealso.config import Settings

    assert neighbours_of(None, Settings(), dataset(), tmp_path) == {}
    wanted = Settings.model_validate({"training": {"hard_negatives": 2}})
    with pytest.raises(ConfigError, match=r"training\.hard_negatives needs a cluster"):
        neighbours_of(None, wanted, dataset(), tmp_path)
