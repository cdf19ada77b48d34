"""What every command gets: settings, how to reach the cluster, how to print."""

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click
import orjson
from rich.console import Console, RenderableType

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.errors import Unavailable

PIPED_WIDTH = 240
"""Columns of a table that goes to a file or another program: nothing is cut off there."""

stdout = Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)


@dataclass(frozen=True)
class Context:
    """Settings and form of the output of one call.

    Attributes
    ----------
    settings
        Everything that ``seealso.toml``, the environment and the command line say.
    json
        Print results as JSON.
    """

    settings: Settings
    json: bool

    def cluster(self) -> Cluster:
        """Return the cluster that the settings name, or the embedded node.

        Raises
        ------
        Unavailable
            None is named and no embedded node runs.
        """
        chosen = self.settings.cluster
        return Cluster(
            chosen.url or self._node_url(),
            username=chosen.username,
            password=os.environ.get("SEEALSO_PASSWORD"),
            ca_file=chosen.ca_file,
            timeout=chosen.timeout,
            retries=chosen.retries,
        )

    def _node_url(self) -> str:
        from seealso.cluster.node import VERSIONS, Node

        for version in VERSIONS:
            running = Node(self.settings.node_root, version=version).status()
            if running is not None:
                return running.url
        raise Unavailable(
            "no cluster: cluster.url is not set and no embedded node runs",
            hint="run `seealso node start`, or set cluster.url in seealso.toml",
        )

    def show(self, value: object, table: Callable[[], RenderableType]) -> None:
        """Print `value` as JSON or, for people, what `table` makes of it."""
        if self.json:
            click.echo(orjson.dumps(plain(value), option=orjson.OPT_SERIALIZE_NUMPY))
        else:
            stdout.print(table())


def plain(value: object) -> Any:
    """Return `value` as what JSON knows."""
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


pass_context = click.make_pass_decorator(Context)
