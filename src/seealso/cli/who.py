"""Whom a command is for: the options that describe a user, and what looks users up."""

import csv
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeAlias

import click
import orjson

from seealso.cli.context import Context
from seealso.errors import ConfigError

if TYPE_CHECKING:
    from seealso.config import Settings
    from seealso.plugin import Recommender
    from seealso.types import User

Callback: TypeAlias = Callable[[click.Context, click.Parameter, Any], Any]


def name_values(
    _: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    """Return the values by name of several ``NAME=VALUE``.

    Raises
    ------
    ConfigError
        There is no equals sign in one, or no name, or a name is there twice.
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        option = parameter.opts[0]
        if not (equals and name):
            raise ConfigError(f"{option} {text}: not of the form NAME=VALUE", hint="country=Japan")
        if name in values:
            raise ConfigError(f"{option} {text}: {name} is given twice", hint="leave one out")
        values[name] = value
    return values


def json_objects(option: str, example: str) -> Callback:
    """Return what makes objects of the JSON texts that an option was given.

    It raises a `ConfigError` with `example` where one is no JSON object.
    """

    def parse(
        _: click.Context, __: click.Parameter, texts: tuple[str, ...]
    ) -> tuple[dict[str, Any], ...]:
        found = []
        for text in texts:
            try:
                clause = orjson.loads(text)
            except orjson.JSONDecodeError as exc:
                raise ConfigError(f"{option} {text}: not JSON: {exc}", hint=example) from exc
            if not isinstance(clause, dict):
                raise ConfigError(f"{option} {text}: not a JSON object", hint=example)
            found.append(clause)
        return tuple(found)

    return parse


def spelled(_: click.Context, parameter: click.Parameter, user_id: str | None) -> str | None:
    """Return the id of a user as events are read: without blanks around it, 12.0 as 12.

    Raises
    ------
    DataError
        It is blank, as a variable that a script did not set, or not UTF-8.
    """
    return None if user_id is None else all_spelled(_, parameter, (user_id,))[0]


def all_spelled(
    _: click.Context, parameter: click.Parameter, user_ids: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the ids of several users, each as `spelled` returns it."""
    from seealso.plugin.profiles.users import read_id

    name = parameter.human_readable_name.rstrip(".")
    return tuple(read_id(name, one) for one in user_ids)


def catalogue_ids(
    context: click.Context, _: click.Parameter, texts: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the ids of items as the catalogue is read; a blank one stays, to be refused."""
    if not texts:
        return ()
    from seealso.api.reading import item_ids

    settings = context.obj.settings
    return tuple((item_ids([one], settings) or [one])[0] for one in texts)


USER_OPTIONS = (
    click.option(
        "--history",
        help="Item ids, newest first, separated by commas; instead of events. An id with a comma "
        "goes in double quotes.",
    ),
    click.option(
        "--session",
        help="Item ids of the visit under way, as for --history; put before the history.",
    ),
    click.option("--words", default="", help="The user's own words."),
    click.option(
        "--attribute",
        "attributes",
        multiple=True,
        metavar="NAME=VALUE",
        callback=name_values,
        help="An attribute of the user; may be repeated.",
    ),
)


def user_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that describe a user."""
    for option in reversed(USER_OPTIONS):
        command = option(command)
    return command


def split_ids(option: str, text: str | None, settings: "Settings") -> list[str] | None:
    """Return the item ids of a line of CSV, as in the catalogue; None for none.

    Raises
    ------
    ConfigError
        A quotation mark is not closed, or there are several lines.
    """
    if not text:
        return None
    from seealso.api.reading import item_ids

    try:
        (ids,) = csv.reader([text], skipinitialspace=True, strict=True)
    except csv.Error as exc:
        raise ConfigError(
            f"{option} {text!r}: not a line of CSV",
            hint="""put an id with a comma in double quotes: 'k1,"a,b",k3'""",
        ) from exc
    return item_ids([one.strip() for one in ids if one.strip()], settings)


def require_anybody(*description: object) -> None:
    """Refuse a call that says nothing of whom it is for.

    Raises
    ------
    click.UsageError
        All of `description` is empty.
    """
    if not any(description):
        raise click.UsageError(
            "who is it for? Give USER_ID, --history, --session, --words or --attribute"
        )


def user_for(
    recommender: "Recommender",
    user_id: str | None,
    history: str | None,
    session: str | None,
    words: str,
    attributes: dict[str, str],
) -> "User":
    """Return the user that the options describe."""
    return recommender.user(
        user_id,
        history=split_ids("--history", history, recommender.settings),
        session=split_ids("--session", session, recommender.settings),
        words=words,
        attributes=attributes,
    )


def recommender_for(context: Context, users: Collection[str] | None) -> "Recommender":
    """Return a recommender that knows `users`, or all of them for None.

    It looks them up in the users index where ``users.enabled`` says so, else in the events.
    """
    from seealso.plugin import Recommender

    found = Recommender.from_config(context.settings, users=users)
    click.get_current_context().call_on_close(found.close)
    return found
