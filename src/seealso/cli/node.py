"""``seealso node``: start, stop, status, logs of the embedded OpenSearch."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Group
from rich.table import Table
from rich.text import Text

from seealso import api
from seealso.choices import DEFAULT_VERSION, VERSIONS
from seealso.cli import tables
from seealso.cli.commands import CommandGroup
from seealso.cli.context import Context, pass_context
from seealso.log import stderr

if TYPE_CHECKING:
    from seealso.cluster.node import NodeInfo

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of data and logs; also SEEALSO_NODE_ROOT.  [default: .seealso/node]",
)
one_version = click.option(
    "--version",
    type=click.Choice(VERSIONS),
    default=DEFAULT_VERSION,
    show_default=True,
    help="OpenSearch version.",
)
any_version = click.option(
    "--version", type=click.Choice(VERSIONS), help="OpenSearch version.  [default: all]"
)


@click.group(cls=CommandGroup)
def node() -> None:
    """Run an OpenSearch with k-NN locally, without Docker."""


@node.command()
@root_option
@one_version
@click.option("--port", type=click.IntRange(1, 65535), help="HTTP port.  [default: a free one]")
@click.option("--heap", default="1g", show_default=True, help="Memory of the JVM.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds without progress to wait for its first answer.",
)
@pass_context
def start(
    context: Context, root: Path | None, version: str, port: int | None, heap: str, timeout: float
) -> None:
    """Start the node, wait until it answers, and leave it running.

    The first start downloads OpenSearch from Maven Central; later ones need no network. If a node
    is already running, nothing is done.
    """
    info = api.start_node(
        context.settings, root=root, version=version, port=port, heap=heap, timeout=timeout
    )
    context.show(info, lambda: _facts(info))


@node.command()
@root_option
@any_version
@pass_context
def stop(context: Context, root: Path | None, version: str | None) -> None:
    """Stop the node; its data stays."""
    stopped = api.stop_node(context.settings, root=root, version=version)
    context.show({"stopped": stopped}, lambda: Text(f"stopped {', '.join(stopped) or 'nothing'}"))


@node.command()
@root_option
@any_version
@pass_context
def status(context: Context, root: Path | None, version: str | None) -> None:
    """Print which nodes run and where; exit code 1 if none runs."""
    running = api.node_status(context.settings, root=root, version=version)
    context.show(running, lambda: Group(*map(_facts, running)))
    if not running:
        folder = root or context.settings.node_root
        stderr.print(f"no node runs below {folder}", markup=False, soft_wrap=True)
        sys.exit(1)


@node.command()
@root_option
@one_version
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Number of lines.",
)
@pass_context
def logs(context: Context, root: Path | None, version: str, lines: int) -> None:
    """Print the end of the node's log."""
    found = api.node_logs(context.settings, root=root, version=version, lines=lines)
    if context.json:
        context.show(found, Text)
    else:
        click.echo("".join(f"{line}\n" for line in found), nl=False)  # unbroken, as it is
    if not found:
        from seealso.cluster.node import Node

        place = Node(root or context.settings.node_root, version=version).log_path
        stderr.print(f"no log at {place}", markup=False, soft_wrap=True)


def _facts(info: "NodeInfo") -> Table:
    return tables.facts(
        {
            "url": info.url,
            "OpenSearch": info.version,
            "process": str(info.pid),
            "data": info.data,
        }
    )
