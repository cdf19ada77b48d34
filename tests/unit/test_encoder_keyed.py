"""Vectors by the digest of their text: a cache takes those that somebody else has encoded."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seealso.encoder import Bundle, Encoder, VectorCache
from seealso.encoder.encoder import cached_as
from seealso.encoder.keyed import KEYED, read_keyed
from seealso.errors import DataError

TITLES = ("Toy Story (1995)", "Heat", "无线鼠标", "Sudden Death (1995)", "Up")


def test_keyed_vectors_are_what_the_cache_holds(
    tiny: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, filled = VectorCache(tmp_path / "own.sqlite"), VectorCache(tmp_path / "filled.sqlite")
    expected = Encoder(tiny, cache=own).raw_items(TITLES)
    keyed = Encoder(tiny).encode_keyed([*TITLES, TITLES[0], " ", ""])
    assert keyed.schema == KEYED
    assert keyed.height == len(TITLES)
    assert set(keyed["model"]) == {cached_as(tiny, "fp32")}
    keyed.write_parquet(tmp_path / "part.parquet")
    filled.add(read_keyed(tmp_path / "part.parquet"))
    with monkeypatch.context() as patched:
        patched.setattr(Encoder, "_run", None)  # nothing is left to read
        found = Encoder(tiny, cache=filled).raw_items(TITLES)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    known = filled.known()
    assert known.drop(cached_as(tiny, "fp32"), "", [*TITLES, "Ran", "Ran", ""]) == ["Ran"]
    assert known.drop(cached_as(tiny, "int8"), "", TITLES) == list(TITLES)
    assert own.known().heads.tolist() == known.heads.tolist()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (pl.col("key").bin.slice(0, 8), "some keys have another length than 20 bytes"),
        (pl.lit(None, pl.Binary).alias("key"), "some values are missing"),
        (pl.lit([1.0, float("nan")]).alias("vector"), "some vectors are not finite"),
        (pl.lit("many").alias("vector"), "it has the columns key, model, vector"),
    ],
)
def test_a_file_of_something_else_is_refused(
    tiny: Bundle, tmp_path: Path, change: pl.Expr, why: str
) -> None:
    file = tmp_path / "part.parquet"
    Encoder(tiny).encode_keyed(["Heat"]).with_columns(change).write_parquet(file)
    with pytest.raises(DataError, match=f"holds no vectors of texts: {why}"):
        read_keyed(file)


def test_a_file_that_is_cut_off_is_refused(tiny: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "part.parquet"
    Encoder(tiny).encode_keyed(["Heat"]).write_parquet(file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match="no readable Parquet file"):
        read_keyed(file)
