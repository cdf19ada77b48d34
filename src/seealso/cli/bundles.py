"""What the terminal says of bundles: what they were made of, how two compare, what sizes cost.

A bundle from elsewhere may say anything of itself, so nothing is expected of what is read here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables
from seealso.cli.findings import figures
from seealso.errors import BundleError
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.encoder import Bundle
    from seealso.evaluation.comparison import ComparedBundle, Comparison
    from seealso.evaluation.sizes import Size, Sizes

METRICS = ("hr@10", "ndcg@10")


def describe(bundle: "Bundle") -> dict[str, object]:
    """Return what there is to know of `bundle`, for JSON."""
    return {
        **bundle.describe(),
        "folder": str(bundle.folder),
        "projection": None if bundle.projection is None else bundle.projection.matrix.shape,
        "bytes": _sizes(bundle),
    }


def _sizes(bundle: "Bundle") -> dict[str, int]:
    """Return the bytes of each file of the model."""
    from seealso.encoder.description import MODEL_FILES

    return {file: (bundle.folder / file).stat().st_size for file in MODEL_FILES}


def describe_any(name: str, bundle: "Bundle | BundleError") -> dict[str, object]:
    """Return what there is to know of a bundle or, where it cannot be read, why not."""
    if isinstance(bundle, BundleError):
        return {"name": name, "error": bundle.message, "hint": bundle.hint}
    return describe(bundle)


def listing(bundles: "Mapping[str, Bundle | BundleError]") -> RenderableType:
    """Return the bundles of a store, one a line; below them, why some cannot be read."""
    readable = [one for one in bundles.values() if not isinstance(one, BundleError)]
    table = tables.rows(
        ("name", "fingerprint", "dimension", "pooling", "max length", "bound", "backbone",
         "fine-tuned", "ndcg@10 on dev"),
        (
            (b.name, b.fingerprint, b.dimension, b.pooling, b.max_length, b.text is not None,
             b.origin.get("source"), *in_short(b))
            for b in readable
        ),
        numbers="dimension",
    )  # fmt: skip
    notes = [
        Text(f"note: {name} cannot be read: {one.message}\n hint: {one.hint}", style="yellow")
        for name, one in bundles.items()
        if isinstance(one, BundleError)
    ]
    return Group(table, *notes)


def bundle_facts(bundle: "Bundle") -> RenderableType:
    """Return what there is to know of `bundle`, as a person reads it."""
    known = describe(bundle)
    text = bundle.text
    return tables.facts(
        {
            **{key: known[key] for key in ("name", "folder", "fingerprint", "model_fingerprint")},
            "backbone": bundle.origin.get("source"),
            **lineage(bundle),
            "dimension": bundle.dimension,
            "projection": "{} -> {}".format(*bundle.projection.matrix.shape)
            if bundle.projection is not None
            else "none",
            "build whitens": bundle.whiten,
            "pooling": bundle.pooling,
            "max length": bundle.max_length,
            "item prefix": bundle.item_prefix,
            "user prefix": bundle.user_prefix,
            "item template": None if text is None else text.item,
            "views": None if text is None else list(text.views),
            "user template": None if text is None else text.user,
            "calibration": f"b {bundle.calibration.b:g}, T {bundle.calibration.t:g}",
            "cosine": parity(bundle),
            "size": ", ".join(
                f"{file} {tables.size(size)}" for file, size in _sizes(bundle).items()
            ),
        }
    )


def lineage(bundle: "Bundle") -> dict[str, object]:
    """Return where the bundle comes from, line by line; few lines if it was not fine-tuned."""
    training = _table(bundle.origin.get("training"))
    if not training:
        return {"fine-tuned": "no"}
    settings = _table(training.get("settings"))
    return {
        "fine-tuned": f"{training.get('method', '?')}, {_count(training.get('steps'))} steps, "
        f"{_count(training.get('trained_parameters'))} of "
        f"{_count(training.get('parameters'))} parameters",
        "learnt from": f"{_count(training.get('pairs'))} pairs of "
        f"{_count(training.get('users'))} users, {_count(training.get('items'))} items "
        f"(data {training.get('data', '?')})",
        "training": ", ".join(f"{name} = {value}" for name, value in settings.items())
        or "as set by default",
        **{
            f"{split} of {_count(training.get(f'{split}_users'))} users": ", ".join(
                f"{name} {_metric(training, f'frozen_{split}', name)} -> "
                f"{_metric(training, split, name)}"
                for name in METRICS
            )
            for split in ("dev", "test")
        },
        **_gain(_table(training.get("gain"))),
    }


def in_short(bundle: "Bundle") -> tuple[object, object]:
    """Return how the bundle was fine-tuned, and NDCG@10 on dev before and after."""
    training = _table(bundle.origin.get("training"))
    if not training:
        return None, None
    before = _metric(training, "frozen_dev", "ndcg@10")
    return training.get("method"), f"{before} -> {_metric(training, 'dev', 'ndcg@10')}"


def parity(bundle: "Bundle") -> str | None:
    """Return how close the twins came to the original: the model in torch, or its own graph."""
    found = _table(bundle.origin.get("parity"))
    if not found:
        return None
    mean = f"int8 {_number(found.get('int8_mean'))} (mean)"
    if "fp32_least" not in found:
        return f"{mean}, with fp32"
    return f"fp32 {_number(found['fp32_least'])} (least), {mean}, with torch"


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"


def _metric(training: Mapping[str, Any], split: str, name: str) -> str:
    return _number(_table(training.get(split)).get(name))


def _gain(gain: Mapping[str, Any]) -> dict[str, object]:
    numbers = [gain.get(name) for name in ("mean", "low", "high")]
    if not all(isinstance(one, int | float) for one in numbers):
        return {}  # bundles of earlier trainings do not know
    mean, low, high = (f"{one:+.4f}" for one in numbers)
    return {"gain on test": f"ndcg@10 {mean} ({low} to {high}, 95 %)"}


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, int | float) else "?"


def comparison(found: "Comparison") -> RenderableType:
    """Return how two bundles compare, a part of the users a line."""
    from seealso.evaluation.report.tables import moves

    rows = [(move.part, move) for move in found.segments]
    verdict = "better" if found.better else "not better beyond chance"
    return Group(
        tables.facts({"old": _compared(found.old), "new": _compared(found.new)}),
        "",
        figures(moves(f"full ranking, {found.split}", rows, "ndcg@10")),
        Text(f"\n{found.new.name} is {verdict} than {found.old.name}", style="bold"),
    )


def _compared(one: "ComparedBundle") -> str:
    knows = "; ".join(one.notes) or "learnt nothing that is asked"
    return f"{one.name} ({one.fingerprint}), projection: {one.projection}, {knows}"


def sizes(found: "Sizes") -> RenderableType:
    """Return what each precision and length costs and saves."""
    whole = found.sizes[0]
    columns = (
        f"full ranking, {found.split}", "dimension", "ndcg@10", "hr@10", "ndcg@10 change (95 %)",
        "model", "vectors", "texts/s",
    )  # fmt: skip
    lines = [
        (
            size.precision,
            size.dimension,
            f"{size.metrics['ndcg@10']:.4f}",
            f"{size.metrics['hr@10']:.4f}",
            "" if size is whole else _change(size, whole.metrics["ndcg@10"]),
            tables.size(size.model_bytes),
            tables.size(size.vector_bytes),
            f"{size.texts_per_second:,.0f}",
        )
        for size in found.sizes
    ]
    return Group(
        tables.facts(
            {
                "bundle": f"{found.bundle} ({found.fingerprint})",
                "asked": f"{format_count(found.users, 'user')}, "
                f"{format_count(found.items, 'item')}",
            }
        ),
        "",
        tables.rows(columns, lines, numbers="dimension ndcg@10 hr@10 model vectors texts/s"),
    )


def _change(size: "Size", whole: float) -> str:
    if not whole:
        return "-"
    mean, low, high = (
        f"{one / whole:+.1%}" for one in (size.change.mean, size.change.low, size.change.high)
    )
    return f"{mean} ({low} to {high})"
