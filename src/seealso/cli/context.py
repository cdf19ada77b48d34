"""What every command gets: settings, how to reach the cluster, how to print."""

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console, RenderableType

from seealso.cli.tables import Trimmed, facts

if TYPE_CHECKING:
    from seealso.config import Settings

PIPED_WIDTH = 10_000
"""Columns of a table that goes to a file or another program: nothing is cut or folded there."""

stdout = Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)


def write(what: RenderableType) -> None:
    """Print a table, or what holds some, on stdout."""
    stdout.print(Trimmed(what), end="")


@dataclass(frozen=True)
class Context:
    """Settings and form of the output of one command.

    Attributes
    ----------
    load
        Reads the settings: what ``seealso.toml``, the environment and the command line say.
    json
        Print results as JSON.
    """

    load: Callable[[], "Settings"]
    json: bool

    @cached_property
    def settings(self) -> "Settings":
        """The settings, read when they are first asked for: help needs none.

        Raises
        ------
        ConfigError
            They cannot be read, or one is unknown or out of range.
        """
        return self.load()

    def show(
        self, value: object, table: Callable[[], RenderableType | Mapping[str, object]]
    ) -> None:
        """Print `value` as JSON or, for people, what `table` makes of it: a table, or facts."""
        if self.json:
            click.echo(orjson.dumps(plain(value), option=orjson.OPT_SERIALIZE_NUMPY))
            return
        content = table()
        write(facts(content) if isinstance(content, Mapping) else content)


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
