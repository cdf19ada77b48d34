"""Query templates: which there are, what they ask for, and what they make of values."""

from typing import Any

import numpy as np
import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from seealso.cli.main import cli
from seealso.errors import TemplateError
from seealso.query_templates import msearch, names, parameters, render, script_id, source

ALL = (
    "ann",
    "exact",
    "group",
    "importance",
    "boosted",
    "reference_cosine",
    "reference_euclidean",
    "reference_manhattan",
    "tail",
)
RANKING = tuple(name for name in ALL if name not in ("group", "importance", "tail"))
EMPTY: dict[str, Any] = {"bool": {"filter": []}}
NEEDED: dict[str, Any] = {
    "vector": [0.5, -0.25],
    "words": "red shoes",
    "candidates": [{"match_all": {}}],
    "members": [{"exists": {"field": "vector", "_name": "0"}}],
    "ids": ["i1"],
    "boosts": {"i1": 0.5},
}


def body(name: str, **params: Any) -> Any:
    return orjson.loads(render(name, {**NEEDED, **params}))


def search_part(name: str, **params: Any) -> Any:
    """The bool query that restricts, or the knn filter."""
    query = body(name, **params)["query"]
    if name == "ann":
        return query["knn"]["vector"].get("filter", {}).get("bool", {})
    if name in ("group", "tail"):
        return query["bool"]["filter"]["function_score"]["query"]["bool"]
    return query["script_score" if name in RANKING else "function_score"]["query"]["bool"]


def words_part(name: str, **params: Any) -> Any:
    """The bool query that scores by words."""
    return body(name, **params)["query"]["bool"]


def test_names_are_the_files() -> None:
    # the one that takes a whole body has tests of its own
    assert names() == tuple(sorted((*ALL, "personalise")))
    assert [script_id(name) for name in ("ann", "tail")] == ["seealso-ann", "seealso-tail"]


def test_unknown_template_lists_those_there_are() -> None:
    with pytest.raises(TemplateError, match="hybrid: no such query template") as caught:
        source("hybrid")
    assert caught.value.hint is not None
    assert all(name in caught.value.hint for name in ALL)
    with pytest.raises(TemplateError, match="hybrid"):
        render("hybrid", NEEDED)


@pytest.mark.parametrize("name", ALL)
def test_source_holds_the_script_and_no_partial(name: str) -> None:
    assert "{{>" not in source(name)
    assert ("double " in source(name)) == (
        name in ("boosted", "tail") or name.startswith("reference_")
    )


def test_parameters_and_which_are_needed() -> None:
    assert [p for p, needed in parameters("exact").items() if needed] == ["vector"]
    assert [p for p, needed in parameters("tail").items() if needed] == ["words"]
    assert not any(parameters("importance").values())
    assert set(parameters("ann")) == {
        *("vector", "size", "k", "ef_search", "exclude", "filter", "min_score", "source"),
        *("rescore", "docvalues"),
    }
    assert {"b", "T"} <= set(parameters("reference_manhattan"))


@pytest.mark.parametrize("name", ALL)
def test_defaults(name: str) -> None:
    made = body(name)
    assert made["size"] == 10
    assert made["_source"] == {"excludes": ["vector"]}
    assert "min_score" not in made
    assert "must_not" not in search_part(name)


@pytest.mark.parametrize("name", ALL)
def test_size_source_min_score(name: str) -> None:
    made = body(name, size=0, source=["item_id"], min_score=0)
    assert (made["size"], made["min_score"]) == (0, 0)
    assert made["_source"] == {"includes": ["item_id"], "excludes": []}


@pytest.mark.parametrize("name", ALL)
def test_hits_bring_columns_in_place_of_documents(name: str) -> None:
    made = body(name, docvalues=["item_id", "tail"], source=["title"])
    assert made["docvalue_fields"] == ["item_id", "tail"]
    # what is stored is not read at all, not even the id
    assert (made["_source"], made["stored_fields"]) == (False, "_none_")
    assert made["query"] == body(name)["query"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("exclude", [["a"], ["a", 'b"', "0"]])
@pytest.mark.parametrize("clauses", [[], [{"term": {"genre": "jazz"}}, {"exists": {"field": "y"}}]])
def test_exclude_and_filter_restrict_inside_the_query(
    name: str, exclude: list[str], clauses: list[dict[str, Any]]
) -> None:
    restricting = search_part(name, exclude=exclude, filter=clauses)
    assert restricting["must_not"] == {"ids": {"values": exclude}}
    given_filter = restricting.get("filter", [])
    if name not in ("ann", "group", "importance"):
        assert given_filter[0] != {"bool": {"filter": clauses}}
        given_filter = [
            clause for wrapped in given_filter[1:] for clause in wrapped["bool"]["filter"]
        ]
    assert given_filter == clauses


def test_ann_asks_for_as_many_neighbours_as_results() -> None:
    assert body("ann")["query"]["knn"]["vector"] == {"k": 10, "vector": [0.5, -0.25]}
    assert body("ann", size=3)["query"]["knn"]["vector"]["k"] == 3
    chosen = body("ann", size=3, k=7, ef_search=50)["query"]["knn"]["vector"]
    assert (chosen["k"], chosen["method_parameters"]) == (7, {"ef_search": 50})


def test_what_rounded_vectors_found_is_compared_again() -> None:
    vector = [0.5, -0.5]
    assert "rescore" not in body("ann", vector=vector)
    again = body("ann", vector=vector, rescore=20)["rescore"]
    assert again["window_size"] == 20
    # the first score has no part in the second one
    assert again["query"]["query_weight"] == 0
    script = again["query"]["rescore_query"]["script_score"]["script"]
    assert script == body("exact", vector=vector)["query"]["script_score"]["script"]


def test_reference_calibration() -> None:
    script = body("reference_cosine")["query"]["script_score"]["script"]
    assert script["params"] == {"vector": [0.5, -0.25], "b": 0, "T": 1}
    script = body("reference_cosine", b=-0.5, T=2)["query"]["script_score"]["script"]
    assert script["params"] == {"vector": [0.5, -0.25], "b": -0.5, "T": 2}


def test_tail_without_a_vector_is_bm25_alone() -> None:
    assert "script_fields" not in body("tail", vector=None, weight=0.5)
    assert "should" not in words_part("tail", vector=None, weight=0.5)


def test_tail_with_a_vector_tells_the_similarity_and_adds_it_if_it_has_a_weight() -> None:
    told = body("tail", vector=[0.0, 1.0])["script_fields"]["x"]["script"]["params"]
    assert told == {"vector": [0.0, 1.0], "space": "innerproduct"}
    assert "should" not in words_part("tail")
    assert words_part("tail", weight=0.5)["should"]["script_score"]["boost"] == 0.5
    script = words_part("tail", weight=0.5, space="l1")["should"]["script_score"]["script"]
    assert script["params"]["space_type"] == "l1"


def test_tail_explains_its_scores_where_asked_to() -> None:
    assert "explain" not in body("tail")
    assert body("tail", explain=True)["explain"] is True


def test_tail_fields() -> None:
    assert words_part("tail")["must"]["multi_match"]["fields"] == ["text"]
    chosen = words_part("tail", fields=["title^2", "text"])["must"]["multi_match"]
    assert chosen["fields"] == ["title^2", "text"]


def test_a_group_is_scored_behind_the_query_and_nothing_is_lost_by_it() -> None:
    made = body("group")
    assert made["query"]["bool"]["should"] == NEEDED["candidates"]
    assert made["query"]["bool"]["minimum_should_match"] == 1
    assert made["post_filter"]["bool"] == {"must": {"match_all": {}}, "should": NEEDED["members"]}


@given(st.text())
def test_user_text_arrives_as_it_was_and_nowhere_else(words: str) -> None:
    plain = body("tail", words="x")
    made = body("tail", words=words)
    assert made["query"]["bool"]["must"]["multi_match"].pop("query") == words
    plain["query"]["bool"]["must"]["multi_match"].pop("query")
    assert made == plain


@pytest.mark.parametrize(
    "words",
    ['", "size": 1000, "x": "', "}}", "{{vector}}", "{{#toJson}}vector{{/toJson}}", "\\", '\\"'],
)
def test_user_text_cannot_add_to_the_query(words: str) -> None:
    made = body("tail", words=words)
    assert made["size"] == 10
    assert made["query"]["bool"]["must"]["multi_match"]["query"] == words


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
def test_arrays_and_lists_give_the_same(dtype: str) -> None:
    array = np.array([1, 0, -3], dtype=dtype)
    assert body("exact", vector=array) == body("exact", vector=[1, 0, -3])


def test_float32_keeps_its_short_digits_and_strides_do_not_matter() -> None:
    vector = np.array([0.1, 9.0, 0.2, 9.0], dtype=np.float32)[::2]
    assert b'"query_value":[0.1,0.2]' in render("exact", {"vector": vector})


@pytest.mark.parametrize("name", ALL)
def test_a_missing_needed_parameter_is_named(name: str) -> None:
    for needed in (parameter for parameter, must in parameters(name).items() if must):
        left = {key: value for key, value in NEEDED.items() if key != needed}
        with pytest.raises(TemplateError, match=f"{name}: parameter {needed} is missing"):
            render(name, left)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("vector", [0.0, float("nan")], "has nan at position 1"),
        ("vector", np.array([np.inf], dtype=np.float32), "has inf at position 0"),
        ("vector", [[1.0]], "flat list of numbers"),
        ("vector", [[1.0], [1.0, 2.0]], "flat list of numbers"),
        ("vector", [], "is empty"),
        ("vector", "1, 2", "flat list of numbers"),
        ("vector", [True], "flat list of numbers"),
        ("size", -1, "whole number from 0"),
        ("size", '10, "x": 1', "whole number from 0"),
        ("size", True, "whole number"),
        ("size", 1.5, "whole number"),
        ("exclude", "abc", "list of strings, not a str"),
        ("exclude", [7], "holds a int"),
        ("filter", {"term": {"a": 1}}, "list of query clauses, not a dict"),
        ("filter", ["a"], "objects"),
        ("filter", [{"term": {"a": object()}}], "JSON"),
        ("source", 3, "list of strings"),
        ("min_score", float("nan"), "number from 0 on"),
        ("min_score", -0.5, "number from 0 on"),
    ],
)
def test_a_wrong_value_names_template_parameter_and_need(
    parameter: str, value: Any, message: str
) -> None:
    with pytest.raises(TemplateError, match="exact: parameter " + parameter) as caught:
        render("exact", {**NEEDED, parameter: value})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("reference_cosine", "T", 0),
        ("reference_cosine", "b", "0"),
        ("ann", "k", 0),
        ("ann", "ef_search", 0),
        ("tail", "words", ["a"]),
        ("tail", "words", "\ud800"),
        ("tail", "weight", -1),
        ("tail", "explain", "yes"),
    ],
)
def test_wrong_values_of_single_templates(name: str, parameter: str, value: Any) -> None:
    with pytest.raises(TemplateError, match=f"{name}: parameter {parameter}"):
        render(name, {**NEEDED, parameter: value})


def test_a_misspelt_parameter_is_refused_and_one_of_another_template_is_not() -> None:
    with pytest.raises(TemplateError, match="exact: unknown parameter excludes"):
        render("exact", {**NEEDED, "excludes": ["a"]})
    assert body("exact", ef_search=5, T=2.0) == body("exact")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("nothing", [None, False])
def test_none_and_false_count_as_not_given(name: str, nothing: Any) -> None:
    optional = {parameter for parameter, must in parameters(name).items() if not must}
    params = {**NEEDED, **dict.fromkeys(optional - {"vector"}, nothing)}
    assert render(name, params) == render(name, NEEDED)


@pytest.mark.parametrize("name", ALL)
def test_empty_lists_restrict_nothing_and_still_leave_the_vector_out(name: str) -> None:
    restricting = search_part(name, exclude=[], filter=[])
    assert restricting["must_not"] == {"ids": {"values": []}}
    assert restricting["filter"] in ([], [*search_part(name).get("filter", []), EMPTY])
    assert body(name, source=[])["_source"] == {"includes": [], "excludes": ["vector"]}


def test_msearch_is_one_header_and_one_line_each() -> None:
    bodies = [render("exact", NEEDED), render("tail", {"words": "a\nb"})]
    lines = msearch("films", bodies).split(b"\n")
    assert lines == [b'{"index":"films"}', bodies[0], b'{"index":"films"}', bodies[1], b""]


@pytest.mark.parametrize("name", ALL)
def test_a_template_may_be_named_by_its_id(name: str) -> None:
    shown = [CliRunner().invoke(cli, ["templates", "show", one]) for one in (name, script_id(name))]
    assert [one.exit_code for one in shown] == [0, 0]
    assert shown[0].output == shown[1].output
    assert source(name).strip() in shown[0].output
