"""Which model reads the texts: the one that is named, or a fine-tuned one whose lists gain on dev.

Text alone can gain from fine-tuning where the list joined with behaviour gains nothing. So both are
fitted, and the joined lists are compared, user by user.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seealso.config import Settings
from seealso.datasets.intervals import Estimate, Values, estimate
from seealso.encoder import Bundle, BundleStore
from seealso.errors import BundleError
from seealso.fitting.bundles import strip_collaborative


@dataclass(frozen=True, slots=True)
class FineTuned:
    """A fine-tuned model beside the one that `encoder.bundle` names, by their joined lists.

    Attributes
    ----------
    bundle
        The fine-tuned one.
    before, after
        NDCG@10 on dev of the lists with the named model, and with the fine-tuned one.
    difference
        After minus before, with its 95 % paired bootstrap interval.
    """

    bundle: str
    before: float
    after: float
    difference: Estimate

    @classmethod
    def compare(cls, bundle: str, before: Values, after: Values, seed: int) -> "FineTuned":
        """Compare NDCG@10 of the same dev users, shapes (users,)."""
        return cls(
            bundle, float(before.mean()), float(after.mean()), estimate(after - before, seed)
        )

    @property
    def chosen(self) -> bool:
        """Whether its lists are better beyond chance."""
        return self.difference.standing == "better"

    def __str__(self) -> str:
        change = self.difference
        verdict = "it reads the texts" if self.chosen else "not used, as that may be chance"
        verdict = "not used" if change.standing == "worse" else verdict
        return (
            f"{self.bundle}: NDCG@10 {self.before:.4f} -> {self.after:.4f}, {change.mean:+.4f} "
            f"({change.low:+.4f} to {change.high:+.4f}): {verdict}"
        )


def find_text_models(settings: Settings) -> tuple[Sequence[Bundle], Sequence[str]]:
    """Return the model that is named, the fine-tuned one if there is one, and notes.

    Without their collaborative parts and images, which are fitted anew.

    Raises
    ------
    BundleError
        The one that `encoder.bundle` names is not in the store, or is damaged.
    """
    store, trained = BundleStore(settings.encoder.store), settings.tuned_name
    named = _only_texts(store.find(settings.encoder.bundle))
    if trained == settings.encoder.bundle or not store.has(trained):
        return [named], ()
    try:
        return [named, _only_texts(store.find(trained))], ()
    except BundleError as exc:
        return [named], (f"the fine-tuned model took no part: {exc.message}",)


def _only_texts(bundle: Bundle) -> Bundle:
    bare = strip_collaborative(bundle)
    return replace(bare, images=None, dimension=bare.text_dimension)
