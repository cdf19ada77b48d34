"""``seealso users`` at the terminal, and what it says of bad input."""

import io
import json
from typing import Any

import pytest

from seealso.cluster.node import NodeInfo
from seealso.indexer.users.live import user_indices
from seealso.plugin.doctor import Finding, examine
from tests.integration.catalogues import OpenShop, Shop, films, write_lines
from tests.integration.complaints import Complain
from tests.members import FILMS, NAMES, PEOPLE, built, choices, documents, run


@pytest.mark.usefixtures("users_key")
def test_at_the_terminal(
    peopled: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(peopled, "users", "build", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["written"] == PEOPLE
    assert user_indices(peopled.cluster, peopled.settings()) == []
    assert run(peopled, "users", "build", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["users"], report["resumed"], report["notes"]) == (PEOPLE, False, [])
    assert run(peopled, "users", "update") == 0
    assert f"unchanged  {PEOPLE}" in capsys.readouterr().out
    assert run(peopled, "users", "neighbours", "ann-3", "--size", "3", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["neighbours"]) == 3
    enabled = {"enabled": True}
    assert (
        run(peopled, "recommend", "ann-3", "--json", users=enabled, events={"path": "/none"}) == 0
    )
    assert len(json.loads(capsys.readouterr().out)["items"]) == 10
    assert run(peopled, "users", "export", "ann-3") == 0
    assert json.loads(capsys.readouterr().out)["pseudonym"] == NAMES.of("ann-3")
    assert run(peopled, "users", "forget", "ann-3", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["would_delete"] == {report["index"]: 1}
    # nobody answers the question: nothing is deleted
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(peopled, "users", "forget", "ann-3") == 2
    assert capsys.readouterr().err == "error: there is no terminal to ask: give --yes\n"
    assert set(documents(peopled, "ann-3")) == {"ann-3"}
    assert run(peopled, "users", "forget", "ann-3", "--yes") == 0
    said = capsys.readouterr()
    assert f"1 of {report['index']}" in said.out
    assert f"delete the user from {peopled.events} as well" in said.out.replace("\n", "")
    assert documents(peopled, "ann-3") == {}
    assert run(peopled, "users", "export", "ann-3") == 0
    assert json.loads(capsys.readouterr().out)["documents"] == {}


@pytest.mark.usefixtures("users_key")
def test_the_doctor_looks_at_the_users(peopled: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(**sections: Any) -> dict[str, Finding]:
        settings = peopled.settings(**sections)
        return {one.what: one for one in examine(settings, lambda: peopled.cluster)}

    enabled = {"enabled": True}
    assert "users" not in told()
    missing = told(users=enabled)["users"]
    assert (missing.ok, missing.cure) == (False, "run `seealso users build`")
    built(peopled)
    assert told(users=enabled)["users"].found.endswith(f", {PEOPLE} documents")
    monkeypatch.setenv("SEEALSO_USERS_KEY", "quite another key of the tests")
    assert "is not the key" in told(users=enabled)["users"].found


def test_a_key_is_needed(
    opensearch_latest: NodeInfo,
    open_shop: OpenShop,
    complain: Complain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(FILMS), choices())
    monkeypatch.delenv("SEEALSO_USERS_KEY", raising=False)
    for command in (
        ("users", "build"),
        ("users", "update"),
        ("users", "forget", "ann-3", "--yes"),
        ("users", "export", "ann-3"),
        ("users", "neighbours", "ann-3"),
    ):
        said = complain(shop, *command)
        assert (said.code, said.error.partition(":")[0]) == (2, "SEEALSO_USERS_KEY is not set")
        assert "secrets.token_hex" in said.hint
    said = complain(shop, "recommend", "ann-3", users={"enabled": True})
    assert said.error.startswith("SEEALSO_USERS_KEY is not set")
    monkeypatch.setenv("SEEALSO_USERS_KEY", "short")
    said = complain(shop, "users", "build")
    assert said.error == "SEEALSO_USERS_KEY has 5 characters, at least 16 are needed"


@pytest.mark.usefixtures("users_key")
def test_bad_input(opensearch_latest: NodeInfo, open_shop: OpenShop, complain: Complain) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(FILMS), choices())
    shop.build()
    file = shop.folder / "users.jsonl"
    file.write_text("", encoding="utf-8")
    said = complain(shop, "users", "build", users={"path": str(file)})
    assert (said.code, said.error) == (3, "users.jsonl has no users")
    write_lines(file, [{"user_id": "a", "age": 3}, {"user_id": "a", "age": 4}])
    said = complain(shop, "users", "build", users={"path": str(file)})
    assert said.error == "users.jsonl line 2: user_id already exists"
    said = complain(shop, "users", "build", users={"path": str(file), "id": "uid"})
    assert said.error == "users.jsonl has no column 'uid'; it has user_id, age"
    said = complain(shop, "users", "build", events={"path": None})
    assert said.error == "there are no users: no events, and no file of users"
    said = complain(shop, "users", "neighbours", "ann-3")
    assert (said.code, said.hint) == (7, "run `seealso users build`")
    assert user_indices(shop.cluster, shop.settings()) == []
