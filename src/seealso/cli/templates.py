"""``seealso templates``: install, list, show, render."""

from typing import TYPE_CHECKING, BinaryIO

import click
import orjson

from seealso import api
from seealso.cli import tables
from seealso.cli.commands import CommandGroup
from seealso.cli.context import Context, pass_context
from seealso.cli.options import read_json
from seealso.errors import DataError, Unavailable
from seealso.log import stderr
from seealso.query_templates import names, parameters, script_id, source
from seealso.query_templates import render as render_template

if TYPE_CHECKING:
    from seealso.indexer.templates import State


class TemplateName(click.Choice[str]):
    """The name of a template, or the id that the cluster stores it by."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        return super().convert(
            {script_id(one): one for one in names()}.get(value, value), param, ctx
        )


template_name = click.argument("name", type=TemplateName(names()), metavar="NAME")


@click.group(cls=CommandGroup)
def templates() -> None:
    """Store, list and print the query templates."""


@templates.command()
@click.option("--dry-run", is_flag=True, help="Say what would be stored, write nothing.")
@pass_context
def install(context: Context, dry_run: bool) -> None:
    """Store the templates in the cluster, unless they are current."""
    run = api.plan_install_templates if dry_run else api.install_templates
    ids = [script_id(name) for name in run(context.settings)]
    context.show(
        {"would_store" if dry_run else "stored": ids},
        lambda: tables.facts(
            {"would store" if dry_run else "stored": "\n".join(ids) or "nothing: all are current"}
        ),
    )


@templates.command(name="list")
@pass_context
def list_(context: Context) -> None:
    """List the templates, their parameters, and which are stored."""
    states = _states(context)
    context.show(
        [
            {
                "name": name,
                "id": script_id(name),
                "stored": states.get(name),
                "parameters": list(parameters(name)),
                "required": _required(name),
            }
            for name in names()
        ],
        lambda: tables.rows(
            ["name", "stored", "parameters"],
            [(name, states.get(name), _parameters(name)) for name in names()],
        ),
    )


def _states(context: Context) -> "dict[str, State]":
    try:
        return api.list_templates(context.settings)
    except Unavailable as exc:
        stderr.print(f"stored: unknown, {exc.message}", markup=False, soft_wrap=True)
        return {}


def _required(name: str) -> list[str]:
    return [parameter for parameter, needed in parameters(name).items() if needed]


def _parameters(name: str) -> str:
    return " ".join(one if needed else f"[{one}]" for one, needed in parameters(name).items())


@templates.command()
@template_name
@pass_context
def show(context: Context, name: str) -> None:
    """Print the template NAME as the cluster stores it."""
    if context.json:
        click.echo(orjson.dumps({"id": script_id(name), "source": source(name)}))
    else:
        click.echo(source(name), nl=False)


@templates.command()
@template_name
@click.option(
    "--params",
    "params_file",
    type=click.File("rb"),
    required=True,
    help="A JSON file with the parameters; - for standard input.",
)
def render(name: str, params_file: BinaryIO) -> None:
    """Print the request body of the template NAME with parameters."""
    click.echo(render_template(name, _read(params_file)))


def _read(file: BinaryIO) -> dict[str, object]:
    params = read_json(file, 'write an object, for instance {"vector": [0.1, 0.2], "size": 5}')
    if not isinstance(params, dict):
        raise DataError(
            f"{file.name}: the parameters must be a JSON object",
            hint='for instance {"vector": [0.1, 0.2], "size": 5}',
            file=file.name,
        )
    return params
