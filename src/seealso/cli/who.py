"""Whom a command is for: the options that describe a user, and what looks users up."""

import os
from collections.abc import Callable, Collection
from typing import Any

import click

from seealso.cli.context import Context
from seealso.cli.inputs import item_ids, say_losses
from seealso.errors import ConfigError
from seealso.plugin import Recommender
from seealso.plugin.opening import open_recommender
from seealso.readers import Problems, parse_id
from seealso.types import User

OPTIONS = (
    click.option(
        "--history", help="Item ids, newest first, with commas between; instead of events."
    ),
    click.option("--words", default="", help="What the user says they want."),
    click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE"),
)


def described(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that describe a user: `user_of` takes what they say."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def user_of(
    recommender: Recommender,
    user_id: str | None,
    history: str | None,
    words: str,
    attributes: tuple[str, ...],
) -> User:
    """Return the user that the options describe."""
    return recommender.user(
        user_id,
        history=item_ids(split(history), recommender.settings) if history else None,
        words=words,
        attributes=pairs(attributes),
    )


def recommender_for(context: Context, users: Collection[str] | None) -> Recommender:
    """Return a recommender that knows `users`, or all of them for None.

    It looks them up in the users index where ``users.enabled`` says so, else in the events.
    """
    problems = Problems("skip")
    found = open_recommender(
        context.cluster(), context.settings, os.environ, users=users, problems=problems
    )
    # what was guessed is said by what builds; here it would come at every call
    say_losses(problems)
    # rows of lists that were shown are written behind them
    click.get_current_context().call_on_close(found.close)
    return found


def spelled(_: click.Context, __: click.Parameter, user_id: str | None) -> str | None:
    """Return the id of a user as events are read: without blanks around it, 12.0 as 12."""
    return None if user_id is None else parse_id(user_id) or user_id


def split(text: str | None) -> list[str]:
    """Return ids that stand with commas between."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def pairs(given: tuple[str, ...]) -> dict[str, str]:
    """Return the values by name of several ``NAME=VALUE``.

    Raises
    ------
    ConfigError
        There is no equals sign in one.
    """
    return dict(map(_pair, given))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--attribute {text}: not of the form NAME=VALUE", hint="country=Japan")
    return name, value
