"""Options and steps that the commands share which read a catalogue and its events."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

from seealso.cli.context import Context
from seealso.config import Settings
from seealso.decoding import decode, loads, read_lines
from seealso.errors import ConfigError, DataError
from seealso.indexer.inputs import Inputs, inputs
from seealso.log import say
from seealso.readers import Attributes, FileSource, Problems, parse_id, read_attributes

on_error = click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What a broken row of catalogue or events does.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done, write nothing.")


def read_inputs(context: Context, on_error: str) -> tuple[Inputs, Problems]:
    """Return the inputs that the settings name, and what takes their broken rows."""
    problems = Problems(on_error)  # type: ignore[arg-type]
    needs_cluster = context.settings.catalogue.index or context.settings.events.index
    cluster = context.cluster() if needs_cluster else None
    return inputs(context.settings, cluster, problems), problems


def attributes_of_users(settings: Settings, problems: Problems) -> dict[str, Attributes]:
    """Return the attributes of each user of the file of ``[users]``.

    Raises
    ------
    ConfigError
        No file is named.
    DataError
        It cannot be read.
    """
    users = settings.users
    if users.path is None:
        raise ConfigError(
            "--by-user: no file tells attributes of users", hint="set users.path in seealso.toml"
        )
    file = FileSource(users.path, format=users.format, columns=users.columns, section="users")
    return read_attributes(file, users, problems)


def ids_in(file: Path, settings: Settings) -> list[str]:
    """Return the item ids of a text file, one a line, spelled as those of the catalogue are.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    return item_ids(read_lines(file), settings)


def item_ids(texts: Iterable[str], settings: Settings) -> list[str]:
    """Return item ids as the catalogue is read, which has ``_id`` as it is; empty ones left out."""
    if settings.catalogue.id == "_id":
        return list(texts)
    return [item_id for text in texts if (item_id := parse_id(text)) is not None]


def lines_of(file: Path) -> list[str]:
    """Return the lines of a text file that are not blank.

    Raises
    ------
    DataError
        The file cannot be read, or has no such line.
    """
    if not (found := read_lines(file)):
        raise DataError(f"{file}: no text in it", hint="give one text a line")
    return found


def read_json(file: BinaryIO, hint: str) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    DataError
        It is not JSON; the message says where, the hint what it should hold.
    """
    try:
        return loads(decode(file.read()))
    except orjson.JSONDecodeError as exc:
        raise DataError(
            f"{file.name}:{exc.lineno}:{exc.colno}: not JSON: {exc.msg}",
            hint=hint,
            file=file.name,
            line=exc.lineno,
        ) from exc


def say_notes(notes: Iterable[str]) -> None:
    """Say on stderr what was guessed, left out or degraded, a line each."""
    for note in notes:
        say(f"note: {note}")


def say_losses(problems: Problems) -> None:
    """Say on stderr what was left out of each source and why."""
    if summary := problems.summary():
        say(summary)


def say_skipped(problems: Problems) -> None:
    """Say on stderr what was left out of each source and why, and what was guessed."""
    say_losses(problems)
    say_notes(problems.notes)
