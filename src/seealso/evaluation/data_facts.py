"""What an evaluation was made of: counts, the bundle, and settings that a figure depends on."""

from pathlib import Path

from seealso.config import Settings
from seealso.datasets.dataset import Dataset
from seealso.datasets.sampling import Draw
from seealso.encoder import find_serving_bundle
from seealso.errors import BundleError


def describe_data(
    settings: Settings, dataset: Dataset, draw: Draw | None
) -> dict[str, int | float | str]:
    """Return counts and settings that a figure depends on, without paths."""
    return {
        "items": len(dataset.catalogue.ids),
        "items without a text": dataset.catalogue.without_text,
        "users": len(dataset.sequences),
        "training events": sum(map(len, dataset.sequences)),
        **({} if draw is None else {"drawn": str(draw)}),
        "dev questions": len(dataset.dev),
        "positive": "all" if settings.events.positive is None else settings.events.positive,
        "seed": settings.training.seed,
        **_describe_bundle(settings),
        "recency": settings.profile.recency,
        "tail share": settings.recommend.tail_share,
        "path": str(settings.recommend.path),
    }


def _describe_bundle(settings: Settings) -> dict[str, int | float | str]:
    """Return the bundle that an index is built with, and what it knows more than is judged."""
    try:
        bundle = find_serving_bundle(settings)
    except BundleError:
        # most baselines read no bundle: then none has to be there
        return {"bundle": Path(settings.encoder.bundle).name}
    learnt = bundle.origin.get("fit", {}).get("events")
    # it is fitted anew for each protocol, from the training events alone
    serves = {} if learnt is None else {"events learnt by what serves": learnt}
    # a nightly fit keeps the name
    return {"bundle": bundle.name, "fingerprint": bundle.fingerprint, **serves}
