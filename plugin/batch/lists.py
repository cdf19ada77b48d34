"""Lists for many users: a file of users in, a file of lists out, in bounded memory, resumable.

Lists are written to ``OUT.part``, which is renamed to ``OUT`` after the last one. A killed run
leaves it behind; the next run with the same users and options continues after its last complete
line.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
from threadpoolctl import threadpool_limits

from seealso.config import RecommendSettings, Rule, Settings
from seealso.errors import DataError
from seealso.log import Tick
from seealso.plugin.batch.checkpoint import BatchCheckpoint
from seealso.plugin.batch.users_file import USERS_AT_ONCE, read_users
from seealso.plugin.ranking.options import RecommendOptions
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.recommender import Recommender
from seealso.plugin.rules.taxonomy import Taxonomy
from seealso.types import User

SECTIONS: Final = {"profile", "neighbours", "exposure", "safety", "taxonomy"}
"""Sections of the settings that lists depend on, beside ``recommend`` and ``rules``."""

REQUESTS_AT_ONCE: Final = 2
"""Requests that run at the same time."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a batch run did.

    Attributes
    ----------
    users
        Lists written.
    resumed
        How many of them an earlier run had written.
    out
        Where they are.
    renewed
        Lists ranked a second time, since they held what the blocklist now forbids.
    by_importance
        Lists of users of whom nothing is known, so that importance alone ranks.
    empty
        Lists without an item.
    """

    users: int
    resumed: int
    out: str
    renewed: int = 0
    by_importance: int = 0
    empty: int = 0


def recommend_file(
    recommender: Recommender,
    users: Path,
    out: Path,
    options: RecommendOptions,
    tick: Tick,
) -> BatchReport:
    """Write a list for every user of `users` to `out`, one JSON object a line, in order.

    Parameters
    ----------
    recommender, options
        Who recommends, and what.
    users, out
        Files.
    tick
        Called with the number of lists written.

    Raises
    ------
    DataError
        A line of `users` cannot be read; `out` is a file that this run reads, or that another
        run writes; or a killed run left the lists of other users or of other options.
    """
    _require_other(out, users, recommender.settings)
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = BatchCheckpoint.beside(out)
    with checkpoint.reserve():
        report = _write(recommender, users, checkpoint, options, tick)
        checkpoint.finish(out)
    return replace(report, out=str(out))


def _write(
    recommender: Recommender,
    users: Path,
    checkpoint: BatchCheckpoint,
    options: RecommendOptions,
    tick: Tick,
) -> BatchReport:
    """Write all lists to the files of `checkpoint`; arguments as for `recommend_file`."""
    resumed = checkpoint.resume(identity(recommender, options))
    pending = read_users(users, recommender)
    checkpoint.check_users([user.user_id for user in islice(pending, resumed)], resumed)
    tick(resumed)
    written = resumed
    with checkpoint.lists.open("ab") as sink:
        for lists in recommend_in_order(recommender, pending, options):
            sink.writelines(map(_encode, lists))
            sink.flush()
            written += len(lists)
            tick(len(lists))
    renewed = renew(recommender, users, checkpoint, options)
    by_importance, empty = checkpoint.count_without_preferences()
    return BatchReport(written, resumed, str(checkpoint.lists), renewed, by_importance, empty)


def _require_other(out: Path, users: Path, settings: Settings) -> None:
    """Refuse to replace a file that the run reads by its lists."""
    read = {
        "the users": users,
        "the catalogue": settings.catalogue.path,
        "the events": settings.events.path,
        "the attributes of users": settings.users.path,
        "the blocklist": settings.safety.blocklist,
    }
    for what, file in read.items():
        if file is not None and file.exists() and out.exists() and out.samefile(file):
            raise DataError(f"{out}: holds {what}", hint="name another file for the lists")


def renew(
    recommender: Recommender, users: Path, checkpoint: BatchCheckpoint, options: RecommendOptions
) -> int:
    """Rank the lists again that hold blocked items, and return how many they were.

    A run takes hours and may be continued days later; the current blocklist applies to all lists.
    """
    renewed = 0
    while stale := checkpoint.places_with(recommender.blocked_items()):
        numbered = enumerate(zip(read_users(users, recommender), checkpoint.lines(), strict=True))
        with checkpoint.rewrite() as sink:
            while some := list(islice(numbered, USERS_AT_ONCE)):
                affected = [user for place, (user, _) in some if place in stale]
                fresh = iter(recommender.recommend_users(affected, options) if affected else ())
                sink.writelines(
                    _encode(next(fresh)) if place in stale else line for place, (_, line) in some
                )
        renewed += len(stale)
    return renewed


def identity(recommender: Recommender, options: RecommendOptions) -> dict[str, Any]:
    """Return all that the lists of given users depend on, by name."""
    settings = recommender.settings
    criteria = options.resolve(settings.recommend)
    sections = settings.model_dump(mode="json", include=SECTIONS)
    by_settings = {
        f"{section}.{name}": value
        for section, values in sections.items()
        for name, value in values.items()
    }
    by_options = {
        f"recommend.{name}": getattr(criteria, name) for name in RecommendSettings.model_fields
    }
    return {
        **by_settings,
        **by_options,
        "filters": criteria.filters,
        "fields": criteria.fields,
        "rules": _plain(criteria.rules),
        "rules.standing": [] if criteria.without_rules else _plain(settings.rules),
        "taxonomy.tree": Taxonomy.of(settings.taxonomy).digest,
        "encoder.query_precision": settings.encoder.query_precision,
        "index.alias": settings.index.alias,
        "users.enabled": settings.users.enabled,
        "fingerprint": recommender.live.fingerprint,
    }


def _plain(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    return [rule.model_dump(mode="json") for rule in rules]


def recommend_in_order(
    recommender: Recommender, users: Iterator[User], options: RecommendOptions
) -> Iterator[list[RecommendationList]]:
    """Yield lists in the order of the users, with several requests running at once.

    Parameters
    ----------
    recommender, options
        Who recommends, and what.
    users
        Consumed as they are needed; `USERS_AT_ONCE` of them share a request.

    Yields
    ------
    list
        The lists of the users of one request.
    """
    waiting: deque[Future[list[RecommendationList]]] = deque()
    # small systems are solved for each user: several threads for one of them only wait
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        while batch := list(islice(users, USERS_AT_ONCE)):
            waiting.append(pool.submit(recommender.recommend_many, batch, options))
            if len(waiting) > REQUESTS_AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _encode(one: RecommendationList) -> bytes:
    return orjson.dumps(_line(one), option=orjson.OPT_APPEND_NEWLINE)


def _line(one: RecommendationList) -> dict[str, Any]:
    line = {
        "user_id": one.user_id,
        "items": [
            {
                "item_id": item.item_id,
                "probability": item.probability,
                "source": item.source.value,
            }
            for item in one
        ],
    }
    return {**line, "note": one.note} if one.note else line
