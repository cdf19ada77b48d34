"""The projection on data whose whitened form is known."""

from pathlib import Path

import numpy as np
import pytest

from seealso.encoder import Projection, fit_projection
from seealso.encoder.projection import FULL_WHITENING, SOFT_WHITENING, unit_rows
from seealso.errors import ConfigError, DataError
from seealso.types import Vector


def cone(n: int = 4000, width: int = 12) -> Vector:
    """Unit vectors in a narrow cone with unequal spread, as language models make them."""
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(n, width)) * np.geomspace(1.0, 0.05, width) + 2.0
    return unit_rows(rows.astype(np.float32))


def test_whitening_gives_the_identity_covariance() -> None:
    raw = cone(200_000)
    # eleven directions: unit length has taken one away, and that one falls under the floor
    fitted = fit_projection(raw, whiten=True, dimension=11, exponent=FULL_WHITENING)
    mapped = (raw.astype(np.float64) - fitted.mean) @ fitted.matrix
    np.testing.assert_allclose(np.cov(mapped, rowvar=False, bias=True), np.eye(11), atol=5e-3)
    np.testing.assert_allclose(mapped.mean(axis=0), 0, atol=1e-3)


@pytest.mark.parametrize("exponent", [0.2, 0.35, 0.5])
def test_softer_whitening_leaves_a_power_of_each_variance(exponent: float) -> None:
    raw = cone(200_000)
    # a power of nothing: the principal directions as they are
    plain = fit_projection(raw, whiten=True, dimension=11, exponent=0.0)
    before = ((raw.astype(np.float64) - plain.mean) @ plain.matrix).var(axis=0)
    fitted = fit_projection(raw, whiten=True, dimension=11, exponent=exponent)
    after = ((raw.astype(np.float64) - fitted.mean) @ fitted.matrix).var(axis=0)
    np.testing.assert_allclose(after, before ** (1 - 2 * exponent), rtol=5e-3)


def test_whitening_is_soft_unless_it_is_said() -> None:
    raw = cone(500)
    soft = fit_projection(raw, whiten=True, dimension=None)
    assert soft == fit_projection(raw, whiten=True, dimension=None, exponent=SOFT_WHITENING)
    assert soft != fit_projection(raw, whiten=True, dimension=None, exponent=FULL_WHITENING)


def test_whitening_opens_the_cone() -> None:
    raw = cone(500)
    mapped = fit_projection(raw, whiten=True, dimension=None).apply(raw)
    assert (raw @ raw.T).mean() > 0.8
    assert abs((mapped @ mapped.T).mean()) < 0.01


def test_an_empty_direction_is_held_by_the_floor() -> None:
    raw = cone(200_000)
    raw[:, 3] = raw[:, 5]  # a dependent column: one eigenvalue is zero
    fitted = fit_projection(raw, whiten=True, dimension=None, exponent=FULL_WHITENING)
    scales = np.linalg.norm(fitted.matrix, axis=0)
    assert scales.max() / scales.min() == pytest.approx(100, rel=1e-3)  # root of 1 / 1e-4


def test_a_small_catalogue_keeps_its_neighbours() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(3), 10)
    rows = 3 * np.eye(64)[groups] + 0.2 * rng.normal(size=(30, 64)) + 1.0
    mapped = fit_projection(unit_rows(rows.astype(np.float32)), whiten=True, dimension=None).apply(
        unit_rows(rows.astype(np.float32))
    )
    cosine = mapped @ mapped.T - 2 * np.eye(30)
    assert (groups[cosine.argmax(axis=1)] == groups).all()
    same = groups[:, None] == groups[None]
    assert cosine[same & ~np.eye(30, dtype=bool)].mean() > cosine[~same].mean() + 0.2


def test_without_whitening_every_cosine_stays() -> None:
    raw = cone(50)
    mapped = fit_projection(raw, whiten=False, dimension=None).apply(raw)
    np.testing.assert_allclose(mapped @ mapped.T, raw @ raw.T, atol=1e-5)


def test_without_whitening_a_cut_keeps_most_of_every_inner_product() -> None:
    raw = cone(300)
    fitted = fit_projection(raw, whiten=False, dimension=4)
    mapped = raw @ fitted.matrix
    _, values, directions = np.linalg.svd(raw.astype(np.float64), full_matrices=False)
    best = raw @ directions[:4].T
    np.testing.assert_allclose(mapped @ mapped.T, best @ best.T, atol=1e-4)
    assert not fitted.mean.any()
    assert values[0] > values[4]


def test_rows_come_out_at_unit_length_and_zero_rows_as_zero() -> None:
    raw = cone(20)
    raw[4] = 0
    mapped = fit_projection(raw, whiten=True, dimension=5).apply(raw)
    assert mapped.shape == (20, 5)
    assert mapped.dtype == np.float32
    lengths = np.linalg.norm(mapped, axis=1)
    assert lengths[4] == 0
    np.testing.assert_allclose(np.delete(lengths, 4), 1, rtol=1e-5)


def test_zero_rows_do_not_move_the_fit() -> None:
    raw = cone(100)
    padded = np.vstack([raw, np.zeros((30, raw.shape[1]), np.float32)])
    assert fit_projection(padded, whiten=True, dimension=4) == fit_projection(
        raw, whiten=True, dimension=4
    )


def test_the_fit_is_the_same_every_time_and_survives_the_disk(tmp_path: Path) -> None:
    fitted = fit_projection(cone(), whiten=True, dimension=6)
    assert fitted == fit_projection(cone(), whiten=True, dimension=6)
    strongest = np.abs(fitted.matrix).argmax(axis=0)
    assert (fitted.matrix[strongest, np.arange(6)] > 0).all()
    np.savez(tmp_path / "p.npz", **fitted.arrays())
    assert Projection.load(tmp_path / "p.npz") == fitted


def test_more_dimensions_than_the_model_has_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"encoder\.dimension: 13 is more than the model's 12"):
        fit_projection(cone(30), whiten=True, dimension=13)


@pytest.mark.parametrize("rows", [np.zeros((0, 4)), np.ones((1, 4)), np.ones((9, 4))])
def test_texts_that_do_not_differ_are_refused(rows: Vector) -> None:
    with pytest.raises(DataError, match="texts that differ"):
        fit_projection(rows.astype(np.float32), whiten=True, dimension=None)


def test_numbers_that_are_not_finite_are_refused() -> None:
    raw = cone(30)
    raw[3, 3] = np.nan
    with pytest.raises(DataError, match="not finite"):
        fit_projection(raw, whiten=True, dimension=None)
