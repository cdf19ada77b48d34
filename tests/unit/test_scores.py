"""Scores of OpenSearch, w * similarity, and probabilities: each way and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seealso.errors import ClusterError
from seealso.plugin.ranking.answers import hits_of
from seealso.plugin.ranking.boosts import Boosts
from seealso.plugin.ranking.candidates import HitReader
from seealso.plugin.ranking.paths import RankingContext
from seealso.plugin.scores import logit, raw_value, score_of
from seealso.types import Calibration, Path, Source, Space

RAW = st.floats(-50, 50)


@given(RAW)
def test_a_raw_value_survives_the_score(x: float) -> None:
    assert score_of(x) > 0
    assert raw_value(score_of(x)) == pytest.approx(x, abs=1e-9)


@given(RAW, RAW)
def test_scores_keep_the_order_of_raw_values(x: float, y: float) -> None:
    assert (score_of(x) <= score_of(y)) == (x <= y) or x == pytest.approx(y)


@pytest.mark.parametrize(("x", "score"), [(0.0, 1.0), (0.5, 1.5), (-1.0, 0.5), (-3.0, 0.25)])
def test_the_innerproduct_score(x: float, score: float) -> None:
    assert score_of(x) == score
    assert raw_value(score) == x


@given(st.floats(0.001, 0.999), st.floats(-2, 2), st.floats(0.1, 5))
def test_the_logit_undoes_the_calibrated_sigmoid(p: float, b: float, t: float) -> None:
    calibration = Calibration(b, t)
    assert float(calibration.probability(logit(p, calibration))) == pytest.approx(p)


@pytest.mark.parametrize("x", [-2.0, 0.0, 2.0])
def test_the_probability_is_the_sigmoid(x: float) -> None:
    assert float(Calibration().probability(x)) == pytest.approx(1 / (1 + np.exp(-x)))


def hit(score: float, *, tail: bool = False, x: object = None) -> dict[str, object]:
    found: dict[str, object] = {
        "_id": "i1",
        "_index": "films-1",
        "_score": score,
        "_source": {"item_id": "i1", "importance": 1.5, "tail": tail, "title": "Heat", "text": "H"},
    }
    return found if x is None else {**found, "fields": {"x": [x]}}


def reader(
    path: Path = Path.EXACT, *, b: float = 0.0, t: float = 1.0, least: float = 0.0
) -> HitReader:
    return HitReader(RankingContext(path, Space.COSINE, Calibration(b, t)), Boosts(), least)


def test_a_vector_hit_becomes_a_recommendation() -> None:
    calibrated = reader(b=0.25, t=0.5)
    (found,) = calibrated.read_vectors([hit(1.75)]).ranked
    item = found.item
    assert item.raw == 0.75
    assert item.probability == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert (item.item_id, item.importance, item.source) == ("i1", 1.5, Source.VECTOR)
    assert item.fields == {"title": "Heat"}


def test_the_reference_score_is_the_probability() -> None:
    (found,) = reader(Path.REFERENCE).read_vectors([hit(0.75)]).ranked
    item = found.item
    assert item.probability == pytest.approx(0.75)
    assert item.raw == pytest.approx(np.log(3))


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_saturated_reference_score_stays_finite(score: float) -> None:
    (found,) = reader(Path.REFERENCE).read_vectors([hit(score)]).ranked
    item = found.item
    assert item.raw is not None
    assert np.isfinite(item.raw)


def test_a_tail_hit_without_a_vector_has_no_probability() -> None:
    hits = [hit(7.0, tail=True, x=0.0), hit(6.0, tail=True)]
    known, unknown = (found.item for found in reader().read_tail(hits).tail)
    assert (known.probability, known.score) == (0.5, 7.0)
    assert (unknown.probability, unknown.raw) == (None, None)


def test_a_tail_hit_that_is_too_unlikely_is_left_out() -> None:
    hits = [hit(7.0, tail=True, x=-0.1), hit(6.0, tail=True, x=0.1)]
    assert [found.item.raw for found in reader(least=0.5).read_tail(hits).tail] == [0.1]


def test_a_refused_search_names_its_deepest_reason() -> None:
    refused = {
        "error": {
            "type": "search_phase_execution_exception",
            "reason": "all shards failed",
            "caused_by": {"type": "parsing_exception", "reason": "unknown query [trem]"},
        },
        "status": 400,
    }
    with pytest.raises(ClusterError, match=r"parsing_exception: unknown query \[trem\]"):
        hits_of(refused)
