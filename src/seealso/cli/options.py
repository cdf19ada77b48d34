"""Options and values that several commands share."""

from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

from seealso.decoding import decode, loads
from seealso.errors import DataError

on_error = click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="Stop at a broken row of catalogue or events, or skip it.",
)
allow_unmatched = click.option(
    "--allow-unmatched",
    is_flag=True,
    help="Build even if most events name items that are not in the catalogue.",
)
dry_run = click.option("--dry-run", is_flag=True, help="Print what would be done; write nothing.")


def no_stream(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Return the path of a folder, or of a file that is opened more than once.

    Raises
    ------
    click.BadParameter
        It is ``-``, which elsewhere stands for standard input or output.
    """
    if path is not None and str(path) == "-":
        raise click.BadParameter("- stands for no stream here: name a path", context, parameter)
    return path


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
