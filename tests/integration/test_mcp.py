"""The tools for assistants, asked by the client of the official SDK in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client

from seealso import api
from seealso.errors import ClusterError, MissingExtraError
from seealso.plugin import Recommender
from seealso.plugin.assistants.arguments import MOST_PLACES
from seealso.plugin.assistants.server import create_server
from seealso.plugin.assistants.tools import DATA
from seealso.plugin.service.wording import describe_list
from tests.integration.gateways import gateway
from tests.library import Library
from tests.snippets import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "ask-from-an-assistant.md"
TOOLS = {"recommend", "related", "explain", "recommend_group", "popular"}


@dataclass(frozen=True)
class Assistant:
    """Calls tools as an assistant does."""

    portal: BlockingPortal
    client: Client

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return what a tool answers, which it says as text as well."""
        found = self.portal.call(self.client.call_tool, tool, arguments)
        assert not found.is_error, found.content
        assert json.loads(found.content[0].text) == found.structured_content
        answer: dict[str, Any] = found.structured_content
        return answer

    def fail(self, tool: str, **arguments: Any) -> str:
        """Return the one line that says what is wrong."""
        found = self.portal.call(self.client.call_tool, tool, arguments)
        assert found.is_error
        (line,) = found.content[0].text.splitlines()
        return str(line)


def command(library: Library, *options: str) -> list[str]:
    """Return the arguments of Python that the page has the client start, for this library."""
    (block,) = blocks(PAGE, "json")
    registered = json.loads(block)["mcpServers"]["seealso"]
    assert registered["command"] == "seealso"
    option, config, name = registered["args"]
    assert config.endswith("/seealso.toml")
    return ["-m", "seealso", option, str(library.config), *options, name]


@pytest.fixture(scope="module")
def assistant(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """A client that has started `seealso mcp` on the library."""
    server = StdioServerParameters(
        command=sys.executable, args=command(library), env=dict(os.environ)
    )
    stderr = tmp_path_factory.mktemp("mcp") / "stderr"
    with (
        stderr.open("w", encoding="utf-8") as file,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(stdio_client(server, file))) as client,
    ):
        yield Assistant(portal, client)


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["item_id"] for one in answer["items"]]


def test_every_tool_is_described_and_only_reads(assistant: Assistant) -> None:
    tools = assistant.portal.call(assistant.client.list_tools).tools
    assert {one.name for one in tools} == TOOLS
    for one in tools:
        assert one.title
        assert DATA in (one.description or "")
        assert one.annotations is not None
        assert one.annotations.read_only_hint is True
        schema = one.input_schema
        assert schema["additionalProperties"] is False
        assert [name for name, of in schema["properties"].items() if "description" not in of] == []
        # what an assistant is talked into leaves the operator's rules alone
        assert not {"rules", "without_rules", "path"} & schema["properties"].keys()
        assert one.output_schema is not None
        assert {"index", "bundle", "degraded"} <= {*one.output_schema["required"]}
    assert DATA in (assistant.client.instructions or "")


def test_lists_are_those_of_the_library(assistant: Assistant, recommender: Recommender) -> None:
    found, expected = assistant.call("recommend", user="u1"), recommender.recommend("u1", size=10)
    plain = describe_list(expected)
    assert ids(found) == expected.ids
    for place, item in zip(found["items"], plain["items"], strict=True):
        assert place == {name: item[name] for name in place}
        assert place["fields"]["title"]
    assert {name: found[name] for name in ("index", "bundle", "degraded")} == {
        "index": recommender.live.name,
        "bundle": recommender.live.fingerprint,
        "degraded": None,
    }
    described: dict[str, Any] = {
        "history": ["b3", "b7"],
        "session": ["b5"],
        "words": 'a "castle" {{x}}',
        "size": 4,
        "fields": ["title"],
        "filters": [{"range": {"year": {"gte": 1910}}}],
        "exclude": ["b15"],
    }
    found = assistant.call("recommend", **described)
    assert ids(found) == recommender.recommend(**described).ids
    assert [{*one["fields"]} for one in found["items"]] == [{"title"}] * 4
    assert assistant.call("recommend", user="nobody")["degraded"]
    related = assistant.call("related", item="b7", size=3)
    assert ids(related) == recommender.related("b7", size=3).ids
    popular = assistant.call("popular", size=3)
    assert ids(popular) == recommender.popular(size=3).ids
    assert {one["probability"] for one in popular["items"]} == {None}


def test_groups_and_reasons_are_those_of_the_library(
    assistant: Assistant, recommender: Recommender
) -> None:
    members = ["u1", {"history": ["b3"], "words": "castle"}]
    found = assistant.call("recommend_group", members=members, strategy="average", size=3)
    described = recommender.user(history=["b3"], words="castle")
    expected = recommender.recommend_group(["u1", described], strategy="average", size=3)
    assert ids(found) == expected.ids
    assert found["strategy"] == "average"
    assert [{*one["members"]} for one in found["items"]] == [{*expected.members}] * 3
    reasons, why = assistant.call("explain", user="u1", item="b7"), recommender.explain("u1", "b7")
    assert why.raw is not None
    assert reasons["raw"] == pytest.approx(why.raw, abs=1e-5)
    assert sum(one["amount"] for one in reasons["shares"]) == pytest.approx(why.raw, abs=1e-4)
    events = {one["item_id"] for one in reasons["shares"] if one["kind"] == "event"}
    assert events
    assert {name: reasons["texts"][name] for name in events} == {
        name: why.texts[name] for name in events
    }


def test_what_is_wrong_is_one_line(assistant: Assistant) -> None:
    assert "'b999'" in assistant.fail("related", item="b999")
    assert "usr" in assistant.fail("recommend", usr="u1")
    assert f"size: must be less than or equal to {MOST_PLACES}" in assistant.fail(
        "popular", size=MOST_PLACES + 1
    )
    assert "item" in assistant.fail("explain", user="u1")
    assert "members" in assistant.fail("recommend_group", members=[])
    assert "a group or members" in assistant.fail("recommend_group", group="g", members=["u1"])
    assert "'g'" in assistant.fail("recommend_group", group="g")
    refused = assistant.fail("recommend", user="u1", filters=[{"no_such_query": {}}])
    assert "no_such_query" in refused
    assert "http" not in refused
    with pytest.raises(MCPError, match="no tool is called 'recomend'; there are recommend, "):
        assistant.call("recomend", user="u1")


def test_a_swap_is_followed(assistant: Assistant, library: Library) -> None:
    before = assistant.call("popular")["index"]
    library.build()
    after = assistant.call("recommend", user="u1")["index"]
    assert before != after
    assert after == library.recommender().live.name


def test_stdout_is_the_protocol_and_nothing_is_written(library: Library) -> None:
    queries = f"{library.alias}-lists"
    options = ("-vv", "--set", "ubi.enabled=true", "--set", f"ubi.queries={queries}")
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}}
    calls: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize",
         "params": {**hello, "clientInfo": {"name": "by hand", "version": "1"}}},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call",
         "params": {"name": "recommend", "arguments": {"user": "u1"}}},
    ]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, *command(library, *options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.writelines(json.dumps({"jsonrpc": "2.0", **one}) + "\n" for one in calls)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        rest, noise = process.communicate(timeout=60)
    assert rest == ""
    assert process.returncode == 0
    assert [one["id"] for one in answers] == [1, 2]
    assert answers[0]["result"]["serverInfo"]["name"] == "seealso"
    assert answers[1]["result"]["structuredContent"]["items"]
    assert f"answering a client of MCP on standard input, index {library.alias}-" in noise
    assert "note: ubi.enabled: lists for assistants are not logged" in noise
    assert library.cluster.request("GET", f"/_cat/indices/{queries}*", None, {"h": "index"}) == ""


def test_a_person_ends_it_by_ctrl_c(library: Library) -> None:
    with subprocess.Popen(
        [sys.executable, *command(library)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdin is not None
        assert process.stdout is not None
        assert "answering" in process.stderr.readline()
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT


def test_an_outage_is_said_without_an_address(library: Library) -> None:
    with gateway(library.url) as between:
        settings = library.changed(cluster={"url": between.url, "retries": 0})
        opened = Recommender.from_config(settings)
    with (
        opened,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(create_server(opened))) as client,
    ):
        line = Assistant(portal, client).fail("recommend", user="u1")
    assert "OpenSearch" in line
    assert between.url.rpartition("/")[2] not in line


def test_what_nobody_foresaw_stays_in_the_log(
    library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = library.recommender()
    # the index is closed below the tool, as no caller can
    monkeypatch.setattr(opened, "_lists", None)
    with (
        opened,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(create_server(opened))) as client,
        pytest.raises(MCPError, match="nobody foresaw") as caught,
    ):
        Assistant(portal, client).call("popular")
    assert "NoneType" not in str(caught.value)
    assert "AttributeError" in caplog.text


def test_an_index_that_is_not_there_ends_it_at_once(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ClusterError, match="nowhere-at-all"):
        api.serve_mcp(library.changed(index={"alias": "nowhere-at-all"}))
    assert capsys.readouterr().out == ""


def test_without_the_sdk_it_says_what_to_install(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "seealso.plugin.assistants.server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    with pytest.raises(MissingExtraError, match="mcp is not installed") as caught:
        api.serve_mcp(library.settings)
    assert caught.value.hint == "pip install 'seealso[mcp]'"
