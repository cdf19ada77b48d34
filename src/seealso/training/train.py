"""Fine-tunes a backbone on behaviour and makes a bundle of it, ready for ``index build``."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from seealso.config import Settings, TrainingSettings
from seealso.datasets.dataset import Dataset, Events, Items, read_dataset_with_progress
from seealso.datasets.intervals import Estimate, estimate
from seealso.datasets.ranks import gains, metrics
from seealso.encoder import Bundle, BundleStore
from seealso.errors import BundleError
from seealso.log import progress
from seealso.training.backbones.methods import check_method
from seealso.training.backbones.sources import Backbone, chosen_backbone
from seealso.training.backbones.towers import TextTower, as_model
from seealso.training.exporting.export import export
from seealso.training.learning.context import LearningContext
from seealso.training.learning.head import learn_head
from seealso.training.learning.pretraining import changes_backbone, pretrain
from seealso.training.learning.texts import learn_texts
from seealso.training.learning.trainer import precision_of
from seealso.training.tracking.runs import check_tracking, run_of, without_paths

_KEPT_OUT_OF_KEY: Final = {
    "name", "folder", "tracking", "checkpoint_minutes", "most_minutes", "preset", "most_events",
}  # fmt: skip
_NOT_LINEAGE: Final = {"bundle", "folder", "fingerprint", "whiten", "tracked"}


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a training did.

    Attributes
    ----------
    bundle, folder, fingerprint
        The bundle that was made.
    method
        Which parameters learnt.
    pairs, users, items, without_text
        What was learnt from; `without_text` items have no text.
    trained_parameters, parameters
        How many parameters learnt, and how many there are.
    whiten
        Whether the index should whiten its vectors: what ranked better on dev.
    frozen_dev, dev, frozen_test, test
        Metrics before and after, over the full catalogue.
    gain
        NDCG@10 on test, after minus before, over the same users.
    dev_users, test_users
        How many were ranked.
    steps, seconds
        How long it took.
    tracked
        Where its losses and metrics can be seen, if they were tracked.
    """

    bundle: str
    folder: Path
    fingerprint: str
    method: str
    pairs: int
    users: int
    items: int
    without_text: int
    trained_parameters: int
    parameters: int
    whiten: bool
    frozen_dev: Mapping[str, float]
    dev: Mapping[str, float]
    frozen_test: Mapping[str, float]
    test: Mapping[str, float]
    gain: Estimate
    dev_users: int
    test_users: int
    steps: int
    seconds: float
    tracked: str | None


def train(settings: Settings, items: Items, events: Events) -> TrainReport:
    """Fine-tune ``training.backbone`` and write the bundle ``Settings.tuned_name``.

    Parameters
    ----------
    settings
        ``training``, ``text``, ``profile``, ``events.positive`` and ``encoder.store`` are used.
    items, events
        Give the batches of the catalogue and the event frames.

    Returns
    -------
    TrainReport
        Metrics on dev and, once, on test; frozen and fine-tuned.

    Raises
    ------
    DataError
        There is too little to learn from, or to ask about.
    BundleError
        The backbone cannot be loaded or exported.
    ConfigError
        Settings do not fit the backbone.
    MissingExtraError
        The package of ``training.tracking`` is not installed.
    Interrupted
        Ctrl-C was pressed; the same call continues from the checkpoint.
    """
    started = perf_counter()
    context = read_context(settings, items, events)
    chosen, dataset = settings.training, context.dataset
    folder = run_folder(settings, dataset)
    backbone = load_checked(chosen)
    frozen = context.encode(backbone, "encoding, frozen")
    model = as_model(TextTower(backbone))
    before = context.rank(model, frozen, dataset.dev)
    frozen_test = context.rank(model, frozen, dataset.test).ranks(before.whiten)
    if changes_backbone(chosen):
        pretrain(context, backbone, folder)
        frozen = context.encode(backbone, "encoding, pretrained")
    if chosen.method == "head":
        learnt = learn_head(context, backbone, frozen, folder)
    else:
        learnt = learn_texts(context, backbone, folder)
    model = as_model(TextTower(learnt.backbone))
    after = context.rank(model, learnt.raw, dataset.dev)
    test = context.rank(model, learnt.raw, dataset.test).ranks(after.whiten)
    run = run_of(folder)
    report = TrainReport(
        bundle=settings.tuned_name,
        folder=BundleStore(settings.encoder.store).folder_of(settings.tuned_name),
        fingerprint="",
        method=chosen.method,
        pairs=learnt.pairs,
        users=len(dataset.sequences),
        items=len(dataset.catalogue.ids),
        without_text=dataset.catalogue.without_text,
        trained_parameters=learnt.trained,
        parameters=learnt.total,
        whiten=after.whiten,
        frozen_dev=before.best,
        dev=after.best,
        frozen_test=metrics(frozen_test),
        test=metrics(test),
        gain=estimate(gains(test) - gains(frozen_test), chosen.seed),
        dev_users=len(dataset.dev),
        test_users=len(dataset.test),
        steps=learnt.steps,
        seconds=perf_counter() - started,
        tracked=run.place if run else None,
    )
    bundle = _export(settings, learnt.backbone, dataset, report)
    shutil.rmtree(folder, ignore_errors=True)
    return replace(report, fingerprint=bundle.fingerprint)


def read_context(settings: Settings, items: Items, events: Events) -> LearningContext:
    """Read what is learnt and asked, after checking what would fail hours later.

    Raises
    ------
    ConfigError
        ``training.precision`` needs a GPU.
    MissingExtraError
        The package of ``training.tracking`` is not installed.
    """
    check_tracking(settings.training)
    precision_of(settings.training)
    return LearningContext(settings, read_dataset_with_progress(settings, items, events))


def load_checked(chosen: TrainingSettings) -> Backbone:
    """Load ``training.backbone``, and check that the method fits it."""
    backbone = chosen_backbone(chosen)
    check_method(backbone, chosen)
    return backbone


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What a training would learn from and be asked about; made without loading a model."""

    bundle: str
    backbone: str
    method: str
    items: int
    without_text: int
    users: int
    dev_users: int
    test_users: int
    checkpoints: str


def plan(settings: Settings, items: Items, events: Events) -> TrainPlan:
    """Read the inputs and say what `train` would do with them; nothing is written."""
    dataset = read_dataset_with_progress(settings, items, events)
    return TrainPlan(
        bundle=settings.tuned_name,
        backbone=settings.training.backbone,
        method=settings.training.method,
        items=len(dataset.catalogue.ids),
        without_text=dataset.catalogue.without_text,
        users=len(dataset.sequences),
        dev_users=len(dataset.dev),
        test_users=len(dataset.test),
        checkpoints=str(run_folder(settings, dataset)),
    )


def run_folder(settings: Settings, dataset: Dataset) -> Path:
    """Return the folder of checkpoints: another one for other settings or other data."""
    chosen = settings.training
    parts = (
        chosen.model_dump(mode="json", exclude=_KEPT_OUT_OF_KEY),
        settings.text.model_dump(mode="json"),
        settings.profile.model_dump(mode="json"),
        (settings.importance.floor, settings.importance.ceiling),
        dataset.signature,
    )
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]
    return chosen.folder / f"{settings.tuned_name}-{key}"


def find_current(settings: Settings, items: Items, events: Events) -> Bundle | None:
    """Return the fine-tuned bundle if it was trained on the same data in the same way.

    Raises
    ------
    TooFewEvents
        There is too little to learn from.
    """
    store, name = BundleStore(settings.encoder.store), settings.tuned_name
    inputs = _describe_inputs(settings, read_dataset_with_progress(settings, items, events))
    if not store.has(name):
        return None
    try:
        there = store.find(name)
    except BundleError:
        # damaged, or of an earlier version: it is trained anew
        return None
    recorded = there.origin.get("training", {})
    return there if all(recorded.get(key) == value for key, value in inputs.items()) else None


def _describe_inputs(settings: Settings, dataset: Dataset) -> dict[str, Any]:
    chosen = settings.training
    return {
        "settings": without_paths(
            chosen.model_dump(
                mode="json", exclude_defaults=True, exclude={"name", "folder", "most_events"}
            )
        ),
        "text": settings.text.model_dump(mode="json"),
        "data": dataset.signature,
    }


def _export(
    settings: Settings, backbone: Backbone, dataset: Dataset, report: TrainReport
) -> Bundle:
    chosen = settings.training
    lineage = {
        **_describe_inputs(settings, dataset),
        **{name: value for name, value in asdict(report).items() if name not in _NOT_LINEAGE},
    }
    with progress("exporting", total=3) as tick:
        return export(
            backbone,
            settings.tuned_name,
            BundleStore(settings.encoder.store),
            item_prefix=chosen.item_prefix,
            user_prefix=chosen.user_prefix,
            calibration_texts=dataset.catalogue.texts if chosen.int8 == "static" else (),
            whiten=report.whiten,
            lineage={"training": lineage},
            tick=tick,
        )
