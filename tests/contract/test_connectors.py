"""Connectors: each framework gets the lists that the library gives, and its own tests pass."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from haystack import Document as HaystackDocument
from haystack import Pipeline
from haystack.utils.filters import document_matches_filter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.runnables import ConfigurableField
from langchain_tests.integration_tests import RetrieversIntegrationTests

from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.errors import ConfigError, DataError
from seealso.plugin.connectors.haystack import SeeAlsoRetriever as Component
from seealso.plugin.connectors.langchain import SeeAlsoRetriever
from seealso.plugin.recommendations import RecommendationList
from tests.library import BOOKS, KINDS, TEXTLESS, Library

MODULES = ["seealso.plugin.connectors.*"]


@pytest.fixture(scope="module")
def library(
    opensearch: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("connected")
    library = Library.found(folder, opensearch.url, f"books-{uuid4().hex[:8]}", tiny)
    library.build()
    yield library
    library.close()


@pytest.fixture(scope="module")
def retriever(library: Library) -> SeeAlsoRetriever:
    return SeeAlsoRetriever.open(library.config)


@pytest.fixture(scope="module")
def component(library: Library) -> Component:
    made = Component(str(library.config))
    made.warm_up()
    return made


Answer = list[tuple[str | None, str | None, dict[str, Any]]]
Ask = Callable[..., Answer]


@pytest.fixture(params=["langchain", "haystack"])
def ask(request: pytest.FixtureRequest, retriever: SeeAlsoRetriever, component: Component) -> Ask:
    """Ask a connector; what comes back is id, text and facts of each document."""

    def langchain(query: str, size: int | None = None, **asked: Any) -> Answer:
        found = retriever.invoke(query, k=size, **asked)
        return [(one.id, one.page_content, one.metadata) for one in found]

    def haystack(query: str, size: int | None = None, **asked: Any) -> Answer:
        found = component.run(query, top_k=size, **asked)["documents"]
        return [(one.id, one.content, one.meta) for one in found]

    return {"langchain": langchain, "haystack": haystack}[request.param]


def ids(answer: Answer) -> list[str | None]:
    return [item_id for item_id, _, _ in answer]


POETRY = {"term": {"kind": "poetry"}}

ASKED = [
    {"words": "a castle of poetry"},
    {"words": "a castle", "user_id": "u1"},
    {"words": "a castle", "history": ["b1", "b2"], "size": 3},
    {"words": "", "user_id": "u3", "filters": POETRY},
    {"words": "", "attributes": {"likes": "castle"}, "min_probability": 0.5},
    {"words": "", "size": 60},
]


@pytest.mark.parametrize("asked", ASKED)
def test_the_list_is_that_of_the_library(library: Library, ask: Ask, asked: dict[str, Any]) -> None:
    expected: RecommendationList = library.recommender().recommend(**asked)
    own = {name: value for name, value in asked.items() if name != "words"}
    answer = ask(asked["words"], **own)
    assert ids(answer) == expected.ids
    for (_, text, said), item in zip(answer, expected, strict=True):
        assert text == item.fields.get("title", item.fields["kind"])
        assert said == {
            **item.fields,
            "item_id": item.item_id,
            "probability": item.probability,
            "importance": item.importance,
            "tail": item.tail,
            "by": item.source.value,
        }


def test_an_unknown_user_gets_the_list_of_the_words(ask: Ask) -> None:
    assert ids(ask("a castle", user_id="nobody")) == ids(ask("a castle"))


def test_words_are_only_words(ask: Ask) -> None:
    assert len(ask('"}} {{#toJson}}x{{/toJson}} *:* [bold]', size=5)) == 5


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"size": -1}, "size"), ({"history": "b1"}, "history"), ({"min_probability": 2}, "prob")],
)
def test_wrong_arguments_are_named(ask: Ask, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises((ConfigError, DataError), match=says):
        ask("a castle", **wrong)


class TestLangChainStandard(RetrieversIntegrationTests):
    """LangChain's own tests of retrievers."""

    library: Library

    @pytest.fixture(autouse=True)
    def on_a_library(self, library: Library) -> None:
        self.library = library

    @property
    def retriever_constructor(self) -> type[SeeAlsoRetriever]:
        return SeeAlsoRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"recommender": self.library.recommender()}

    @property
    def retriever_query_example(self) -> str:
        return "a castle of poetry"


def lc_ids(documents: Sequence[Document]) -> list[str | None]:
    return [one.id for one in documents]


def test_a_call_is_bound_or_configured(library: Library, retriever: SeeAlsoRetriever) -> None:
    expected = library.recommender().recommend("u1", words="castle", size=4).ids
    assert lc_ids(retriever.bind(user_id="u1", k=4).invoke("castle")) == expected
    field = ConfigurableField(id="user_id")
    chain = retriever.configurable_fields(user_id=field).bind(k=4) | lc_ids
    whom = {"configurable": {"user_id": "u1"}}
    assert chain.invoke("castle", config=whom) == expected
    assert chain.batch(["castle"], config=whom) == [chain.invoke("castle", config=whom)]


async def test_arguments_of_a_call_come_along_asynchronously(retriever: SeeAlsoRetriever) -> None:
    asked = {"user_id": "u1", "k": 4, "filters": POETRY}
    found = await retriever.ainvoke("castle", **asked)
    assert lc_ids(found) == lc_ids(retriever.invoke("castle", **asked))
    assert {one.metadata["kind"] for one in found} == {"poetry"}


def test_a_retriever_shows_nothing_of_the_cluster(retriever: SeeAlsoRetriever) -> None:
    assert "recommender" not in repr(retriever)
    assert "recommender" not in retriever.model_dump()


def pipeline(component: Component) -> Pipeline:
    made = Pipeline()
    made.add_component("seealso", component)
    return made


def test_a_pipeline_runs_is_saved_and_runs_again(library: Library) -> None:
    component = Component(
        str(library.config), {"recommend": {"size": 5}}, filters=POETRY, content=["title", "kind"]
    )
    first = pipeline(component)
    asked = {"seealso": {"query": "castle", "user_id": "u1"}}
    found = first.run(asked)["seealso"]["documents"]
    expected = library.recommender().recommend("u1", words="castle", size=5, filters=POETRY)
    assert [one.id for one in found] == expected.ids
    assert [one.score for one in found] == [item.probability for item in expected]
    assert found[0].content == f"{expected[0].fields['title']}\npoetry"

    saved = first.dumps()
    again = Pipeline.loads(saved, allowed_modules=MODULES)
    assert again.to_dict() == first.to_dict()
    assert again.run(asked)["seealso"]["documents"] == found
    assert [HaystackDocument.from_dict(one.to_dict()) for one in found] == found


def test_a_component_is_saved_and_made_again() -> None:
    made = Component("books.toml", {"recommend": {"size": 5}}, 3, POETRY, ["title"])
    saved = made.to_dict()
    assert saved == {
        "type": "seealso.plugin.connectors.haystack.SeeAlsoRetriever",
        "init_parameters": {
            "config": "books.toml",
            "overrides": {"recommend": {"size": 5}},
            "top_k": 3,
            "filters": POETRY,
            "content": ["title"],
        },
    }
    assert Component.from_dict(saved).to_dict() == saved
    strip_collaborative = Component().to_dict()
    assert Component.from_dict(strip_collaborative).to_dict() == strip_collaborative


async def test_a_pipeline_runs_asynchronously(component: Component) -> None:
    asked = {"query": "castle", "user_id": "u1"}
    found = await pipeline(Component(component.config)).run_async({"seealso": asked})
    assert found["seealso"] == component.run(**asked)


def comparisons() -> st.SearchStrategy[dict[str, Any]]:
    kinds = st.sampled_from([*KINDS, "none of them"])
    years = st.integers(1898, 1900 + BOOKS)
    equal = st.sampled_from(["==", "!="])
    among = st.sampled_from(["in", "not in"])
    ordered = st.sampled_from([">", ">=", "<", "<="])

    def condition(field: str, operator: Any, value: Any) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {"field": st.just(field), "operator": operator, "value": value}
        )

    return st.one_of(
        condition("meta.kind", equal, st.one_of(kinds, st.none())),
        condition("meta.kind", among, st.lists(kinds, max_size=3)),
        condition("meta.year", equal, years),
        condition("meta.year", ordered, st.one_of(years, st.none())),
        condition("id", among, st.lists(st.sampled_from(["b1", "b40", TEXTLESS]), max_size=2)),
        condition("meta.tail", equal, st.booleans()),
    )


def filters() -> st.SearchStrategy[dict[str, Any]]:
    def logical(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {
                "operator": st.sampled_from(["AND", "OR", "NOT"]),
                "conditions": st.lists(inner, max_size=3),
            }
        )

    return st.recursive(comparisons(), logical, max_leaves=5)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(chosen=filters())
def test_haystack_filters_mean_what_haystack_says(
    component: Component, chosen: dict[str, Any]
) -> None:
    every = component.run("", top_k=BOOKS)["documents"]
    assert len(every) == BOOKS
    found = component.run("", top_k=BOOKS, filters=chosen)["documents"]
    expected = {one.id for one in every if document_matches_filter(chosen, one)}
    assert {one.id for one in found} == expected


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"operator": "XOR", "conditions": []}, "XOR"),
        ({"operator": "AND"}, "list of conditions"),
        ({"field": "meta.kind", "operator": "=="}, "field and value"),
        ({"field": "meta.kind", "operator": "in", "value": "poetry"}, "need a list"),
        ({"field": "meta.year", "operator": ">", "value": [1]}, "compared"),
        ({"field": "content", "operator": "==", "value": "x"}, "content is not a field"),
        (
            {"field": "meta.probability", "operator": ">", "value": 0.5},
            "probability is not a field",
        ),
    ],
)
def test_filters_of_no_use_are_named(
    component: Component, filters: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        component.run("castle", filters=filters)
    assert "operator" in str(caught.value.hint)


def test_a_filter_on_a_field_that_is_not_there_is_refused(component: Component) -> None:
    for operator in ("==", "!="):
        absent = {"field": "meta.absent", "operator": operator, "value": "poetry"}
        with pytest.raises(ConfigError, match="has no field 'absent'"):
            component.run("castle", filters=absent)
