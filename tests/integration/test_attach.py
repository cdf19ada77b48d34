"""Attaching to an index that serves searches already: its owner's queries find what they found."""

import json
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest

from seealso import api
from seealso.api.reporting import LiveStatus
from seealso.cli.main import main
from seealso.cluster import Cluster, fetch, indices
from seealso.cluster.addresses import write_aliases
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, DataError, MappingMismatch
from seealso.indexer import memory
from seealso.indexer.attach.running import AttachReport, attach, plan_attach
from seealso.indexer.inputs import inputs
from seealso.indexer.lifecycle import find_prunable
from seealso.indexer.mapping import SEGMENT_LIMIT
from seealso.indexer.refresh import refresh_importance
from seealso.indexer.users.live import user_indices
from seealso.indexer.verify import verify_again
from seealso.readers import Problems
from tests.integration.catalogues import Record, views, write_lines
from tests.integration.gateways import Request, gateway
from tests.integration.owners import (
    DOCUMENTS,
    MAPPINGS,
    OURS,
    PIPELINE,
    OpenStack,
    Stack,
    documents,
    without_scores,
)
from tests.integration.test_fit import choices
from tests.live import event, forgotten, ingested, ingester_of
from tests.members import built

IN_PLACE = {"index.knn": True, "index.knn.derived_source.enabled": False}


def attached(stack: Stack, index: str | None = None, **options: Any) -> AttachReport:
    return attach(stack.cluster, stack.settings, index or stack.alias, Problems("stop"), **options)


@pytest.fixture
def copied(opensearch: NodeInfo, open_stack: OpenStack) -> Stack:
    """A stack whose index cannot hold vectors."""
    return open_stack(opensearch.url)


@pytest.fixture
def extended(opensearch: NodeInfo, open_stack: OpenStack) -> Stack:
    """A stack whose index can."""
    return open_stack(opensearch.url, **IN_PLACE)


@pytest.fixture(params=[{}, IN_PLACE], ids=["copy", "in place"])
def stack(request: pytest.FixtureRequest, opensearch: NodeInfo, open_stack: OpenStack) -> Stack:
    """Either."""
    return open_stack(opensearch.url, **request.param)


def test_in_place_the_owners_queries_find_what_they_found(extended: Stack) -> None:
    before = extended.answers()
    report = attached(extended)
    assert (report.plan.way, report.index) == ("in place", extended.index)
    assert without_scores(extended.answers()) == without_scores(before)


def test_status_says_what_an_attached_index_lacks(extended: Stack) -> None:
    settings = extended.shop.settings(
        catalogue={"path": None, "index": extended.alias},
        events={"time": "second"},
        fit={"factors": 8},
    )

    write_lines(extended.shop.events, [{"user_id": "u", "item_id": "f1", "second": 5}])
    report = attach(extended.cluster, settings, extended.alias, Problems("stop"))
    found = api.status(settings)
    assert isinstance(found.live, LiveStatus)
    assert (found.live.index, found.live.attached) == (report.index, True)
    # all items have vectors, and there is too little to fit
    assert (found.behind, found.next) == ((), None)
    later: Record = {"user_id": "u", "item_id": "f1", "second": 99_000}
    write_lines(extended.shop.events, [later])
    assert api.status(settings).next == "seealso index importance"
    chosen = [event for event in choices() if int(event["item_id"][1:]) < DOCUMENTS]
    write_lines(extended.shop.events, chosen)
    assert api.status(settings).next == "seealso fit"
    api.fit(settings)
    assert api.status(settings).next == f"seealso attach {extended.alias} --copy"
    attach(extended.cluster, settings, extended.alias, Problems("stop"), copy=True)
    assert api.status(settings).next is None
    write_lines(extended.shop.events, [*chosen, later])
    assert api.status(settings).next == "seealso fit --force"


def test_an_index_that_was_attached_in_part_says_so_until_it_is_attached(extended: Stack) -> None:
    attached(extended)
    # as a run leaves it that was killed after half of the documents
    half = {"query": {"range": {"price": {"lt": 20}}}}
    names = "for (name in ['vector', 'digest']) ctx._source.remove(name)"
    script = {"script": {"source": names}, **half}
    extended.cluster.request("POST", f"/{extended.index}/_update_by_query", script)
    indices.refresh(extended.cluster, extended.index)
    indices.put_meta(extended.cluster, extended.index, {"state": "building"})
    settings = extended.settings
    for found in (
        extended.recommender().recommend(history=["f30"]),
        extended.recommender().popular(),
        extended.recommender().related("f30"),
    ):
        assert "the index is attached in part" in found.note
    told = api.status(settings)
    assert isinstance(told.live, LiveStatus)
    assert told.live.half_attached
    assert told.next == f"seealso attach {settings.index.alias}"
    (left,) = [one for one in api.doctor(settings) if one.what == "half-built"]
    assert (left.found, left.cure) == (
        extended.index,
        f"run `seealso attach {extended.index}` again",
    )
    with pytest.raises(MappingMismatch, match="is building, not ready") as refused:
        verify_again(extended.cluster, extended.index, settings)
    assert refused.value.hint == f"run `seealso attach {extended.index}` again"
    assert attached(extended).written > 0
    assert "in part" not in extended.recommender().recommend(history=["f30"]).note
    told = api.status(settings)
    assert isinstance(told.live, LiveStatus)
    assert not told.live.half_attached


def test_in_a_copy_they_find_it_with_the_same_scores(copied: Stack) -> None:
    before = copied.answers()
    report = attached(copied)
    assert report.plan.way == "copy"
    assert indices.resolve_alias(copied.cluster, copied.alias) == [report.index] != [copied.index]
    assert copied.answers() == before
    # the old one is kept as it was
    assert copied.answers(copied.index)["match"] == before["match"]
    assert set(copied.mappings(copied.index)["properties"]) == set(MAPPINGS["properties"])


def test_it_recommends_from_there(stack: Stack) -> None:
    report = attached(stack)
    assert (report.written, report.unchanged, report.deleted) == (DOCUMENTS, 0, 0)
    recommender = stack.recommender()
    found = recommender.recommend(history=["f1", "f2"], size=5)
    assert found.index == report.index
    assert len(found.items) == 5
    assert found.items[0].fields["stock"] == documents()[found.items[0].item_id]["stock"]
    assert "f1" not in [one.item_id for one in found.items]
    near = recommender.related("f3", size=3, filters={"term": {"kind": "western"}})
    assert {one.fields["kind"] for one in near.items} == {"western"}
    assert verify_again(stack.cluster, report.index, stack.settings).sample == 32


def test_mapping_settings_meta_and_aliases_are_kept(stack: Stack) -> None:
    before = stack.cluster.request("GET", f"/{stack.index}")[stack.index]
    report = attached(stack)
    now = stack.cluster.request("GET", f"/{report.index}")[report.index]
    properties = now["mappings"].pop("properties")
    assert {k: v for k, v in properties.items() if k not in OURS} == before["mappings"].pop(
        "properties"
    )
    assert set(OURS) < set(properties)
    meta = now["mappings"].pop("_meta")
    assert meta.pop("seealso")["state"] == "ready"
    assert meta == before["mappings"].pop("_meta") == MAPPINGS["_meta"]
    assert now["mappings"] == before["mappings"]
    assert now["aliases"] == before["aliases"] | write_aliases(report.index)
    kept, there = before["settings"]["index"], now["settings"]["index"]
    for name in ("analysis", "default_pipeline", "search", "refresh_interval", "number_of_shards"):
        assert there[name] == kept[name]
    assert there["default_pipeline"] == PIPELINE
    assert "translog" not in there


@pytest.mark.parametrize(("owners", "copys"), [({}, "500mb"), ({SEGMENT_LIMIT: "1gb"}, "1gb")])
def test_segments_of_a_copy_stay_as_large_as_they_were_measured(
    opensearch: NodeInfo, open_stack: OpenStack, owners: dict[str, str], copys: str
) -> None:
    stack = open_stack(opensearch.url, **owners)
    report = attached(stack)
    params = {"flat_settings": "true"}
    found = stack.cluster.request("GET", f"/{report.index}/_settings", params=params)
    assert found[report.index]["settings"][SEGMENT_LIMIT] == copys


def test_a_second_run_changes_nothing_and_a_later_one_what_changed(stack: Stack) -> None:
    report = attached(stack)
    again = attached(stack)
    assert (again.index, again.written, again.unchanged) == (report.index, 0, DOCUMENTS)
    # as owners write: whole documents, by the alias
    film = {**documents()["f5"], "title": "A new title of an old film"}
    stack.write({"f5": film, "new": film}, stack.alias)
    stack.cluster.request("DELETE", f"/{stack.alias}/_doc/f6", params={"refresh": "true"})
    with pytest.raises(DataError, match="'new' has no text"):
        stack.recommender().related("new")
    later = attached(stack)
    assert (later.written, later.unchanged, later.index) == (2, DOCUMENTS - 2, report.index)
    near = stack.recommender().related("new", size=1).items[0]
    assert (near.item_id, round(near.raw or 0, 3)) == ("f5", 1.0)


def test_importance_follows_new_events(stack: Stack) -> None:
    report = attached(stack)
    film = documents()["f5"]
    stack.write({"not yet attached": film}, stack.alias)
    stack.shop.stock([], views({"f7": 50}))
    source = inputs(
        stack.shop.settings(catalogue={"path": None, "index": report.index, "id": "_id"}),
        stack.cluster,
        Problems("stop"),
    )
    refreshed = refresh_importance(stack.cluster, stack.settings, source)
    assert refreshed.changed == 4  # f1, f2, f3 have no events any more, f7 rises
    stored = stack.shop.documents("f7", "f1")
    assert (stored["f7"]["importance"], stored["f1"]["importance"]) == (2.0, 1.0)
    assert np.linalg.norm(stored["f7"]["vector"]) == pytest.approx(2.0, abs=1e-3)
    assert stored["f7"]["stock"] == documents()["f7"]["stock"]
    # whoever is unknown gets the most important, and what has no importance does no harm
    everything = stack.recommender().recommend("nobody", size=100)
    assert everything.items[0].item_id == "f7"
    assert everything.items[-1].item_id == "not yet attached"


@pytest.fixture
def lively(stack: Stack) -> Iterator[Stack]:
    """A stack that is attached to, whose users and live events go when the test ends."""
    attached(stack)
    built(stack.shop)
    yield stack
    forgotten(stack.shop, *(one.name for one in user_indices(stack.cluster, stack.settings)))


def test_live_events_come_back_to_what_is_attached_again(lively: Stack) -> None:
    shop, columns = lively.shop, {"time": "day", "type": "kind"}
    ingested(shop, [event("bob", "f7", n) for n in range(3)], events=columns)
    wanted = shop.documents("f7")["f7"]
    assert wanted["interactions"] == 3
    lively.write({"f7": {**documents()["f7"], "title": "A new title"}}, lively.alias)
    assert attached(lively).written == 1
    assert shop.documents("f7")["f7"]["interactions"] == 0
    assert ingester_of(shop, events=columns).catch_up().items == 1
    found = shop.documents("f7")["f7"]
    assert (found["interactions"], found["importance"]) == (3, wanted["importance"])
    assert ingester_of(shop, events=columns).catch_up().items == 0


def test_a_plain_index_is_copied_and_the_copy_brought_up_to_date(copied: Stack) -> None:
    for alias in (copied.alias, f"{copied.alias}-cheap"):
        copied.cluster.request("DELETE", f"/{copied.index}/_alias/{alias}")
    plan = plan_attach(copied.cluster, copied.settings, copied.index, Problems("stop"))
    assert (plan.way, plan.target, plan.aliases) == ("copy", None, ())
    assert "is an index, not an alias" in plan.note
    report = attached(copied, copied.index)
    assert indices.resolve_alias(copied.cluster, copied.alias) == [report.index]
    copied.write({"f5": {**documents()["f5"], "stock": {"shelf": "s9", "left": 0}}})
    copied.cluster.request("DELETE", f"/{copied.index}/_doc/f6", params={"refresh": "true"})
    again = attached(copied, copied.index)
    assert (again.index, again.written, again.deleted) == (report.index, 1, 1)
    assert copied.shop.documents("f5")["f5"]["stock"]["shelf"] == "s9"
    assert copied.shop.documents("f6") == {}


def test_the_index_of_an_owner_is_never_cleared(extended: Stack) -> None:
    # under a name that could be one of ours, and not ready
    attached(extended)
    indices.put_meta(extended.cluster, extended.index, {"state": "building"})
    assert find_prunable(extended.cluster, extended.alias, 1) == []
    with pytest.raises(MappingMismatch, match="was attached, not built"):
        extended.shop.build()


def test_a_dry_run_says_what_would_be_done_and_does_nothing(stack: Stack) -> None:
    before = stack.cluster.request("GET", f"/{stack.index}")
    plan = plan_attach(stack.cluster, stack.settings, stack.alias, Problems("stop"))
    assert (plan.index, plan.documents, plan.alias) == (stack.index, DOCUMENTS, stack.alias)
    assert stack.cluster.request("GET", f"/{stack.index}") == before
    assert stack.shop.names == []
    report = attached(stack)
    assert report.memory == plan.memory != ""
    after = plan_attach(stack.cluster, stack.settings, stack.alias, Problems("stop"))
    assert (after.way, after.reason) == ("in place", "it was attached before")
    assert after.memory == attached(stack).memory == ""


def test_an_alias_that_shows_a_part_is_not_what_recommendations_ask(stack: Stack) -> None:
    cheap = f"{stack.alias}-cheap"
    settings = stack.shop.settings(index={"alias": cheap})
    before = stack.cluster.request("GET", f"/{stack.index}")
    for refused in (attach, plan_attach):
        with pytest.raises(ClusterError, match=f"{cheap}: is an alias of .* with a filter, which"):
            refused(stack.cluster, settings, cheap, Problems("stop"))
    assert stack.cluster.request("GET", f"/{stack.index}") == before
    # nor one that gets its filter later
    report = attached(stack)
    narrow = {"index": report.index, "alias": stack.alias, "filter": {"term": {"kind": "war"}}}
    indices.act_on_aliases(stack.cluster, [{"add": narrow}])
    with pytest.raises(ClusterError, match="with a filter, which recommendations would not obey"):
        stack.recommender().recommend(history=["f1"])
    routed = {"index": report.index, "alias": stack.alias, "routing": "r"}
    indices.act_on_aliases(stack.cluster, [{"add": routed}])
    with pytest.raises(ClusterError, match="with a routing, which recommendations"):
        stack.recommender().recommend(history=["f1"])


def test_a_graph_that_does_not_fit_is_refused_before_a_text_is_encoded(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stack.cluster.request("GET", f"/{stack.index}")
    # nobody has an index of that size for a test
    monkeypatch.setattr(memory, "OVERHEAD", 1e9)
    encoded: list[str] = []
    monkeypatch.setattr("seealso.indexer.binding.item_encoder", encoded.append)
    for refused in (attach, plan_attach):
        with pytest.raises(ClusterError, match="do not fit into the memory of the nodes"):
            refused(stack.cluster, stack.settings, stack.alias, Problems("stop"))
    assert (encoded, stack.shop.names) == ([], [])
    assert stack.cluster.request("GET", f"/{stack.index}") == before


def test_a_value_that_cannot_be_read_is_kept_and_costs_the_model_that_value_alone(
    opensearch_latest: NodeInfo, open_stack: OpenStack
) -> None:
    stack = open_stack(opensearch_latest.url)
    odd = {**documents()["f5"], "description": "x" * 1_000_001, "kind": "odd"}
    plain = {name: value for name, value in odd.items() if name != "description"}
    stack.write({"odd": odd, "plain": plain})
    problems = Problems("stop")
    report = attach(stack.cluster, stack.settings, stack.alias, problems)
    assert (report.written, report.unreadable) == (DOCUMENTS + 2, 0)
    assert "description has 1,000,001 characters" in problems.summary()
    stored = stack.shop.documents("odd", "plain")
    assert stored["odd"]["description"] == odd["description"]
    assert stored["odd"]["vector"] == pytest.approx(stored["plain"]["vector"], abs=1e-6)


def test_owners_date_of_update_stays_the_owners(
    opensearch_latest: NodeInfo, open_stack: OpenStack
) -> None:
    stack = open_stack(opensearch_latest.url)
    field = {"properties": {"updated_at": {"type": "date"}}}
    stack.cluster.request("PUT", f"/{stack.index}/_mapping", field)
    stack.write({"f1": {**documents()["f1"], "updated_at": "2001-01-01"}})
    attached(stack)
    assert stack.shop.documents("f1")["f1"]["updated_at"] == "2001-01-01"
    assert "updated_at" not in stack.shop.documents("f2")["f2"]
    assert attached(stack).written == 0


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"properties": {"text": {"type": "text"}}}, "has fields of its own called text"),
        ({"_source": {"excludes": ["title"]}}, "does not keep whole documents"),
        ({"_routing": {"required": True}}, "found by routing"),
    ],
)
def test_an_index_that_cannot_be_attached_to_is_refused(
    opensearch_latest: NodeInfo, open_stack: OpenStack, mapping: dict[str, Any], said: str
) -> None:
    stack = open_stack(opensearch_latest.url)
    other = f"{stack.index}-other"
    stack.cluster.request("PUT", f"/{other}", {"mappings": mapping})
    try:
        with pytest.raises(MappingMismatch, match=said) as refused:
            attached(stack, other)
        assert refused.value.hint
    finally:
        indices.delete(stack.cluster, other)


def test_documents_found_by_routing_are_refused(
    opensearch_latest: NodeInfo, open_stack: OpenStack
) -> None:
    stack = open_stack(opensearch_latest.url)
    path = f"/{stack.index}/_doc/far"
    stack.cluster.request("PUT", path, documents()["f1"], {"routing": "x", "refresh": "true"})
    with pytest.raises(MappingMismatch, match="document 'far' is found by routing"):
        attached(stack)
    assert stack.shop.names == []


def test_names_that_mean_nothing_or_too_much_are_refused(
    opensearch_latest: NodeInfo, open_stack: OpenStack
) -> None:
    stack = open_stack(opensearch_latest.url)
    with pytest.raises(ClusterError, match="no such index or alias"):
        attached(stack, f"{stack.index}-nowhere")
    other = open_stack(opensearch_latest.url)
    stack.cluster.request("PUT", f"/{other.index}/_alias/{stack.alias}")
    with pytest.raises(ClusterError, match="the name of the index is empty"):
        attached(stack, " ")
    with pytest.raises(ClusterError, match="points to 2 indices"):
        attached(stack)


def test_an_alias_of_something_else_is_refused(
    opensearch_latest: NodeInfo, open_stack: OpenStack
) -> None:
    stack, other = (open_stack(opensearch_latest.url) for _ in range(2))
    with pytest.raises(ClusterError, match="which is not"):
        attached(stack, other.index)
    settings = stack.shop.settings(index={"alias": stack.index})
    with pytest.raises(ClusterError, match="is an index, and recommendations ask an alias"):
        attach(stack.cluster, settings, stack.index, Problems("stop"))


def test_what_is_guessed_or_left_out_is_said(
    opensearch_latest: NodeInfo, open_stack: OpenStack, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a build says it."""
    stack = open_stack(opensearch_latest.url, **IN_PLACE)
    stack.shop.stock([], views({"F1": 9, "f2": 1}))
    own: dict[str, Any] = {"encoder": {"whiten": None}, "text": {"item": "{{ kind }}"}}
    stack.write({"mute": {"title": "No kind", "price": 1.0}})
    arguments = ("--json", "attach", stack.alias)
    for dry in ((), ("--dry-run",)):
        with pytest.raises(SystemExit):
            main(stack.shop.arguments(*arguments, *dry, **own))
        said = capsys.readouterr().err
        assert "9 of 10 events name items that are not in the catalogue" in said
        assert "--allow-unmatched" in said
    main(stack.shop.arguments(*arguments, "--allow-unmatched", "--dry-run", **own))
    foreseen = json.loads(capsys.readouterr().out)["notes"]
    assert "seealso" not in stack.mappings(stack.index).get("_meta", {})
    main(stack.shop.arguments(*arguments, "--allow-unmatched", **own))
    told = capsys.readouterr()
    notes = json.loads(told.out)["notes"]
    assert foreseen == notes[:3]
    for sentence in (
        "9 of 10 events name items that are not in the catalogue",
        "lists are from texts alone: there is no fitted bundle",
        "vectors are not whitened",
        "1 item has no text, and so no vector",
    ):
        assert [note for note in notes if sentence in note]
        assert f"note: {sentence}" in " ".join(told.err.split())
    main(stack.shop.arguments(*arguments, **own))
    assert "9 of 10 events" in " ".join(json.loads(capsys.readouterr().out)["notes"])


def test_a_killed_copy_is_gone_on_with(opensearch_latest: NodeInfo, open_stack: OpenStack) -> None:
    stack = open_stack(opensearch_latest.url)
    before = stack.answers()

    def delay(request: Request) -> None:
        """Write slowly, so that the kill comes before the last document."""
        if "/_bulk" in request.target:
            sleep(0.05)

    with gateway(stack.cluster.url, delay) as slow:
        sections = {"cluster": {"url": slow.url}, "index": {"bulk_bytes": 1000, "threads": 1}}
        running = stack.shop.start("attach", stack.alias, **sections)
        deadline = monotonic() + 60
        while not (stack.shop.names and count(stack, stack.shop.names[0])):
            assert running.poll() is None
            assert monotonic() < deadline
        running.kill()
        running.communicate()
    (name,) = stack.shop.names
    assert stack.answers() == before
    assert 0 < count(stack, name) < DOCUMENTS
    report = attached(stack)
    assert report.index == name
    assert 0 < report.written < DOCUMENTS
    assert stack.answers() == before


def count(stack: Stack, name: str) -> int:
    """Documents of an index, whether a refresh has come or not."""
    # its shards may not have a place yet
    patient = Cluster(stack.cluster.url)
    return len(fetch(patient, name, list(documents()), source=["digest"]))


def test_the_command_says_what_it_would_do_and_did(
    opensearch_latest: NodeInfo, open_stack: OpenStack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = open_stack(opensearch_latest.url)
    main(stack.shop.arguments("attach", stack.alias, "--dry-run"))
    said = capsys.readouterr().out
    assert "copy: index.knn is not set" in said
    assert stack.shop.names == []
    main(stack.shop.arguments("--json", "attach", stack.alias))
    done = json.loads(capsys.readouterr().out)
    assert (done["written"], done["index"]) == (DOCUMENTS, stack.shop.names[0])
    main(stack.shop.arguments("attach", stack.alias))
    said = capsys.readouterr().out
    assert "in place: it was attached before" in said
    assert f"0 written, {DOCUMENTS} unchanged, 0 deleted" in said
    with pytest.raises(SystemExit):
        main(stack.shop.arguments("index", "update"))
    assert "was attached, not built" in capsys.readouterr().err
