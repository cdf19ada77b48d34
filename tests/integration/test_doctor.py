"""The doctor names what is wrong, and what to do about it."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from seealso.cluster import Cluster, indices
from seealso.cluster.node.jdk import find_jdk
from seealso.config import Settings, load_settings
from seealso.errors import Unavailable
from seealso.indexer.live import live_index
from seealso.indexer.mapping import index_body
from seealso.indexer.templates import install
from seealso.plugin import Recommender
from seealso.plugin.doctor import Finding, examine
from seealso.query_templates import script_id
from tests.library import Library

HEALTHY = [
    "catalogue", "events", "bundle", "cluster", "k-NN plugin", "index", "fingerprint", "space",
    "scripts", "half-built", "writing", "templates",
]  # fmt: skip


@pytest.fixture(autouse=True)
def templates(library: Library) -> None:
    install(library.cluster)


def findings(library: Library, settings: Settings | None = None) -> dict[str, Finding]:
    """Return the findings by what was looked at."""
    chosen = settings or library.settings
    found = list(examine(chosen, lambda: library.cluster))
    names = [finding.what for finding in found]
    assert len(set(names)) == len(names)
    for finding in found:
        assert finding.ok or finding.cure, finding
        assert "\n" not in finding.found + finding.cure
    return {finding.what: finding for finding in found}


def wrong(found: dict[str, Finding]) -> dict[str, Finding]:
    return {what: finding for what, finding in found.items() if not finding.ok}


def test_a_healthy_library(library: Library) -> None:
    found = findings(library)
    assert list(found) == HEALTHY
    assert wrong(found) == {}
    assert found["index"].found.startswith(f"{library.alias} -> {library.alias}-")
    assert "60 documents" in found["index"].found
    assert "exact, ann, reference" in found["space"].found


def test_a_graph_that_finds_too_little_is_named_where_it_ranks(library: Library) -> None:
    name = live_index(library.cluster, library.settings).name
    indices.put_meta(library.cluster, name, {"graph_recall": 0.11})
    try:
        (found,) = wrong(findings(library)).values()
        assert (found.what, "too few of the best items" in found.found) == ("space", True)
        assert "index.m" in found.cure
        with Recommender(library.cluster, library.settings) as recommender:
            by_graph = recommender.recommend(history=["b1"], path="ann")
            assert "finds too few of the best items" in by_graph.note
            assert not recommender.recommend(history=["b1"]).note
    finally:
        indices.put_meta(library.cluster, name, {"graph_recall": 1.0})


@pytest.mark.parametrize(
    ("changes", "what", "said", "cure"),
    [
        ({"catalogue": {"path": "gone.csv"}}, "catalogue", "gone.csv is missing", "catalogue.path"),
        ({"catalogue": {"path": None}}, "catalogue", "none is named", "catalogue.path"),
        ({"catalogue": {"index": "old"}}, "catalogue", "both path and index", "remove one"),
        ({"events": {"path": "gone.csv"}}, "events", "gone.csv is missing", "events.path"),
        ({"encoder": {"bundle": "gone"}}, "bundle", "no bundle 'gone'", "seealso model export"),
        (
            {"index": {"alias": "gone"}},
            "index",
            "gone: no such index or alias: no index",
            "seealso index build",
        ),
    ],
)
def test_what_is_missing_is_named(
    library: Library, changes: dict[str, dict[str, Any]], what: str, said: str, cure: str
) -> None:
    found = wrong(findings(library, library.changed(**changes)))
    assert list(found) == [what]
    assert said in found[what].found
    assert cure in found[what].cure


def test_no_events_are_no_problem(library: Library) -> None:
    found = findings(library, library.changed(events={"path": None}))
    assert wrong(found) == {}
    assert found["events"].found.startswith("none are set")


def test_a_bundle_that_is_not_in_the_store(library: Library, tmp_path: Path) -> None:
    found = wrong(findings(library, library.changed(encoder={"store": tmp_path})))
    assert list(found) == ["fingerprint"]
    assert "no bundle with fingerprint" in found["fingerprint"].found
    assert "seealso index build" in found["fingerprint"].cure


def test_a_cluster_that_does_not_answer_ends_the_evaluation(library: Library) -> None:
    def nothing() -> Cluster:
        raise Unavailable("no cluster", hint="run `seealso node start`")

    found = list(examine(library.settings, nothing))
    assert [finding.what for finding in found] == ["catalogue", "events", "bundle", "cluster"]
    assert (found[-1].ok, found[-1].cure) == (False, "run `seealso node start`")


class OldAndBare(Cluster):
    """An OpenSearch as seealso cannot use it."""

    def request(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        answer = super().request(method, path, *args, **kwargs)
        if path == "/":
            return answer | {"version": answer["version"] | {"number": "2.11.0"}}
        return [] if path == "/_cat/plugins" else answer


def test_an_old_cluster_without_the_plugin(library: Library) -> None:
    cluster = OldAndBare(library.url)
    found = {f.what: f for f in examine(library.settings, lambda: cluster) if not f.ok}
    assert list(found) == ["cluster", "k-NN plugin"]
    assert found["cluster"].cure == "upgrade OpenSearch to 2.19 or later"
    assert found["k-NN plugin"].cure == "opensearch-plugin install opensearch-knn"
    cluster.close()


def test_a_build_that_did_not_end(library: Library) -> None:
    meta = {"alias": library.alias, "state": "building"}
    name = indices.new_name(library.alias)
    body = index_body(library.settings, meta, 8)
    indices.create(library.cluster, name, body)
    try:
        found = wrong(findings(library))
        assert list(found) == ["half-built"]
        assert found["half-built"].found == name
        assert "seealso index prune" in found["half-built"].cure
    finally:
        library.cluster.request("DELETE", f"/{name}")


def test_an_alias_of_a_foreign_index(library: Library, index_name: str) -> None:
    library.cluster.request("PUT", f"/{index_name}", {"aliases": {f"{index_name}-alias": {}}})
    try:
        settings = library.changed(index={"alias": f"{index_name}-alias"})
        found = wrong(findings(library, settings))
        assert list(found) == ["index"]
        assert "not an index of seealso" in found["index"].found
        named = wrong(findings(library, library.changed(index={"alias": index_name})))
        assert "is an index, not an alias" in named["index"].found
    finally:
        library.cluster.request("DELETE", f"/{index_name}")


def test_an_empty_index(library: Library, index_name: str) -> None:
    live = indices.find_live(library.cluster, library.alias)
    assert live is not None
    meta = indices.meta(library.cluster, live) | {"alias": index_name}
    body = index_body(library.settings, meta, meta["dimension"])
    indices.create(library.cluster, f"{index_name}-1", body | {"aliases": {index_name: {}}})
    try:
        found = wrong(findings(library, library.changed(index={"alias": index_name})))
        assert list(found) == ["index"]
        assert "0 documents" in found["index"].found
        assert "seealso index build" in found["index"].cure
    finally:
        library.cluster.request("DELETE", f"/{index_name}-1")


@pytest.mark.alone
def test_templates_that_are_missing_or_of_old(library: Library) -> None:
    old = {"script": {"lang": "mustache", "source": "{}"}}
    library.cluster.request("PUT", f"/_scripts/{script_id('exact')}", old)
    library.cluster.request("DELETE", f"/_scripts/{script_id('ann')}")
    found = wrong(findings(library))
    install(library.cluster)
    assert list(found) == ["templates"]
    assert found["templates"].found == "ann missing, exact outdated"
    assert "seealso templates install" in found["templates"].cure


def command(library: Library, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "seealso", "--config", str(library.config), *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )


def test_the_command_ends_with_zero_where_all_is_well(library: Library) -> None:
    done = command(library, "doctor", "--json")
    assert done.returncode == 0, done.stdout
    assert [finding["what"] for finding in json.loads(done.stdout)] == HEALTHY


def test_the_command_ends_with_one_and_shows_the_cure(library: Library) -> None:
    done = command(library, "--set", "encoder.bundle=gone", "doctor")
    assert done.returncode == 1
    assert "no bundle 'gone'" in done.stdout
    assert "-> make it: seealso model export" in done.stdout
    assert "1 of 12 checks failed" in done.stderr


def test_without_settings_the_first_thing_to_do_is_said(tmp_path: Path) -> None:
    settings = load_settings(None, {"encoder": {"store": tmp_path}})

    def nothing() -> Cluster:
        raise Unavailable("no cluster", hint="run `seealso node start`")

    found = [finding for finding in examine(settings, nothing) if not finding.ok]
    assert [finding.what for finding in found] == ["catalogue", "bundle", "cluster"]


def test_the_embedded_node_needs_java(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = library.changed(cluster={"url": None})
    found = findings(library, embedded)
    assert list(found) == [*HEALTHY[:3], "Java", *HEALTHY[3:]]
    assert found["Java"].found.endswith("enough for OpenSearch 3.5.0")
    assert wrong(found) == {}
    nowhere = partial(find_jdk, environ={}, folders=(), bundled=lambda: None)
    monkeypatch.setattr("seealso.plugin.doctor.checks.find_jdk", nowhere)
    (missing,) = wrong(findings(library, embedded)).values()
    assert missing.found == "no Java 21 or newer found, which OpenSearch 3.5.0 needs"
    assert "pip install 'seealso[node]'" in missing.cure
    # a cluster elsewhere runs on a Java of its own
    assert wrong(findings(library)) == {}


def test_a_java_for_the_older_opensearch_is_enough(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho java.base@17.0.1\n")
    program.chmod(0o755)
    only = {"JAVA_HOME": str(tmp_path)}
    found = partial(find_jdk, environ=only, folders=(), bundled=lambda: None)
    monkeypatch.setattr("seealso.plugin.doctor.checks.find_jdk", found)
    java = findings(library, library.changed(cluster={"url": None}))["Java"]
    assert (java.ok, java.found) == (True, "17, enough for OpenSearch 2.19.1")


def shop_of(library: Library, folder: Path, events: str, items: str) -> dict[str, Finding]:
    (folder / "items.csv").write_text(items, encoding="utf-8")
    (folder / "events.csv").write_text(events, encoding="utf-8")
    settings = library.changed(
        catalogue={
            "path": str(folder / "items.csv"),
            "rename": {},
            "id": "sku",
            "text": ["name"],
            "keywords": [],
            "numbers": [],
            "lists": {},
        },
        events={"path": str(folder / "events.csv"), "user": "user", "item": "sku", "value": None},
        text={"item": "{{ name }}"},
    )
    return findings(library, settings)


ITEMS = "sku,name\nG1,Watering can\nG2,Ukulele\nG3,\n"


def test_what_the_inputs_hold_is_said(library: Library, tmp_path: Path) -> None:
    events = "user,sku,day\nann,G1,2026-10-02\n,G2,2026-10-03\nbob,g3,2026-10-04\n"
    found = shop_of(library, tmp_path, events, ITEMS)
    assert found["catalogue"].ok
    assert found["catalogue"].found.endswith("items.csv, 3 items, 1 of 3 without a text")
    assert found["events"].ok
    assert (
        "3 of 2 users, 1 of them without a user, from 2026-10-02 00:00 to" in found["events"].found
    )
    assert "1 of 3 events name items" in found["events"].found


def test_ids_that_never_meet_are_found(library: Library, tmp_path: Path) -> None:
    found = shop_of(library, tmp_path, "user,sku,day\nann,g1,\nbob,g2,\nbob,G1,\n", ITEMS)
    assert list(wrong(found)) == ["events"]
    assert "2 of 3 events name items that are not in the catalogue" in found["events"].found
    assert "differs by case ('g1' is there as 'G1')" in found["events"].found


def test_items_without_texts_and_broken_rows_are_found(library: Library, tmp_path: Path) -> None:
    events = "user,sku,day\nann,G1,2026-10-02\nann,,2026-10-02\n"
    found = wrong(shop_of(library, tmp_path, events, "sku,name\nG1,\nG2,\nG3,Ukulele\n"))
    assert list(found) == ["catalogue", "events"]
    assert "2 of 3 items have no text" in found["catalogue"].found
    assert "1 broken row and 0 broken values" in found["events"].found
    assert "events.csv line 3" in found["events"].found
    assert "--on-error skip" in found["events"].cure


def test_what_the_reading_guessed_is_said(library: Library, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("id;name;price\nG1;Ukulele;1.129\n", encoding="utf-8")
    columns = {"rename": {}, "text": ["name"], "keywords": [], "numbers": ["price"], "lists": {}}
    catalogue = {"path": str(tmp_path / "items.csv"), "id": "id", **columns}
    settings = library.changed(catalogue=catalogue, text={"item": "{{ name }}"})
    found = findings(library, settings)["catalogue"]
    assert found.ok
    assert "1.129 is read as 1129, no other number shows it: set format.decimal" in found.found


def test_a_cluster_that_is_down_hides_nothing_of_the_files(library: Library) -> None:
    def nothing() -> Cluster:
        raise Unavailable("no cluster", hint="run `seealso node start`")

    found = list(examine(library.settings, nothing))
    assert [one.what for one in found if not one.ok] == ["cluster"]
    assert "60 items" in found[0].found
