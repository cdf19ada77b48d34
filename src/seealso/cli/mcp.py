"""``seealso mcp``."""

import click

from seealso import api
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context


@click.command(cls=Command)
@pass_context
def mcp(context: Context) -> None:
    """Answer an assistant's calls of tools over stdin and stdout.

    That is the Model Context Protocol: a client of it starts this command. The tools are recommend,
    related, explain, recommend_group and popular; none of them writes anything. Everything that is
    no answer goes to stderr. It ends when stdin does, and by Ctrl-C.
    """
    api.serve_mcp(context.settings)
