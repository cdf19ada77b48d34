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

from seealso.cli.tables import Trimmed
from seealso.cluster import Cluster, connect
from seealso.config import Settings

PIPED_WIDTH = 240
"""Columns of a table that goes to a file or another program: nothing is cut off there."""

stdout = Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)


def write(what: RenderableType) -> None:
    """Print a table, or what holds some, on stdout."""
    stdout.print(Trimmed(what), end="")


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
        return connect(self.settings, os.environ)

    def show(self, value: object, table: Callable[[], RenderableType]) -> None:
        """Print `value` as JSON or, for people, what `table` makes of it."""
        if self.json:
            click.echo(orjson.dumps(plain(value), option=orjson.OPT_SERIALIZE_NUMPY))
        else:
            write(table())


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
