"""The entry point: global options, the commands, and the one place where errors become text."""

import errno
import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
import orjson
from click.shell_completion import get_completion_class
from rich.text import Text

from seealso.cli.commands import CommandGroup
from seealso.cli.context import Context, plain
from seealso.errors import ConfigError, SeeAlsoError
from seealso.log import configure, stderr
from seealso.version import __version__

if TYPE_CHECKING:
    from seealso.config import Settings

COMMANDS: Final = {
    "attach": "Add vectors and importance to the existing index INDEX.",
    "build": "Go from files to the best lists, once and every night.",
    "demo": "Start the embedded node, build an index, and recommend.",
    "doctor": "Check settings, bundle, cluster, index and templates.",
    "evaluate": "Measure recommendations on events that were held out.",
    "events": "Ingest events; users and items are updated at once.",
    "explain": "Say why ITEM_ID has its value for USER_ID.",
    "fit": "Fit the bundle of [fit]: behaviour and texts in one vector.",
    "index": "Build, change and switch the index behind the alias.",
    "mcp": "Answer an assistant's calls of tools over stdin and stdout.",
    "model": "Make, inspect, compare and move model bundles.",
    "node": "Run an OpenSearch with k-NN locally, without Docker.",
    "personalise": "Add a user's preference to the scores of a search.",
    "popular": "List the most important items, for nobody in particular.",
    "rank": "Bring items into the order of a user.",
    "recommend": "Recommend items to a user.",
    "recommend-batch": "Write a list for each user of the file USERS to OUT.",
    "recommend-group": "Recommend one list of items to several people.",
    "related": "List the items that are most related to ITEM_ID.",
    "serve": "Answer over HTTP what the library answers.",
    "status": "Say what is live, how good it is, and what to do next.",
    "templates": "Store, list and print the query templates.",
    "train": "Fine-tune the model of [training] and write its bundle.",
    "tune": "Search the settings of [training] that rank best on dev.",
    "users": "Store users in an index under pseudonyms.",
}
"""What the list of commands says of each, without importing it: the first sentence of its help."""

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
"""Numbers of errors that say that nothing more can be written there."""

MODULES: Final = dict.fromkeys(
    ("popular", "rank", "recommend-batch", "recommend-group", "related"), "recommend"
)
"""The module of a command where it is not called like the command."""


class LazyGroup(CommandGroup):
    """The commands, each imported when it is called: most need much that the others do not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported if it is not here yet."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module = import_module(f"seealso.cli.{MODULES.get(cmd_name, cmd_name)}")
            command: click.Command = getattr(module, cmd_name.replace("-", "_"))
            accept_json(command)
            self.add_command(command)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, COMMANDS.get(name) or self.commands[name].get_short_help_str())
                    for name in self.list_commands(ctx)
                ]
            )


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="seealso")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.  [default: seealso.toml]",
)
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="SECTION.NAME=VALUE",
    help="Change one setting, above the file and the environment; may be repeated.",
)
@click.option("--json", is_flag=True, help="Print results as JSON.")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; twice for everything.")
@click.pass_context
def cli(
    ctx: click.Context, config: Path | None, changes: tuple[str, ...], json: bool, verbose: int
) -> None:
    """Recommendations inside the OpenSearch you already run."""
    configure(("WARNING", "INFO", "DEBUG")[min(verbose, 2)])
    ctx.obj = Context(partial(read_settings, config, changes), json)


def read_settings(config: Path | None, changes: Sequence[str]) -> "Settings":
    """Read the settings of a file, with those that the command line changes."""
    from seealso.config import load_settings

    return load_settings(config, overrides(changes))


def overrides(changes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Turn ``section.name=value`` into what `load_settings` takes.

    A name may lead into a table (``catalogue.format.encoding``). Values are JSON or text, tables
    also TOML.
    """
    sections: dict[str, dict[str, Any]] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        section, *tables, key = name.split(".") if "." in name else ("", name)
        if not (equals and all((section, *tables, key))):
            raise ConfigError(
                f"--set {change}: not of the form SECTION.NAME=VALUE",
                hint="for instance --set index.alias=films",
            )
        there = sections.setdefault(section, {})
        for table in tables:
            if not isinstance(there.get(table), dict):
                there[table] = {}
            there = there[table]
        if key in there:
            raise ConfigError(f"--set {name}: is given twice", hint="leave one out")
        there[key] = _value(value)
    return sections


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        # a table as the settings file has it
        return tomllib.loads(f"value = {text}")["value"] if text.startswith("{") else text
    except tomllib.TOMLDecodeError:
        return text


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    For bash: eval "$(seealso completion bash)"
    """
    chosen = get_completion_class(shell)
    if chosen is None:  # pragma: no cover - click knows the three
        raise ConfigError(f"no completion for {shell}")
    click.echo(chosen(cli, {}, "seealso", "_SEEALSO_COMPLETE").source())


def as_json(ctx: click.Context, _: click.Parameter, chosen: bool) -> None:
    """Let ``--json`` behind a command do what it does before it."""
    if chosen and isinstance(ctx.obj, Context):
        ctx.obj = replace(ctx.obj, json=True)


def accept_json(command: click.Command) -> None:
    """Give `command`, and the commands below it, the option ``--json``."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            accept_json(below)
        return
    command.params.append(
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=as_json,
            help="Print results as JSON.",
        )
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; every error of seealso ends as one readable line and its hint."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        cli.main(args=arguments, prog_name="seealso", standalone_mode=False)
    except SeeAlsoError as exc:
        fail(exc, arguments)
    except BrokenPipeError:
        # whoever read our output has gone (`| head`); Python would complain of it once more at
        # exit, where it flushes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as exc:
        if exc.strerror is None:
            raise
        fail(describe_os_error(exc), arguments)
    except click.ClickException as exc:
        if "--json" in arguments:
            called = exc.ctx.command_path if isinstance(exc, click.UsageError) and exc.ctx else ""
            hint = f"see {called or 'seealso'} --help"
            report_json(ConfigError(exc.format_message(), hint=hint))
        else:
            exc.show()
        sys.exit(exc.exit_code)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except (click.Abort, KeyboardInterrupt):
        stderr.print("stopped")
        sys.exit(130)


def describe_os_error(exc: OSError) -> SeeAlsoError:
    """Return the error of a file that could not be read or written."""
    # of a copy, the second file is the one that was written
    name = exc.filename2 or exc.filename
    if exc.errno in FULL:
        where = name or "a file that was being written"
        hint = "free space there, or write elsewhere, and run the same command again"
        return SeeAlsoError(f"{where}: {exc.strerror}", hint=hint)
    if name is None:
        return SeeAlsoError(f"the operating system refused: {exc.strerror}")
    return SeeAlsoError(f"{name}: {exc.strerror}", hint="check path and permissions")


def fail(exc: SeeAlsoError, arguments: Sequence[str]) -> NoReturn:
    """Print what is wrong, as JSON if that was asked for, and end."""
    (report_json if "--json" in arguments else report)(exc)
    sys.exit(exc.exit_code)


def report(exc: SeeAlsoError) -> None:
    """Print what is wrong and what to do about it."""
    stderr.print(Text.assemble(("error: ", "bold red"), exc.message), soft_wrap=True)
    if exc.hint:
        stderr.print(Text.assemble((" hint: ", "bold"), exc.hint), soft_wrap=True)


def report_json(exc: SeeAlsoError) -> None:
    """Print the same for programs, with the facts that the error carries."""
    facts = {"error": type(exc).__name__, "message": exc.message, "hint": exc.hint}
    click.echo(orjson.dumps({**facts, "context": plain(exc.context)}), err=True)


if __name__ == "__main__":
    main()
