"""A Haystack component: the query is what a user says, the documents are recommended items."""

from collections.abc import Sequence
from typing import Any

from seealso.errors import MissingExtraError
from seealso.plugin.connectors.contents import content, facts
from seealso.plugin.connectors.haystack_filters import clauses
from seealso.plugin.recommender import Recommender

try:
    from haystack import Document, component, default_from_dict, default_to_dict
except ImportError as exc:
    raise MissingExtraError.of("haystack-ai", "haystack") from exc


@component
class SeeAlsoRetriever:
    """Recommended items as documents, best first.

    Parameters
    ----------
    config
        The settings file; ``seealso.toml`` of the working folder by default. Secrets come from
        the environment, so that a saved pipeline holds none.
    overrides
        ``{section: {name: value}}``, above the file and the environment.
    top_k
        Length of a list; ``recommend.size`` of the settings by default.
    filters
        What every item satisfies, in Haystack's filter language or as a query DSL clause.
    content
        Fields that make the text of a document; the catalogue's text columns by default.
    """

    def __init__(
        self,
        config: str | None = None,
        overrides: dict[str, dict[str, Any]] | None = None,
        top_k: int | None = None,
        filters: dict[str, Any] | None = None,
        content: list[str] | None = None,
    ) -> None:
        self.config = config
        self.overrides = overrides
        self.top_k = top_k
        self.filters = filters
        self.content = content
        self._recommender: Recommender | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the component as a saved pipeline holds it."""
        saved: dict[str, Any] = default_to_dict(
            self,
            config=self.config,
            overrides=self.overrides,
            top_k=self.top_k,
            filters=self.filters,
            content=self.content,
        )
        return saved

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "SeeAlsoRetriever":
        """Return the component that `to_dict` saved."""
        found: SeeAlsoRetriever = default_from_dict(cls, saved)
        return found

    def warm_up(self) -> None:
        """Read settings and events and load the model; a second time does nothing.

        Raises
        ------
        SeeAlsoError
            Settings, events, cluster, index or bundle cannot be used.
        """
        self._opened()

    def _opened(self) -> Recommender:
        if self._recommender is None:
            self._recommender = Recommender.from_config(
                self.config or None, overrides=self.overrides
            )
        return self._recommender

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        user_id: str | None = None,
        history: list[str] | None = None,
        attributes: dict[str, Any] | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        min_probability: float | None = None,
    ) -> dict[str, list[Document]]:
        """Return the list for a query as ``documents``.

        Parameters
        ----------
        query
            The user's own words.
        user_id, history, attributes, min_probability
            As for `Recommender.recommend`.
        filters, top_k
            Instead of the component's own.

        Raises
        ------
        SeeAlsoError
            An argument is of no use, or OpenSearch does not answer.
        """
        recommender = self._opened()
        found = recommender.recommend(
            user_id,
            history=history,
            words=query,
            attributes=attributes,
            size=top_k or self.top_k,
            filters=clauses(filters or self.filters),
            min_probability=min_probability,
        )
        fields: Sequence[str] = self.content or recommender.settings.catalogue.text
        return {
            "documents": [
                Document(
                    id=item.item_id,
                    content=content(item, fields),
                    meta=facts(item),
                    score=item.probability,
                )
                for item in found
            ]
        }
