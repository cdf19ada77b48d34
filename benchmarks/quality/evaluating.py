"""Examines the product on a data set, through a real index, beside every baseline."""

from collections.abc import Sequence
from typing import Any

from benchmarks.node import running_node
from seealso.cli.context import plain
from seealso.config import Settings
from seealso.encoder import BundleStore
from seealso.errors import BundleError
from seealso.evaluation.baselines import baselines
from seealso.evaluation.evaluate import evaluate
from seealso.fitting.fit import fit
from seealso.indexer.inputs import inputs
from seealso.judging.index_systems import IndexSystems
from seealso.log import progress
from seealso.readers import Problems
from seealso.training import export, load_backbone

PROTOCOLS = ("leave-one-out", "cold", "few-shot")
FROZEN, TUNED = "frozen", "tuned"
OURS = {"seealso": FROZEN, "seealso fine-tuned": TUNED}
"""The product, as it is by default first, and the model that it is fitted over."""


def evaluate_product(
    settings: Settings,
    *,
    prefix: str,
    users: int,
    protocols: Sequence[str],
    over: Sequence[str],
    compared: Sequence[str] | None,
) -> dict[str, Any]:
    """Return what fitting chose and what the protocols found, without anything of a single user.

    Parameters
    ----------
    settings
        Of the data set; ``training.backbone`` is the frozen model.
    prefix
        Put before every text that the frozen model reads.
    users
        Most users asked in each protocol.
    protocols
        Of `PROTOCOLS`.
    over
        Models that the product is fitted over: ``tuned``, ``frozen``.
    compared
        Baselines that are asked the same; None for all that end in minutes.
    """
    export_frozen(settings, prefix)
    read = inputs(settings, None, Problems("skip"))
    fitted = {
        name: fit(_fitting(settings, base, name), read.items, read.learnt)
        for name, base in OURS.items()
        if base in over
    }
    with running_node("2g") as (cluster, node):
        ours = [
            IndexSystems(
                cluster,
                _with(settings, report.bundle),
                read,
                name=name,
            )
            for name, report in fitted.items()
        ]
        found = evaluate(
            settings,
            read.items,
            read.learnt,
            [*baselines(_with(settings, FROZEN), compared), *ours],
            protocols=protocols,
            split="test",
            most_users=users,
        )
    told = plain(found)
    for protocol in told["protocols"]:
        # titles and users of data that is not shipped, and what each of them got
        del protocol["examples"], protocol["answers"]
    return {"fit": plain(fitted), "opensearch": node.opensearch, "evaluation": told}


def export_frozen(settings: Settings, prefix: str) -> None:
    """Export the frozen model, unless it is there."""
    store = BundleStore(settings.encoder.store)
    try:
        store.find(FROZEN)
    except BundleError:
        backbone = load_backbone(settings.training.backbone, pooling="auto", max_length=None)
        with progress("exporting", total=3) as tick:
            export(backbone, FROZEN, store, item_prefix=prefix, user_prefix=prefix, tick=tick)


def _fitting(settings: Settings, base: str, name: str) -> Settings:
    fitting = settings.fit.model_copy(update={"name": name.replace(" ", "-")})
    return _with(settings, base).model_copy(update={"fit": fitting})


def _with(settings: Settings, bundle: str) -> Settings:
    encoder = settings.encoder.model_copy(update={"bundle": bundle})
    return settings.model_copy(update={"encoder": encoder})
