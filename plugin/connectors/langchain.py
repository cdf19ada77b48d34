"""A LangChain retriever: the query is what a user says, the documents are recommended items."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pydantic import Field

from seealso.errors import MissingExtraError
from seealso.plugin.connectors.contents import content, facts
from seealso.plugin.ranking.options import Filter
from seealso.plugin.recommender import Recommender

try:
    from langchain_core.callbacks import (
        AsyncCallbackManagerForRetrieverRun,
        CallbackManagerForRetrieverRun,
    )
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables.config import run_in_executor
except ImportError as exc:
    raise MissingExtraError.of("langchain-core", "langchain") from exc


class CallOptions(TypedDict, total=False):
    """What a call takes beside the query, as `Recommender.recommend` does."""

    user_id: str | None
    history: Sequence[str] | None
    attributes: Mapping[str, Any] | None
    filters: Filter | Sequence[Filter] | None
    k: int | None
    min_probability: float | None
    tail_share: float | None
    diversity: float | None


class SeeAlsoRetriever(BaseRetriever):
    """Recommended items as documents, best first.

    Whatever a call takes beside the query can be bound (``retriever.bind(user_id="ann")``);
    ``k``, ``filters`` and ``user_id`` can be made configurable fields.
    """

    recommender: Recommender = Field(exclude=True, repr=False)
    """Makes the lists."""
    k: int | None = Field(None, ge=1)
    """Length of a list; ``recommend.size`` of the settings by default."""
    filters: Filter | Sequence[Filter] | None = None
    """Query DSL clauses that every item satisfies."""
    user_id: str | None = None
    """Whom the lists are for, where a call does not say."""
    content: tuple[str, ...] | None = None
    """Fields that make the text of a document; the catalogue's text columns by default."""

    @classmethod
    def open(
        cls,
        config: Path | None = None,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        **fields: Any,
    ) -> "SeeAlsoRetriever":
        """Return a retriever for a settings file.

        Parameters
        ----------
        config, overrides
            As for `seealso.config.load_settings`; secrets come from the environment.
        **fields
            ``k``, ``filters``, ``user_id``, ``content``, and those of every retriever.

        Raises
        ------
        SeeAlsoError
            Settings, events, cluster, index or bundle cannot be used.
        """
        return cls(recommender=Recommender.from_config(config, overrides=overrides), **fields)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,  # noqa: ARG002
        user_id: str | None = None,
        history: Sequence[str] | None = None,
        attributes: Mapping[str, Any] | None = None,
        filters: Filter | Sequence[Filter] | None = None,
        k: int | None = None,
        min_probability: float | None = None,
        tail_share: float | None = None,
        diversity: float | None = None,
    ) -> list[Document]:
        """Return the list for a query; arguments as for `Recommender.recommend`."""
        found = self.recommender.recommend(
            self.user_id if user_id is None else user_id,
            history=history,
            words=query,
            attributes=attributes,
            size=k or self.k,
            filters=filters or self.filters,
            min_probability=min_probability,
            tail_share=tail_share,
            diversity=diversity,
        )
        fields = self.content or self.recommender.settings.catalogue.text
        return [
            Document(id=item.item_id, page_content=content(item, fields), metadata=facts(item))
            for item in found
        ]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        **options: Unpack[CallOptions],
    ) -> list[Document]:
        # the base class does the same, but leaves the arguments of the call behind
        return await run_in_executor(
            None,
            self._get_relevant_documents,
            query,
            run_manager=run_manager.get_sync(),
            **options,
        )
