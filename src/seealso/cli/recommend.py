"""``seealso recommend`` and ``seealso related``."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import click
import orjson
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from seealso.cli import tables
from seealso.cli.context import Context, pass_context, stdout, write
from seealso.cli.inputs import item_ids
from seealso.cli.nothing_left import nothing_left
from seealso.cli.who import described, pairs, recommender_for, spelled, split, user_of
from seealso.config import StrategyName
from seealso.decoding import open_utf8
from seealso.errors import ConfigError
from seealso.log import progress, stderr
from seealso.plugin import RecommendationList, Recommender
from seealso.plugin.batch import recommend_file
from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.groups.options import SEEN_RULES
from seealso.plugin.opening import open_ubi
from seealso.plugin.ranking.options import RecommendOptions
from seealso.readers.files.lines import number_lines
from seealso.types import Path as RankingPath

STRATEGIES = click.Choice(get_args(StrategyName))
SEEN = click.Choice(SEEN_RULES)
PATHS = click.Choice(["auto", *(path.value for path in RankingPath)])

size = click.option("--size", type=int, help="Length of the list.")
path = click.option("--path", type=PATHS, help="How to rank.")
filters = click.option(
    "--filter", "filters", multiple=True, metavar="JSON", help="Query DSL clause; may be repeated."
)
least = click.option("--min-probability", type=float, help="Leave out what is less likely.")
rules = click.option(
    "--rule", "rules", multiple=True, metavar="JSON", help="Business rule; may be repeated."
)
without_rules = click.option(
    "--without-rules", is_flag=True, help="Leave out the rules of the settings."
)
show = click.option("--show", metavar="FIELD", help="Catalogue field to show beside the id.")


@click.command()
@click.argument("user_id", required=False, callback=spelled)
@described
@size
@path
@filters
@least
@click.option("--tail-share", type=float, help="Share of the positions for tail items.")
@rules
@without_rules
@show
@click.option("--group", metavar="IDS", help="One list for several users: ids, commas between.")
@click.option(
    "--group-attribute",
    "traits",
    multiple=True,
    metavar="NAME=VALUE",
    help="What describes a group: counts as one more member; may be repeated.",
)
@click.option("--strategy", type=STRATEGIES, help="How the group's wishes become one order.")
@click.option("--seen", type=SEEN, help="Whose seen items are left out of the group's list.")
@click.option("--explain", is_flag=True, help="Say below the list why each item is on it.")
@click.option(
    "--users",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Many users: a file with an id, or a JSON object, a line.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the lists for --users go, as JSON lines.",
)
@pass_context
def recommend(
    context: Context,
    user_id: str | None,
    history: str | None,
    words: str,
    attributes: tuple[str, ...],
    size: int | None,
    path: str | None,
    filters: tuple[str, ...],
    min_probability: float | None,
    tail_share: float | None,
    rules: tuple[str, ...],
    without_rules: bool,
    show: str | None,
    group: str | None,
    traits: tuple[str, ...],
    strategy: str | None,
    seen: str | None,
    explain: bool,
    users: Path | None,
    out: Path | None,
) -> None:
    """Recommend items to a user: by id, by history, by words and attributes, or a mix.

    With --group or --group-attribute, to several people together.
    """
    if (users is None) != (out is None):
        raise click.UsageError("--users and --out go together")
    one = user_id is not None or bool(history or words or attributes)
    if users is not None and (one or show):
        raise click.UsageError(
            "--users is for many: leave out USER_ID, --history, --words, --attribute and --show"
        )
    several = group is not None or bool(traits)
    if several and (users is not None or user_id is not None or history or attributes):
        raise click.UsageError(
            "--group is for several: leave out USER_ID, --history, --attribute and --users"
        )
    if explain and (several or users is not None):
        raise click.UsageError("--explain is for one user; see seealso explain")
    if (strategy or seen) and not several:
        raise click.UsageError("--strategy and --seen are for --group or --group-attribute")
    if users is None and not (one or several):
        raise click.UsageError("who is it for? Give USER_ID, --history, --words or --attribute")
    wishes: dict[str, Any] = {
        "size": size,
        "path": path,
        "filters": parsed(filters),
        "min_probability": min_probability,
        "tail_share": tail_share,
        "rules": parsed(rules, "--rule", RULE),
        "without_rules": without_rules,
    }
    if users is not None and out is not None:
        _many(context, users, out, wishes)
        return
    if several:
        named = split(group)
        recommender = recommender_for(context, set(named))
        shared = recommender.recommend_group(
            named,
            words=words,
            attributes=pairs(traits),
            strategy=strategy,
            seen=seen,
            **wishes,
        )
        print_list(context, shared, show, _empty(recommender, "what they saw", wishes))
        return
    recommender = recommender_for(context, {user_id} if user_id else ())
    user = user_of(recommender, user_id, history, words, attributes)
    (found,) = recommender.recommend_users([user], RecommendOptions(**wishes))
    empty = _empty(recommender, f"{len(user.seen):,} seen" if user.seen else "", wishes)
    if explain and (len(found) or context.json):
        print_with_reasons(context, found, recommender.reasons(user, found.ids), show)
        return
    print_list(context, found, show, empty)


@click.command()
@click.argument("item_id")
@size
@path
@filters
@least
@rules
@without_rules
@show
@pass_context
def related(
    context: Context,
    item_id: str,
    size: int | None,
    path: str | None,
    filters: tuple[str, ...],
    min_probability: float | None,
    rules: tuple[str, ...],
    without_rules: bool,
    show: str | None,
) -> None:
    """List the items that are most related to ITEM_ID."""
    # no user is asked for: neither events nor the users index are needed
    cluster, settings = context.cluster(), context.settings
    wishes: dict[str, Any] = {
        "filters": parsed(filters),
        "min_probability": min_probability,
        "rules": parsed(rules, "--rule", RULE),
        "without_rules": without_rules,
    }
    with Recommender(cluster, settings, ubi=open_ubi(cluster, settings, os.environ)) as recommender:
        named = (item_ids([item_id], settings) or [item_id])[0]
        found = recommender.related(named, size=size, path=path, **wishes)
        empty = _empty(recommender, f"{named} itself", wishes)
    print_list(context, found, show, empty)


def _empty(recommender: Recommender, taken: str, wishes: Mapping[str, Any]) -> str:
    live = recommender.live
    return nothing_left(live.name, live.documents, taken, wishes, recommender.settings)


def _many(context: Context, users: Path, out: Path, wishes: dict[str, Any]) -> None:
    recommender = recommender_for(context, users=None)
    options = RecommendOptions(fields=(), **wishes)
    with users.open("rb") as raw, open_utf8(raw)[0] as lines:
        total = sum(1 for _, line in number_lines(lines) if line and line.strip())
    with progress("recommending", total) as tick:
        report = recommend_file(recommender, users, out, options, tick)
    context.show(
        report,
        lambda: tables.facts(
            {
                "users": report.users,
                "of an earlier run": report.resumed,
                "made again for the blocklist": report.renewed,
                "written to": report.out,
            }
        ),
    )


def print_list(
    context: Context, found: RecommendationList | GroupList, show: str | None, empty: str
) -> None:
    """Print a list as a table, or for an empty one a sentence, with its note; or as JSON."""

    def shown() -> RenderableType:
        if not len(found):
            return Text(empty)
        return found.table(show or context.settings.catalogue.text[0])

    context.show(found, shown)
    if context.json:
        return
    if found.note:
        stdout.print(found.note, style="yellow", markup=False)
    ms = ", ".join(f"{part} {value:.1f}" for part, value in found.latency_ms.items())
    stderr.print(
        f"path {found.path.value}, index {found.index}, ms: {ms}", style="dim", soft_wrap=True
    )


def print_with_reasons(
    context: Context, found: RecommendationList, reasons: Sequence[Explanation], show: str | None
) -> None:
    """Print a list as `print_list` does, and why each item is on it."""
    if context.json:
        told = [one.as_dict() for one in reasons]
        context.show({**found.as_dict(), "reasons": told}, Table)
        return
    print_list(context, found, show, "")
    stdout.print()
    because = (
        # no share of the value: it moves the item in this list alone
        (one.item_id, one.in_short() + (f"; rules {item.boost:+.3f}" if item.boost else ""))
        for item, one in zip(found, reasons, strict=True)
    )
    write(tables.rows(("item", "because of"), because, long=("because of",)))


FILTER = """for instance '{"term": {"genres": "Drama"}}'"""
RULE = """for instance '{"do": "exclude", "field": "genres", "values": ["Horror"]}'"""


def parsed(
    given: tuple[str, ...], option: str = "--filter", example: str = FILTER
) -> tuple[dict[str, Any], ...] | None:
    """Return the filters, or whatever an option takes, given as JSON text.

    Raises
    ------
    ConfigError
        One is not a JSON object.
    """
    found = []
    for text in given:
        try:
            clause = orjson.loads(text)
        except orjson.JSONDecodeError as exc:
            raise ConfigError(f"{option} {text}: not JSON: {exc}", hint=example) from exc
        if not isinstance(clause, dict):
            raise ConfigError(f"{option} {text}: not a JSON object", hint=example)
        found.append(clause)
    return tuple(found) or None
