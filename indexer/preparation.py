"""What a new index is made with, read before anything is written: bundle, survey, images, texts."""

from collections.abc import Sequence
from dataclasses import dataclass

from seealso.cluster import Cluster
from seealso.config import Settings, with_fitted
from seealso.encoder import Bundle, ImageVectors, fit_note
from seealso.indexer.binding import (
    bind_to_catalogue,
    bound_dimension,
    sample_texts,
    whitening_note,
)
from seealso.indexer.images import images_for
from seealso.indexer.inputs import Inputs, Survey, survey
from seealso.indexer.memory import GraphMemory, plan_memory
from seealso.log import progress


@dataclass(frozen=True)
class Preparation:
    """A catalogue that was read once, and what its items will be encoded with.

    Attributes
    ----------
    base
        The bundle of the settings, not yet bound to the texts.
    settings
        Those of the caller, with the values that the bundle was fitted with.
    survey
        What the catalogue and the events are.
    images
        Of the items; None for a bundle without.
    texts
        Of a sample of the items.
    """

    base: Bundle
    settings: Settings
    survey: Survey
    images: ImageVectors | None
    texts: Sequence[str]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed, left out or degraded, a sentence each."""
        degraded = (
            # without events, texts are all there is
            fit_note(self.settings, self.base) if self.survey.events.events else None,
            whitening_note(self.base, self.texts, self.settings),
        )
        return (*self.survey.notes(), *(note for note in degraded if note))

    def plan_memory(self, cluster: Cluster) -> GraphMemory:
        """Return what the graph of the items will take; raises what `memory.plan_memory` raises."""
        dimension = bound_dimension(self.base, self.settings)
        return plan_memory(cluster, self.survey.items, dimension, self.settings.index)

    def bind(self) -> Bundle:
        """Return the bundle, bound to the texts; raises what `bind_to_catalogue` raises."""
        return bind_to_catalogue(self.base, self.texts, self.settings)


def prepare(
    base: Bundle, settings: Settings, source: Inputs, *, allow_unmatched: bool
) -> Preparation:
    """Read catalogue, events and images once.

    Parameters
    ----------
    base
        The bundle of the settings.
    settings, source
        How and what to read.
    allow_unmatched
        Go on where more than half of the events name items that the catalogue does not have.

    Raises
    ------
    DataError
        The catalogue or its images cannot be used, most items have no text, or most events name
        other items.
    BundleError
        The bundle was fitted with images, and `source` has none or others.
    """
    settings = with_fitted(settings, base.fitted)
    images = images_for(base, source.images)
    with progress("reading") as tick:
        found = survey(source, settings, tick)
    if not allow_unmatched:
        found.require_matched()
    texts = sample_texts(found.sample, settings, images)
    return Preparation(base, settings, found, images, texts)
