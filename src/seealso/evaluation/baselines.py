"""Methods to be compared with: each fitted and tuned on the same dataset as any other system."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from seealso.config import Settings
from seealso.errors import ConfigError
from seealso.evaluation import BASELINES
from seealso.evaluation.sequences import Limits, SequenceBaseline
from seealso.evaluation.tuning import Baseline
from seealso.models.bm25 import fit_bm25
from seealso.models.ease import fit_ease
from seealso.models.ials import fit_ials
from seealso.models.item_knn import fit_item_knn
from seealso.models.popularity import fit_popularity
from seealso.models.text import open_text_model

IALS: Final[Mapping[str, Sequence[float]]] = MappingProxyType(
    {"alpha": (40, 5), "regularisation": (10, 1, 50, 200), "factors": (128, 32, 512)}
)
"""Values that are tried for iALS, the first ones first."""

SASREC: Final[Mapping[str, Sequence[float]]] = MappingProxyType(
    {"dropout": (0.5, 0.2), "dimension": (64, 128), "length": (50, 20)}
)
"""Values that are tried for SASRec: few, for each is a training."""


def baselines(
    settings: Settings, names: Sequence[str] | None = None
) -> list[Baseline | SequenceBaseline]:
    """Return the baselines `names` with the values that are tried.

    Parameters
    ----------
    settings
        ``encoder`` names the language model of ``text``; ``training.seed`` is used.
    names
        Of `BASELINES`; None for all that end in minutes. What is named has no limit.

    Raises
    ------
    ConfigError
        There is no baseline of that name.
    BundleError
        The bundle of ``text`` is not in the store.
    """
    for name in names or ():
        if name not in BASELINES:
            raise ConfigError(
                f"baseline {name!r}: there is none", hint=f"choose one of {', '.join(BASELINES)}"
            )
    limits = Limits() if names is None else None
    chosen = BASELINES if names is None else names
    return [_baseline(name, settings, limits) for name in BASELINES if name in chosen]


def _baseline(name: str, settings: Settings, limits: Limits | None) -> Baseline | SequenceBaseline:
    if name == "sasrec":
        return SequenceBaseline(name, SASREC, settings.training.seed, limits)
    if name == "popularity":
        return Baseline(name, fit_popularity, recencies=(1.0,))
    if name == "itemknn":
        return Baseline(name, fit_item_knn, {"k": (1000, 100), "shrink": (10, 0, 100)})
    if name == "ease":
        return Baseline(name, fit_ease, {"regularisation": (50, 10, 250, 1000)})
    if name == "ials":
        return Baseline(name, fit_ials, IALS)
    if name == "bm25":
        return Baseline(name, fit_bm25, {"b": (0.75, 0.25), "k1": (1.2,)}, reads=True)
    frozen = open_text_model(settings)
    if name == "ials-ridge":
        grid = {"ridge": (10, 1, 100), **{name: values[:1] for name, values in IALS.items()}}
        return Baseline(name, frozen.fit_ridge, grid, reads=True, first=frozen.read)
    return Baseline(name, frozen.fit, {"whitened": (1, 0)}, reads=True, first=frozen.read)
