"""Asks a person before something is deleted; where there is none to ask, says so."""

import sys

import click

from seealso.errors import ConfigError


def confirm(question: str) -> None:
    """Ask `question` at the terminal, and continue only after a yes.

    Raises
    ------
    ConfigError
        There is no terminal to ask.
    click.Abort
        The answer is no.
    """
    # nobody sees the question where a script runs the command: it must say yes itself
    if not sys.stdin or not sys.stdin.isatty():
        raise ConfigError("there is no terminal to ask: give --yes")
    click.confirm(question, abort=True, err=True)
