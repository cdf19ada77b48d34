"""The modules of the playground that only compute, in a real browser: known values, and addresses.

They are imported as the page imports them, from a site that serves nothing else.
"""

import json
import shlex
from ast import literal_eval
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import PATIENCE
from tests.snippets import ROOT

STATIC = ROOT / "plugin" / "service" / "playground" / "static"
SITE = "http://modules.test/"
HARD = "it's \"$HOME\" `id` \\ $(id) !! \n\t– 日本 \u2028 %41 'end'"
"""What a shell, Python or an address could read otherwise than it stands."""

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a site that serves the modules."""

    def answer(route: Route) -> None:
        file = STATIC / Path(route.request.url).name
        if file.suffix == ".js":
            route.fulfill(path=file, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    with chromium.new_context() as context:
        context.set_default_timeout(PATIENCE)
        context.route(f"{SITE}**", answer)
        opened = context.new_page()
        opened.goto(SITE)
        yield opened


@pytest.fixture
def call(page: Page) -> Call:
    """Call a function of a module."""

    def of(module: str, name: str, *values: Any) -> Any:
        return page.evaluate(
            "async ([module, name, values]) => (await import(module))[name](...values)",
            [f"{SITE}{module}.js", name, list(values)],
        )

    return of


def agreement(one: Sequence[str], other: Sequence[str], depth: int) -> float:
    return len({*one[:depth]} & {*other[:depth]}) / depth


def indefinite_overlap(one: Sequence[str], other: Sequence[str], p: float) -> float:
    """Return RBO as it is defined: a sum without end, the lists agreeing on as they do at last."""
    last = agreement(one, other, len(one))
    found = [agreement(one, other, depth) for depth in range(1, len(one) + 1)]
    found += [last] * 2000
    return (1 - p) * sum(p**place * one for place, one in enumerate(found))


@pytest.mark.parametrize(
    ("one", "other"),
    [("abcde", "abcde"), ("abc", "acb"), ("abcdef", "fedcba"), ("abcd", "wxyz"), ("abcd", "axcy")],
)
@pytest.mark.parametrize("p", [0.5, 0.9])
def test_overlap_of_ranks_is_the_sum_that_defines_it(
    call: Call, one: str, other: str, p: float
) -> None:
    found = call("overlap", "rbo", [*one], [*other], p)
    assert found == pytest.approx(indefinite_overlap(one, other, p))
    assert found == pytest.approx(call("overlap", "rbo", [*other], [*one], p))


def test_overlap_of_ranks_has_known_values(call: Call) -> None:
    # by hand: (0.1 / 0.9)(1 * 0.9 + 1/2 * 0.81 + 1 * 0.729) + 1 * 0.729
    assert call("overlap", "rbo", [*"abc"], [*"acb"]) == pytest.approx(0.955)
    assert call("overlap", "rbo", [*"abc"], [*"abc"]) == pytest.approx(1)
    assert call("overlap", "rbo", [*"abc"], [*"xyz"]) == 0
    assert call("overlap", "rbo", [], ["a"]) is None
    # a list that is the beginning of the other: nothing speaks against the same order
    assert call("overlap", "rbo", [*"ab"], [*"abcd"]) == pytest.approx(1)
    # by hand, equation 32: 1/2 * 1/4 + 1/2 * 1/4
    assert call("overlap", "rbo", ["b"], ["a", "b"], 0.5) == pytest.approx(0.25)


def test_common_items_and_moves_are_counted(call: Call) -> None:
    assert call("overlap", "jaccard", [*"abc"], [*"bcd"]) == pytest.approx(0.5)
    assert call("overlap", "jaccard", [], []) is None
    moves = call("overlap", "moves", [*"abc"], [*"bad"])
    assert [(one["item_id"], one["from"], one["to"]) for one in moves] == [
        ("a", 1, 2),
        ("b", 2, 1),
        ("c", 3, None),
        ("d", None, 3),
    ]


def test_hidden_choices_are_scored(call: Call) -> None:
    places = call("metrics", "placesOf", ["a", "x"], ["b", "a", "c"])
    assert [one["place"] for one in places] == [2, None]
    assert call("metrics", "hits", places, 10) == 1
    assert call("metrics", "hits", places, 1) == 0
    # 1/log2(3) of 1 + 1/log2(3)
    assert call("metrics", "ndcg", places, 10) == pytest.approx(0.6309298 / 1.6309298)
    assert call("metrics", "ndcg", call("metrics", "placesOf", ["a"], ["a"]), 10) == 1
    assert call("metrics", "ndcg", [], 10) is None


def test_a_list_tells_its_sigmoid(call: Call) -> None:
    b, t = 1.25, 0.2
    places = [
        {"raw": x, "probability": 1 / (1 + 2.718281828459045 ** (-(x - b) / t))}
        for x in (0.2, 0.5, 0.9)
    ]
    found = call("metrics", "calibration", [*places, {"raw": None, "probability": None}])
    assert (found["b"], found["t"]) == (pytest.approx(b), pytest.approx(t))
    assert call("metrics", "calibration", places[:1]) is None


@pytest.mark.parametrize("text", ["plain", "", HARD, "'", "-d @/etc/passwd", "a\nb"])
def test_a_shell_reads_what_was_quoted_as_it_stands(call: Call, text: str) -> None:
    assert shlex.split(call("snippets", "quoteForShell", text)) == [text]


@pytest.mark.parametrize(
    "value", [HARD, None, True, 0.5, ["a", {"b": [False, None]}], {"'\"": HARD}]
)
def test_python_reads_what_was_written_for_it(call: Call, value: Any) -> None:
    written = call("snippets", "toPython", value)
    assert literal_eval(written) == value


def test_a_key_is_the_name_of_a_variable(call: Call) -> None:
    of = {"service": "http://127.0.0.1:8080", "body": {"user": HARD}, "keyed": True}
    words = shlex.split(call("snippets", "curlService", of))
    assert "Authorization: Bearer $SEEALSO_SERVICE_KEY" in words
    assert json.loads(words[words.index("-d") + 1]) == {"user": HARD}
    words = shlex.split(call("snippets", "curlService", of | {"keyed": False}))
    assert not [one for one in words if "Authorization" in one]


def test_the_searches_of_a_plan_are_lines(call: Call) -> None:
    plan = {
        "requests": [{"index": "i", "search_type": "dfs_query_then_fetch", "body": {"q": HARD}}]
    }
    words = shlex.split(call("snippets", "curlCluster", {"cluster": "http://c:9200", "plan": plan}))
    header, body, end = words[-1].split("\n")
    assert words[2] == "http://c:9200/_msearch"
    assert json.loads(header) == {"index": "i", "search_type": "dfs_query_then_fetch"}
    assert json.loads(body) == {"q": HARD}
    assert end == ""


def test_an_address_holds_the_whole_state(call: Call) -> None:
    state = call("address", "emptyState")
    state |= {
        "view": "compare",
        "user": HARD,
        "words": HARD,
        "history": ["1", HARD, "a,b&c=d"],
        "session": ["3"],
        "exclude": ["#4"],
        "only": ["5", "6"],
        "members": ["ann", {"words": HARD, "history": ["1"]}],
        "size": 20,
        "blind": True,
        "strategy": "least-misery",
        "own_weight": 0.5,
        "hidden": 3,
        "why": "7",
    }
    state["left"] |= {"path": "exact", "tail_share": 0.25, "importance": 0.9}
    state["right"] |= {"index": "films-2", "path": "ann", "min_probability": 0.0012}
    hash_ = call("address", "writeState", state)
    assert call("address", "readState", hash_) == state
    # what was emptied by hand is not what is known of a user
    emptied = call("address", "writeState", state | {"history": []})
    assert call("address", "readState", emptied)["history"] == []


@pytest.mark.parametrize(
    "hash_",
    [
        "",
        "#",
        "#&&==&",
        "#%E0%A4%A",
        "#view=nothing&path=fast&size=1e9&tail_share=two&diversity=-1&hidden=0.5&blind=1",
        "#member={&member=[]&member=null&member=7&member={}&member=%22%22&member={%22history%22:[1]}",
        "#own_weight=NaN&size=&right.min_probability=Infinity&view=constructor",
        "#" + quote('__proto__=1&constructor=2&left={"path":"exact"}', safe="=&"),
    ],
)
def test_an_address_that_cannot_be_read_is_an_empty_one(call: Call, hash_: str) -> None:
    assert call("address", "readState", hash_) == call("address", "emptyState")


def test_a_request_holds_what_was_chosen_alone(call: Call) -> None:
    state = call("address", "emptyState")
    assert call("requests", "listBody", state) == {}
    assert call("requests", "groupBody", state) is None
    state |= {"user": "ann", "history": [], "exclude": ["2"], "only": ["3"], "members": ["ann"]}
    state["left"] |= {"tail_share": 0, "importance": 0.9}
    body = call("requests", "listBody", state)
    assert body == {
        "user": "ann",
        "history": [],
        "tail_share": 0,
        "exclude": ["2"],
        "filters": [{"range": {"importance": {"gte": 0.9}}}, {"ids": {"values": ["3"]}}],
    }
    assert "user" not in call("requests", "groupBody", state)
    # nobody is made of nothing
    assert call("requests", "listBody", state | {"user": None})["tail_share"] == 0
    assert "history" not in call("requests", "listBody", state | {"user": None})
