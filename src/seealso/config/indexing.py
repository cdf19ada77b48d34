"""What is built: vectors, importance, the index, and the cluster that holds it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, model_validator

from seealso.config.section import Section
from seealso.types import Space


class EncoderSettings(Section):
    """``[encoder]``: the model bundle and how it is run."""

    bundle: str = "minilm"
    """Name of a bundle in ``store``, or the path of a bundle folder."""
    store: Path = Path(".seealso/bundles")
    """Folder of the bundles."""
    cache: Path | Literal[False] | None = Path(".seealso/vectors.sqlite")
    """Cache of encoded texts; false switches it off."""
    precision: Literal["fp32", "int8"] = "fp32"
    """Precision of the model that encodes items."""
    query_precision: Literal["fp32", "int8"] = "fp32"
    """Precision of the model that encodes user texts at query time."""
    threads: int = Field(0, ge=0)
    """Threads that encode items, each a batch of its own; 0 uses all cores."""
    query_threads: int = Field(1, ge=0)
    """Threads that encode one user text; 0 uses all cores, which slows searches at the same
    time."""
    shared: Path | None = None
    """Folder for models in a form that processes on this machine share in memory, where each would
    hold a copy; `seealso serve` with several workers makes one of its own."""
    tokens_per_batch: int = Field(256, ge=64)
    """Most tokens in one batch: limits memory for texts of any length."""
    whiten: bool | None = None
    """Fit a whitening projection on the catalogue and store it in the bundle; none whitens if there
    are at least twice as many different texts as dimensions, unless training found that whitening
    ranks worse."""
    dimension: int | None = Field(None, ge=2)
    """Cut vectors to this many dimensions; none keeps the model's own."""
    sample: int = Field(50_000, ge=2)
    """Most items used to fit the projection."""


class ImportanceSettings(Section):
    """``[importance]``: how events become the weight of an item."""

    kind: Literal["events", "rating", "expression"] = "events"
    """Decayed event counts, a shrunk mean of the event values, or an expression."""
    weights: Mapping[str, float] = Field(default_factory=dict)
    """Weight of each event type; 1 by default."""
    half_life_days: float | None = Field(None, gt=0)
    """An event this old counts half; none for no decay."""
    per_user: int = Field(3, ge=0)
    """Of one user's events with one item, only the newest ones of each type count, at most this
    many; 0 for no limit. Events without a user all count."""
    floor: float = Field(0.5, gt=0)
    """Lowest importance; an item without events has 1."""
    ceiling: float = Field(2.0, gt=0)
    """Highest importance."""
    prior: float = Field(10.0, ge=0)
    """``rating``: the number of average ratings with which every item starts."""
    expression: str | None = None
    """``expression``: SQL expression over the number columns, ``interactions`` and ``rating``."""
    tail_quantile: float = Field(0.2, ge=0, le=1)
    """Items whose number of events is at most this quantile of all items are tail items."""

    @model_validator(mode="after")
    def _check(self) -> "ImportanceSettings":
        if self.floor > self.ceiling:
            raise ValueError(f"floor {self.floor} is above ceiling {self.ceiling}")
        if (self.kind == "expression") != (self.expression is not None):
            raise ValueError("expression belongs to kind = 'expression', and only to it")
        return self


WHOLE_BITS: Final = 32
"""Bits of a number that is stored as it is."""

ROUNDED_BITS: Final = 7
"""Bits of a rounded number."""


class IndexSettings(Section):
    """``[index]``: the index that is built."""

    alias: str = Field("seealso", pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=200)
    """The alias that clients query."""
    space: Space = Space.COSINE
    """Similarity; Euclidean and Manhattan indices have no ``ann`` path."""
    analyzer: str = "standard"
    """Analyzer of the text fields: standard, english, cjk, ..."""
    shards: int = Field(1, ge=1)
    """Primary shards."""
    replicas: int = Field(0, ge=0)
    """Replicas once the index is loaded."""
    engine: Literal["lucene", "faiss"] = "lucene"
    """k-NN engine."""
    m: int = Field(16, ge=2, le=512)
    """HNSW: links of each vector."""
    ef_construction: int = Field(128, ge=8, le=3200)
    """HNSW: candidates examined while the graph is built."""
    vector_bits: Literal[7, 32] | None = None
    """Bits of each number of a vector in the graph. With 7, the graph needs about a quarter of the
    memory, and the best candidates are compared again with all bits; ``lucene`` only. None for 32
    while that takes at most half of the memory that the nodes have beside their heaps, else 7."""
    threads: int = Field(2, ge=1)
    """Threads that write to the cluster."""
    bulk_bytes: int = Field(4_000_000, ge=1_000)
    """Most bytes of one bulk body."""
    force_merge: bool | None = None
    """Merge each shard to one segment after loading; none for shards of up to 100,000 items. The
    segments of a larger one are searched at the same time."""
    verify_sample: int = Field(32, ge=1)
    """Items re-encoded and compared before the alias moves."""
    keep: int = Field(2, ge=1)
    """Indices that ``prune`` keeps, including the live one."""

    @property
    def rounded(self) -> bool:
        """Whether the graph has rounded vectors."""
        return self.vector_bits == ROUNDED_BITS

    @property
    def can_round(self) -> bool:
        """Whether the graph of such an index may have rounded vectors, and ranks."""
        return self.engine == "lucene" and self.space is Space.COSINE

    def with_bits(self, bits: Literal[7, 32]) -> "IndexSettings":
        """Return these settings, with so many bits a number."""
        return self.model_copy(update={"vector_bits": bits})

    @model_validator(mode="after")
    def _can_be_quantised(self) -> "IndexSettings":
        if self.rounded and self.engine != "lucene":
            raise ValueError(f"vector_bits = {self.vector_bits} needs engine = 'lucene'")
        return self
