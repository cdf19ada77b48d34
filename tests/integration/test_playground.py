"""The playground over a real index: its files, and every address that its page asks."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.fitting.fit import fit
from seealso.plugin import Recommender
from seealso.plugin.profiles.users import read_histories
from seealso.plugin.service.app import create_app
from seealso.plugin.service.playground.bodies import VoteBody
from seealso.plugin.service.playground.pages import HEADERS, KINDS, PLOTS
from seealso.plugin.service.playground.views import Views
from seealso.plugin.service.playground.votes import Votes
from seealso.readers import Problems
from seealso.version import __version__
from tests.integration.catalogues import OpenShop, Shop, films
from tests.integration.services import answered, problem
from tests.integration.test_fit import stocked
from tests.integration.test_rights import acting_as
from tests.library import BOOKS, ODD, RATED, TEXTLESS, Library

HOSTILE = """<script>alert("x")</script> {{y}} " onerror='z'"""
SIDE = {"request": {}, "index": "i", "bundle": "b", "items": ["b1"]}
VOTE = {"better": "left", "left": SIDE, "right": SIDE}
ADDRESSES: dict[str, dict[str, Any] | None] = {
    "": None,
    "/users": None,
    "/map": None,
    "/user": {"user": "u1"},
    "/items": {"words": "castle"},
    "/list": {"user": "u1"},
    "/reasons": {"user": "u1", "items": ["b1"]},
    "/plan": {"user": "u1"},
    "/group": {"members": ["u1", "u2"]},
    "/place": {"user": "u1", "items": ["b1"]},
    "/votes": VOTE,
}
"""Every address, and what it may be sent; nothing where it is only read."""


def ask(client: TestClient, address: str, body: Any = None, **more: Any) -> Any:
    """Return what an address of the page answers."""
    path = f"/v1/playground{address}"
    answer = client.get(path, **more) if body is None else client.post(path, json=body, **more)
    return answered(answer)


@pytest.fixture(scope="module")
def votes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("votes") / "folder" / "votes.jsonl"


@pytest.fixture(scope="module")
def earlier(library: Library) -> str:
    """The name of an index that was live before the library was built a second time."""
    name = library.recommender().live.name
    library.build()
    return name


@pytest.fixture(scope="module")
def client(library: Library, earlier: str, votes: Path) -> Iterator[TestClient]:
    app = create_app(library.recommender(service={"votes": str(votes)}))
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def test_the_page_and_its_files_are_those_of_the_package(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.startswith("<!doctype html>")
    plots = client.get(f"/playground/{PLOTS}")
    assert plots.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "plotly.js v" in plots.text[:200]
    for answer in (page, plots):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        known = {"if-none-match": f'"other", W/{answer.headers["etag"]}'}
        again = client.get(answer.url.path, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
    assert client.head("/").status_code == 200
    folder = Path(__file__).parents[2] / "plugin" / "service" / "playground" / "static"
    for file in folder.iterdir():
        sent = client.get(f"/playground/{file.name}")
        assert sent.content == file.read_bytes()
        assert sent.headers["content-type"].startswith(KINDS[file.suffix[1:]])


def test_nothing_is_loaded_or_framed_from_elsewhere(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    directives = dict(one.split(" ", 1) for one in policy.split("; "))
    assert directives["default-src"] == directives["frame-ancestors"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"
    assert "http" not in policy


@pytest.mark.parametrize("name", ["none.js", "pages.py", "../pages.py", "%2e%2e%2fpages.py"])
def test_no_other_file_is_sent(client: TestClient, name: str) -> None:
    problem(client.get(f"/playground/{name}"), 404, "NOT_FOUND")


def test_it_can_be_switched_off(library: Library) -> None:
    app = create_app(library.recommender(service={"playground": False}))
    with TestClient(app) as client:
        for path in ("/", "/playground/index.html", "/v1/playground"):
            problem(client.get(path), 404, "NOT_FOUND")


def test_what_the_page_asks_needs_a_key_and_the_page_none(library: Library, votes: Path) -> None:
    keys = [
        {"name": scope, "sha256": sha256(scope.encode()).hexdigest(), "scopes": [scope]}
        for scope in ("read", "events", "admin")
    ]
    app = create_app(library.recommender(service={"keys": keys, "votes": str(votes)}))
    with TestClient(app) as client:
        for path in ("/", "/playground/index.html"):
            assert client.get(path).status_code == 200
        for address, body in ADDRESSES.items():
            method, path = "GET" if body is None else "POST", f"/v1/playground{address}"
            for key, status in ((None, 401), ("read", 403), ("events", 403), ("admin", 200)):
                headers = {} if key is None else {"authorization": f"Bearer {key}"}
                answer = client.request(method, path, json=body, headers=headers)
                assert answer.status_code == status, (path, key)


def test_the_addresses_are_those_of_the_page_alone(client: TestClient) -> None:
    paths = answered(client.get("/openapi.json"))["paths"]
    assert not [one for one in paths if "playground" in one or one == "/"]


def test_what_there_is_to_ask_about(client: TestClient, library: Library, earlier: str) -> None:
    found = ask(client, "")
    live = library.recommender().live
    assert [one["index"] for one in found["indices"]] == [live.name, earlier]
    assert [one["live"] for one in found["indices"]] == [True, False]
    for one in found["indices"]:
        assert (one["bundle"], one["documents"]) == (live.fingerprint, BOOKS)
        assert one["created"] > "2024"
    assert found["alias"] == library.alias
    assert found["version"] == __version__
    assert found["cluster"] == library.url
    assert found["title"] == "title"
    fields = {one["name"]: one["type"] for one in found["fields"]}
    assert fields == {"title": "text", "kind": "keyword", "year": "double"}
    settings = library.settings
    assert found["defaults"] == {
        "size": settings.recommend.size,
        "path": "auto",
        "tail_share": settings.recommend.tail_share,
        "min_probability": 0.0,
        "diversity": 0.0,
    }
    assert (found["users"], found["groups"], found["joined"]) == ("events", [], False)


def test_users_are_listed_by_the_beginning_of_their_ids(client: TestClient) -> None:
    found = ask(client, "/users?start=u1")
    assert [one["user_id"] for one in found["users"]] == ["u1", "u10", "u11"]
    assert {one["events"] for one in found["users"]} == {10}
    assert (found["more"], found["degraded"]) == (False, None)
    first = ask(client, "/users?size=2")
    assert [one["user_id"] for one in first["users"]] == ["critic", "u0"]
    assert first["more"]
    assert ask(client, "/users?start=zz")["users"] == []


def test_what_is_known_of_a_user(client: TestClient, library: Library) -> None:
    user = library.histories.user("u1")
    assert user is not None
    found = ask(client, "/user", {"user": "u1"})
    assert (found["known"], found["seen"], found["unknown"]) == (True, len(user.seen), [])
    assert [one["item_id"] for one in found["history"]] == [one.item_id for one in user.history]
    assert not any(one["cold"] or one["tail"] for one in found["history"])
    nobody = ask(client, "/user", {"user": "nobody"})
    assert (nobody["known"], nobody["history"], nobody["seen"]) == (False, [], 0)


def test_items_are_found_by_ids_and_by_words_as_typed_so_far(client: TestClient) -> None:
    ids = ["b59", "no", "b3", f"b{RATED}", "b3"]
    found = ask(client, "/items", {"ids": ids})
    assert [one["item_id"] for one in found["items"]] == ["b59", "b3", f"b{RATED}"]
    assert found["unknown"] == ["no"]
    textless, odd, cold = found["items"]
    assert odd["title"] == odd["fields"]["title"] == ODD["b3"]
    assert odd["fields"].keys() == {"title", "kind", "year"}
    assert (odd["cold"], odd["tail"], odd["interactions"] > 0) == (False, False, True)
    assert (cold["cold"], cold["tail"], cold["interactions"]) == (True, True, 0)
    # no text column says what it is called: another text does
    assert textless["title"] == textless["fields"]["kind"]
    typed = ask(client, "/items", {"words": "castle fan", "size": 50})["items"]
    assert len(typed) > 1
    for one in typed:
        assert "castle" in one["title"]
        assert "fantasy" in one["title"]
    assert ask(client, "/items", {"words": " b7 "})["items"][0]["item_id"] == "b7"
    assert ask(client, "/items", {"words": " "})["items"] == []
    assert len(ask(client, "/items", {"words": "the", "size": 3})["items"]) == 3


def test_lists_are_those_of_the_service_and_change_with_the_options(
    client: TestClient, library: Library
) -> None:
    least = {"range": {"importance": {"gte": 1.0}}}
    for body in (
        {"user": "u1"},
        {"history": ["b3"], "words": "castle", "size": 4, "diversity": 0.5, "tail_share": 0.0},
        {"user": "u1", "filters": [least], "path": "ann"},
    ):
        found, same = ask(client, "/list", body), answered(client.post("/v1/recommend", json=body))
        assert found.pop("took_ms")["total"] > 0
        assert found == {name: value for name, value in same.items() if name != "took_ms"}
        assert found["query_id"] is None
        plan = {**body, "index": None}
        assert ask(client, "/plan", plan) == answered(client.post("/v1/validate", json=body))
    why = {"user": "u1", "words": "castle", "items": ["b1", "b3"]}
    assert ask(client, "/reasons", why) == answered(client.post("/v1/explain", json=why))
    group = {"members": ["u1", {"history": ["b3"]}], "strategy": "fair", "diversity": 0.2}
    found, same = ask(client, "/group", group), answered(client.post("/v1/group", json=group))
    assert found["items"] == same["items"]
    assert found["members"] == same["members"]


def test_another_index_answers(client: TestClient, library: Library, earlier: str) -> None:
    live = library.recommender().live.name
    body = {"user": "u1"}
    for index, expected in ((None, live), ("", live), (live, live), (earlier, earlier)):
        for address in ("/list", "/plan"):
            assert ask(client, address, {**body, "index": index})["index"] == expected
        why = {**body, "items": ["b1"], "index": index}
        assert [one["index"] for one in ask(client, "/reasons", why)["reasons"]] == [expected]
        group = {"members": ["u1", "u2"], "index": index}
        assert ask(client, "/group", group)["index"] == expected
    for one in ("books", f"{library.alias}*", "../x", library.alias):
        refused = client.post("/v1/playground/list", json={**body, "index": one})
        found = problem(refused, 422, "DataError")
        assert f"{one!r} is no index of {library.alias}" in found["detail"]
        assert earlier in found["hint"]


def test_an_index_that_changed_or_went_is_noticed(library: Library) -> None:
    recommender = library.recommender()
    views = Views(recommender)
    first = recommender.live.name
    opened = views.of(first)
    assert views.of(first) is opened
    # of one bundle, there is one model in memory
    assert opened.live.encoder is recommender.live.encoder
    indices.put_meta(library.cluster, first, {"note": "written anew"})
    renewed = views.of(first)
    assert renewed is not opened
    assert renewed.live.encoder is opened.live.encoder
    assert views.of(None) is views.live
    library.build()
    assert views.live.check().name != first
    assert views.of(first).live.name == first
    indices.delete(library.cluster, first)
    with pytest.raises(Exception, match="is no index of"):
        views.of(first)


def test_nothing_of_the_page_is_logged_or_counted_as_a_list(
    caller: TestClient, writer: Recommender, served: Shop
) -> None:
    queries = f"/{served.alias}-lists"
    before = answered_lists(caller)
    assert ask(caller, "/list", {"user": "ann-1"})["items"]
    assert ask(caller, "/group", {"members": ["ann-1", "ann-2"]})["items"]
    assert writer._ubi is not None
    writer._ubi.flush()
    assert not served.cluster.exists(queries)
    assert answered_lists(caller) == before
    assert answered(caller.post("/v1/recommend", json={"user": "ann-1"}))["query_id"]
    writer._ubi.flush()
    indices.refresh(served.cluster, queries.strip("/"))
    assert indices.count(served.cluster, queries.strip("/")) == 1
    assert answered_lists(caller) == before + 1
    users = ask(caller, "/users")
    assert users["users"] == []
    assert "pseudonyms" in users["degraded"]
    assert ask(caller, "")["users"] == "index"
    assert ask(caller, "/user", {"user": "ann-1"})["seen"] == 4


def answered_lists(client: TestClient) -> float:
    """Return how many lists the metrics have counted."""
    name = "seealso_search_seconds_count "
    lines = client.get("/metrics").text.splitlines()
    return float(next(one.removeprefix(name) for one in lines if one.startswith(name)))


def test_the_map_shows_how_items_differ_most(client: TestClient, library: Library) -> None:
    found = ask(client, "/map")
    assert found["documents"] == BOOKS
    assert found["degraded"] == f"1 of {BOOKS} items have no vector: left out"
    ids = [one["item_id"] for one in found["items"]]
    assert sorted(ids) == sorted(f"b{n}" for n in range(BOOKS) if f"b{n}" != TEXTLESS)
    vectors = np.stack([library.vector(one) for one in ids])
    centred = vectors - vectors.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    shares = lengths**2 / (lengths**2).sum()
    assert found["explained"] == pytest.approx(shares[:2].tolist(), abs=1e-4)
    for axis, place in (("x", 0), ("y", 1)):
        expected, own = centred @ directions[place], [one[axis] for one in found["items"]]
        assert np.abs(own) == pytest.approx(np.abs(expected), abs=1e-4)
    assert {one["item_id"]: one["title"] for one in found["items"]}["b3"] == ODD["b3"]
    assert [one["cold"] for one in found["items"]] == [int(one[1:]) >= RATED for one in ids]
    assert ask(client, "/map", params={"size": 5, "index": ""})["items"] == found["items"][:5]
    with TestClient(create_app(library.recommender())) as another:
        assert ask(another, "/map") == found


def test_users_and_items_have_places_on_the_map(
    client: TestClient, library: Library, earlier: str
) -> None:
    where = {one["item_id"]: one for one in ask(client, "/map")["items"]}
    found = ask(client, "/place", {"history": ["b7"], "items": ["b3", "no", "b7", TEXTLESS]})
    assert [one["item_id"] for one in found["items"]] == ["b3", "b7"]
    assert found["unknown"] == ["no", TEXTLESS]
    for one in found["items"]:
        near = {axis: pytest.approx(where[one["item_id"]][axis], abs=2e-5) for axis in ("x", "y")}
        assert one == {**where[one["item_id"]], **near}
    # who likes one thing alone is where that is
    near = where["b7"]
    assert found["user"] == {axis: pytest.approx(near[axis], abs=1e-4) for axis in ("x", "y")}
    assert ask(client, "/place", {"user": "nobody"}) == {"user": None, "items": [], "unknown": []}
    other = ask(client, "/place", {"user": "u1", "items": ["b1"], "index": earlier})
    assert other["user"] is not None


def test_a_catalogue_without_vectors_has_an_empty_map(opensearch: Any, open_shop: OpenShop) -> None:
    shop = open_shop(opensearch.url)
    titles = [{**one, "title": HOSTILE} for one in films(3)]
    shop.stock(titles)
    shop.build()
    live = shop.cluster.request("GET", f"/{shop.alias}/_alias")
    (name,) = live
    drop = {"script": {"source": "ctx._source.remove('vector')"}}
    shop.cluster.request("POST", f"/{name}/_update_by_query", drop, {"refresh": "true"})
    with TestClient(create_app(Recommender(shop.cluster, shop.settings()))) as client:
        found = ask(client, "/map")
        assert (found["items"], found["explained"], found["documents"]) == ([], [], 3)
        assert found["degraded"] == "3 of 3 items have no vector: left out"
        assert ask(client, "/place", {"items": ["f1"], "words": "a boy"})["unknown"] == ["f1"]
        # what somebody wrote into a title is a text like any other
        item, *_ = ask(client, "/items", {"words": "script alert"})["items"]
        assert item["title"] == item["fields"]["title"] == HOSTILE
        users = ask(client, "/users")
        assert (ask(client, "")["users"], users["users"]) == ("none", [])
        assert "events.path" in users["degraded"]


def test_a_vote_is_kept_whole_and_without_ids_of_users(client: TestClient, votes: Path) -> None:
    before = ask(client, "")["votes"]
    request = {"user": "u1", "history": ["b3"], "size": 2, "words": HOSTILE}
    left = {"request": request, "index": "i", "bundle": "b", "items": ["b1", "b2"]}
    group = {"group": "family", "members": ["u1", {"user": "u2", "history": ["b4"]}]}
    right = {**left, "request": group}
    body = {"better": "right", "left": left, "right": right}
    assert ask(client, "/votes", body) == {"votes": before + 1}
    assert ask(client, "")["votes"] == before + 1
    *_, line = votes.read_text(encoding="utf-8").splitlines()
    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    del request["user"]
    group = {"members": [{}, {"history": ["b4"]}]}
    assert found == {**body, "left": left, "right": {**right, "request": group}}


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_page_of_another_site_can_send_nothing(client: TestClient, kind: str | None) -> None:
    before = ask(client, "")["votes"]
    headers = {"origin": "https://example.org", **({"content-type": kind} if kind else {})}
    path, body = "/v1/playground/votes", json.dumps(VOTE).encode()
    # what a browser sends without asking first; for JSON it asks, and no answer allows it
    refused = client.post(path, content=body, headers=headers)
    assert "the body must be JSON" in problem(refused, 422, "InvalidRequest")["detail"]
    preflight = {**headers, "access-control-request-method": "POST"}
    answer = client.options(path, headers=preflight)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert ask(client, "")["votes"] == before


def test_votes_of_many_at_once_are_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_bytes(b'{"better": "le')
    several = [Votes(path), Votes(path)]
    vote = VoteBody.model_validate({**VOTE, "left": {**SIDE, "items": ["b1"] * 500}})
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda n: several[n % 2].add(vote), range(40)))
    # what a full disk left behind ends where the first of them begins
    broken, *lines = path.read_bytes().splitlines()
    assert (broken, len(lines), max(counts)) == (b'{"better": "le', 40, 41)
    assert {len(json.loads(one)["left"]["items"]) for one in lines} == {500}


def test_votes_that_cannot_be_written_are_the_services_fault(
    library: Library, tmp_path: Path
) -> None:
    app = create_app(library.recommender(service={"votes": str(tmp_path)}))
    with TestClient(app) as client:
        for answer in (
            client.post("/v1/playground/votes", json=VOTE),
            client.get("/v1/playground"),
        ):
            assert "service.votes" in problem(answer, 500, "ConfigError")["detail"]


@pytest.mark.parametrize(
    ("address", "body", "said"),
    [
        ("/users?size=0", None, "size: Input should be greater than or equal to 1"),
        ("/map?size=5001", None, "size: Input should be less than or equal to 5000"),
        ("/map?index=nope", None, "index: 'nope' is no index of"),
        ("/user", {}, "user: Field required"),
        ("/user", {"user": " "}, "user_id: must be an id"),
        ("/items", {}, "give ids or words"),
        ("/items", {"ids": ["b1"], "words": "x"}, "give ids or words"),
        ("/items", {"ids": [" "]}, "ids: must be an id"),
        ("/items", {"words": "x" * 201}, "words: String should have at most 200"),
        ("/list", {"diversity": 2}, "diversity: must be less than or equal to 1"),
        ("/list", {"user": "u1", "colour": "red"}, "colour: Extra inputs are not permitted"),
        ("/plan", {"user": "u1", "index": "nope"}, "index: 'nope' is no index of"),
        ("/group", {"members": []}, "a group without members"),
        ("/place", {"items": ["b1"] * 1001}, "items: List should have at most 1000"),
        ("/votes", {**VOTE, "better": "both"}, "better: Input should be 'left', 'right' or 'same'"),
        ("/votes", {"better": "left", "left": SIDE}, "right: Field required"),
    ],
)
def test_bad_input_is_named(client: TestClient, address: str, body: Any, said: str) -> None:
    path = f"/v1/playground{address}"
    answer = client.get(path) if body is None else client.post(path, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def test_an_index_of_another_model_is_asked_and_mapped_with_it(
    open_shop: OpenShop, opensearch_latest: NodeInfo
) -> None:
    shop = stocked(open_shop, opensearch_latest)
    shop.build()
    plain = shop.live
    source = shop.inputs()
    fit(shop.settings(), source.items, source.events)
    shop.build(encoder={"bundle": "fitted"})
    recommender = Recommender(shop.cluster, shop.settings())
    body = {"history": ["f0", "f3", "f6"], "size": 5}
    with TestClient(create_app(recommender)) as client:
        assert ask(client, "")["joined"]
        lists = {index: ask(client, "/list", {**body, "index": index}) for index in (None, plain)}
        assert lists[plain]["index"] == plain
        assert lists[plain]["bundle"] != lists[None]["bundle"] == recommender.live.fingerprint
        alone = Recommender(shop.cluster, shop.settings(), index=plain).recommend(**body)
        assert [one["item_id"] for one in lists[plain]["items"]] == alone.ids
        found = ask(client, "/map")
        ids = [one["item_id"] for one in found["items"]]
        # what an item is like: neither whether it is cold nor the norm padding, which users lack
        bundle = recommender.live.encoder.bundle
        vectors = np.stack([bundle.item_query(bundle.restore(shop.vector(one))) for one in ids])
        assert not vectors[:, -2:].any()
        centred = vectors - vectors.mean(axis=0)
        widths = np.linalg.svd(centred, compute_uv=False)[:2]
        assert np.linalg.norm([one["x"] for one in found["items"]]) == pytest.approx(
            widths[0], rel=1e-3
        )
        assert np.linalg.norm([one["y"] for one in found["items"]]) == pytest.approx(
            widths[1], rel=1e-3
        )
        club = [one for one in found["items"] if int(one["item_id"][1:]) % 3 == 0]
        where = ask(client, "/place", {"history": body["history"]})["user"]
        own, others = (
            np.mean([abs(one["x"] - where["x"]) + abs(one["y"] - where["y"]) for one in some])
            for some in (club, [one for one in found["items"] if one not in club])
        )
        # who likes films of a club is among them
        assert own < others
        assert [one["item_id"] for one in ask(client, "/map", params={"index": plain})["items"]]


def test_an_account_that_may_only_serve_is_enough(
    opensearch: NodeInfo, open_shop: OpenShop, tmp_path: Path
) -> None:
    shop = open_shop(opensearch.url)
    shop.stock(films(20), [{"user_id": "u1", "item_id": "f1"}, {"user_id": "u2", "item_id": "f2"}])
    shop.build()
    other = shop.build(swap=False).index
    with acting_as(shop, "read"):
        settings = shop.settings(service={"votes": str(tmp_path / "votes.jsonl")})
        histories = read_histories(shop.cluster, settings, None, Problems("stop"))
        app = create_app(Recommender(shop.cluster, settings, histories))
        with TestClient(app) as client:
            why = {"/reasons": {"user": "u1", "items": ["f3"]}}
            for address, body in (ADDRESSES | why).items():
                assert ask(client, address, body), address
            assert [one["index"] for one in ask(client, "")["indices"]] == [shop.live, other]
            asked = {"user": "u1", "index": other}
            assert ask(client, "/list", asked)["index"] == other
            (reason,) = ask(client, "/reasons", {**asked, "items": ["f3"]})["reasons"]
            assert reason["index"] == other
            # whoever closed it knows why: it cannot be asked
            Cluster(opensearch.url).request("POST", f"/{other}/_close")
            assert [one["live"] for one in ask(client, "")["indices"]] == [True]
