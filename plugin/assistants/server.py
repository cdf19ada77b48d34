"""The server: the tools over standard input and output, where a client starts it as a process."""

from collections.abc import Mapping
from functools import partial
from signal import SIG_DFL, SIGINT, signal
from typing import Any, Final

import anyio
import orjson
from anyio.to_thread import run_sync
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as Description
from pydantic import ValidationError

from seealso.config.section import describe_first_refusal
from seealso.errors import ClusterError, SeeAlsoError
from seealso.log import logger
from seealso.plugin.assistants.tools import DATA, TOOLS, Tool
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.wording import describe_error
from seealso.version import __version__

log = logger(__name__)

READS_ONLY: Final = ToolAnnotations(read_only_hint=True, open_world_hint=False)
"""What clients may let an assistant do without asking a person: nothing is ever written."""

INSTRUCTIONS: Final = f"Recommendations from the catalogue of this index. {DATA}"

UNFORESEEN: Final = "the tool failed in a way that nobody foresaw; the log of seealso says where"


def run(recommender: Recommender) -> None:
    """Answer calls of tools until standard input ends; from the main thread of a program."""
    # no exception ends the thread that waits for a line; nothing is written, so nothing is lost
    before = signal(SIGINT, SIG_DFL)
    try:
        anyio.run(_serve, create_server(recommender))
    finally:
        signal(SIGINT, before)


def create_server(recommender: Recommender) -> "Server[Any]":
    """Return a server whose tools ask a recommender.

    Parameters
    ----------
    recommender
        Who answers; it follows the alias, so a swap needs no restart.
    """

    async def list_tools(
        _: ServerRequestContext[Any], __: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=[_describe(name, tool) for name, tool in TOOLS.items()])

    async def call_tool(
        _: ServerRequestContext[Any], call: CallToolRequestParams
    ) -> CallToolResult:
        if call.name not in TOOLS:
            raise MCPError(
                INVALID_PARAMS, f"no tool is called {call.name!r}; there are {', '.join(TOOLS)}"
            )
        # other calls go on meanwhile
        return await run_sync(partial(_answer, recommender, call.name, call.arguments or {}))

    return Server(
        "seealso",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _serve(server: "Server[Any]") -> None:
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def _describe(name: str, tool: Tool[Any]) -> Description:
    return Description(
        name=name,
        title=tool.title,
        description=f"{tool.description} {DATA}",
        input_schema=tool.arguments.model_json_schema(),
        output_schema=tool.answer.model_json_schema(mode="serialization"),
        annotations=READS_ONLY,
    )


def _answer(recommender: Recommender, name: str, arguments: Mapping[str, Any]) -> CallToolResult:
    """Return what a tool answers; what a call got wrong is an answer too, for the assistant."""
    tool = TOOLS[name]
    try:
        read = tool.arguments.model_validate(arguments)
    except ValidationError as exc:
        return _refuse(f"{describe_first_refusal(exc)}; the schema of {name} describes arguments")
    try:
        plain = tool.use(recommender, read)
    except SeeAlsoError as exc:
        if isinstance(exc, ClusterError):
            # with the address, which the assistant need not know
            log.warning("%s: %s", name, exc.message)
        return _refuse("; ".join(part for part in (describe_error(exc), exc.hint) if part))
    except Exception as exc:
        log.exception("%s: an error that nobody foresaw", name)
        raise MCPError(INTERNAL_ERROR, UNFORESEEN) from exc
    return CallToolResult(content=[_text(orjson.dumps(plain).decode())], structured_content=plain)


def _refuse(reason: str) -> CallToolResult:
    return CallToolResult(content=[_text(reason)], is_error=True)


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)
