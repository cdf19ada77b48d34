"""Makes a bundle from a model: graph, int8 twin, tokenizer, description, proof.

The bundle appears in the store only when both twins compute what the original computes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from seealso.encoder import Bundle, BundleStore
from seealso.encoder.description import MODEL, MODEL_INT8, TOKENIZER
from seealso.encoder.reader import Reader
from seealso.errors import BundleError
from seealso.log import Tick, no_progress
from seealso.training.backbones.bert import StoredBert
from seealso.training.backbones.bert_graph import write_bert
from seealso.training.backbones.graph import write_graph
from seealso.training.backbones.sources import Backbone
from seealso.training.exporting.parity import check_parity
from seealso.training.exporting.quantisation import (
    quantise,
    quantise_blocks,
    quantise_static,
)
from seealso.types import Calibration

Int8: TypeAlias = Literal["dynamic", "static", "blocks"]
"""How the numbers of an int8 twin are made; `seealso.training.exporting.quantisation` has each."""


def refuse_existing(name: str, store: BundleStore, option: str = "--out") -> None:
    """Raise BundleError if the store has something called `name`, which `option` chose."""
    if store.folder_of(name).exists():
        raise BundleError(
            f"{store.folder_of(name)}: already exists",
            hint=f"choose another {option}, or replace it with --force",
            bundle=name,
        )


def export(
    backbone: Backbone | StoredBert,
    name: str,
    store: BundleStore,
    *,
    item_prefix: str = "",
    user_prefix: str = "",
    calibration_texts: Sequence[str] = (),
    whiten: bool = True,
    lineage: Mapping[str, Any] | None = None,
    tick: Tick = no_progress,
) -> Bundle:
    """Export `backbone` as a bundle; one of that name is replaced.

    Parameters
    ----------
    backbone
        The model, in torch or as it lies in its folder.
    name
        Name of the bundle.
    store
        Where it is made.
    item_prefix, user_prefix
        Put before every text of an item or a user.
    calibration_texts
        Texts of items; if there are any, the int8 twin is measured on them and static. A model
        with a head has one in blocks, whatever is given here.
    whiten
        Whether an index should whiten the vectors.
    lineage
        What the model was trained with, if it was.
    tick
        Called with 1 after each of the three steps: graph, int8 twin, comparison.

    Returns
    -------
    Bundle
        The bundle, not bound to a catalogue.

    Raises
    ------
    BundleError
        The model cannot be expressed in ONNX.
    ParityError
        The exported model does not compute what the original computes; nothing is left behind.
    MissingExtraError
        A package of the extra ``train``, or of ``export``, is not installed.
    """
    target = store.folder_of(name)
    with store.draft(name) as folder:
        if isinstance(backbone, StoredBert):
            write_bert(backbone, folder / MODEL)
        else:
            write_graph(backbone, folder / MODEL)
        backbone.plain_tokenizer().save(str(folder / TOKENIZER))
        tick(1)
        drafted = _described(backbone, name, folder, item_prefix, user_prefix)
        kind = _kind_of_int8(backbone, calibration_texts)
        write_int8(drafted, folder / MODEL_INT8, kind, calibration_texts)
        tick(1)
        # the comparison is about the model alone: prefixes would only be more text
        found = check_parity(backbone, replace(drafted, item_prefix="", user_prefix=""))
        origin = {"source": backbone.source, "parity": found, "int8": kind, **(lineage or {})}
        written = replace(drafted, whiten=whiten, origin=origin).write()
        tick(1)
    return replace(written, folder=target)


def write_int8(bundle: Bundle, file: Path, kind: Int8, calibration_texts: Sequence[str]) -> None:
    """Write the int8 twin of `bundle` to `file`.

    Parameters
    ----------
    bundle
        Its fp32 model is read.
    file
        What is written.
    kind
        How numbers become eight bits.
    calibration_texts
        Texts of items, for a static twin.
    """
    model = bundle.folder / MODEL
    if kind == "dynamic":
        quantise(model, file)
    elif kind == "blocks":
        quantise_blocks(model, file)
    else:
        texts = [bundle.item_prefix + one for one in calibration_texts]
        quantise_static(model, file, Reader(bundle, "fp32", 0), texts)


def _kind_of_int8(backbone: Backbone | StoredBert, calibration_texts: Sequence[str]) -> Int8:
    if backbone.head is not None:
        return "blocks"
    return "static" if calibration_texts else "dynamic"


def _described(
    backbone: Backbone | StoredBert, name: str, folder: Path, item_prefix: str, user_prefix: str
) -> Bundle:
    return Bundle(
        folder=folder,
        name=name,
        dimension=backbone.dimension,
        pooling=backbone.pooling,
        max_length=backbone.max_length,
        item_prefix=item_prefix,
        user_prefix=user_prefix,
        text=None,
        calibration=Calibration(),
    )
