"""What the commands that print a list share: its options, and how it is printed."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from seealso.choices import Path as RankingPath
from seealso.cli import tables
from seealso.cli.context import Context, stdout, write
from seealso.cli.who import catalogue_ids, json_objects
from seealso.log import say, stderr

if TYPE_CHECKING:
    from seealso.plugin import RecommendationList
    from seealso.plugin.explanations.explanation import Explanation
    from seealso.plugin.groups.lists import GroupList
    from seealso.plugin.planned_list import PlannedList

RULE = """for instance '{"do": "exclude", "field": "genres", "values": ["Horror"]}'"""

ITEM_OPTIONS = (
    click.option("--size", type=int, help="Length of the list."),
    click.option(
        "--filter",
        "filters",
        multiple=True,
        metavar="JSON",
        help="Query DSL clause; may be repeated.",
        callback=json_objects("--filter", """for instance '{"term": {"genres": "Drama"}}'"""),
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="ID",
        help="Item to leave out; may be repeated.",
        callback=catalogue_ids,
    ),
    click.option(
        "--rule",
        "rules",
        multiple=True,
        metavar="JSON",
        help="Business rule; may be repeated.",
        callback=json_objects("--rule", RULE),
    ),
    click.option("--without-rules", is_flag=True, help="Ignore the rules of the settings."),
)
"""Which items a list may hold."""

path = click.option(
    "--path",
    type=click.Choice(["auto", *(path.value for path in RankingPath)]),
    help="How to rank.",
)
min_probability = click.option(
    "--min-probability", type=float, help="Leave out items with a lower probability."
)
tail_share = click.option(
    "--tail-share", type=float, help="Share of the places that is reserved for tail items."
)
diversity = click.option(
    "--diversity", type=float, help="How much difference from the items above counts, 0 to 1."
)
show = click.option("--show", metavar="FIELD", help="Catalogue field to print beside the id.")


def item_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which items a list may hold."""
    for option in reversed(ITEM_OPTIONS):
        command = option(command)
    return command


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of every list that a vector ranks."""
    return item_options(path(min_probability(command)))


def user_list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of lists for users and groups."""
    return list_options(tail_share(diversity(command)))


def print_list(
    context: Context,
    found: "RecommendationList | GroupList",
    show: str | None,
    empty: Callable[[], str],
) -> None:
    """Print a list as a table, or for an empty one a sentence, with its note; or as JSON."""

    def table() -> RenderableType:
        if not len(found):
            return Text(empty())
        return found.table(show or context.settings.catalogue.text[0])

    context.show(found, table)
    if context.json:
        return
    there = sorted({name for one in found for name in one.fields})
    if show and len(found) and show not in there:
        say(f"note: no item of this list has the field {show!r}; there are {', '.join(there)}")
    if found.note:
        stderr.print(found.note, style="yellow", markup=False, soft_wrap=True)
    ms = ", ".join(f"{part} {value:.1f}" for part, value in found.latency_ms.items())
    stderr.print(
        f"path {found.path.value}, index {found.index}, ms: {ms}", style="dim", soft_wrap=True
    )


def print_plan(context: Context, plan: "PlannedList") -> None:
    """Print what a list would be searched for with: the lines of an ``_msearch``, or as JSON."""
    if context.json:
        context.show(plan, Table)
        return
    click.echo(plan.msearch(), nl=False)
    if plan.note:
        stderr.print(plan.note, style="yellow", markup=False, soft_wrap=True)
    stderr.print(f"path {plan.path.value}, index {plan.index}", style="dim", soft_wrap=True)


def print_with_reasons(
    context: Context, found: "RecommendationList", reasons: "list[Explanation]", show: str | None
) -> None:
    """Print a list as `print_list` does, and why each item is on it."""
    if context.json:
        explained = [one.as_dict() for one in reasons]
        context.show({**found.as_dict(), "reasons": explained}, Table)
        return
    print_list(context, found, show, str)
    stdout.print()
    because = (
        # no share of the value: it moves the item in this list alone
        (one.item_id, one.in_short() + (f"; rules {item.boost:+.3f}" if item.boost else ""))
        for item, one in zip(found, reasons, strict=True)
    )
    write(tables.rows(("item", "because of"), because))
