"""Lists for many users: a file of users in, a file of lists out, bounded memory, resumable.

The lists gather in ``OUT.part``, which takes its name when the last one is written. A killed
run leaves it behind; the next run with the same users and options goes on after its last whole
line.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from seealso.config import RecommendSettings, Rule
from seealso.decoding import as_utf8, loads
from seealso.errors import DataError
from seealso.plugin.batch.checkpoint import BatchCheckpoint
from seealso.plugin.profiles.users import KnownUsers, describe_user
from seealso.plugin.ranking.options import RecommendOptions
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.recommender import Recommender
from seealso.plugin.rules.taxonomy import Taxonomy
from seealso.readers.files.lines import TOO_LONG, numbered
from seealso.types import User

USERS_AT_ONCE = 64
"""Users of one request."""

REQUESTS_AT_ONCE = 2

USER_LINE = "a line is a user id or {user_id, history, words, attributes}"


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What a batch run did.

    Attributes
    ----------
    users
        Lists written.
    resumed
        How many of them an earlier run had made.
    out
        Where they are.
    renewed
        Lists made a second time: they held what the blocklist forbids by now.
    """

    users: int
    resumed: int
    out: str
    renewed: int = 0


def users_of(file: Path, recommender: Recommender) -> Iterator[User]:
    """Yield the users of a file: an id a line, or a JSON object a line.

    An object may have ``user_id``, ``history`` (item ids, newest first), ``words`` and
    ``attributes``.

    Raises
    ------
    DataError
        A line is neither; the message names it.
    """
    with file.open("rb") as raw, as_utf8(raw)[0] as lines:
        told = _told(lines, str(file))
        while batch := list(islice(told, USERS_AT_ONCE)):
            # those of a request are looked up together
            known = recommender.known([str(one["user_id"]) for _, one in batch if _named(one)])
            yield from (_user(where, one, known) for where, one in batch)


def _told(lines: BufferedReader, file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each line says of a user, and where that stands."""
    for number, line in numbered(lines):
        where = f"{file} line {number}"
        if line is None:
            raise DataError(f"{where}: {TOO_LONG}", hint=USER_LINE)
        text = line.strip()
        try:
            if text.startswith(b"{"):
                yield where, loads(text)
            elif text:
                yield where, {"user_id": text.decode()}
        except UnicodeDecodeError as exc:
            raise DataError(f"{where}: not UTF-8", hint="save the file as UTF-8") from exc
        except orjson.JSONDecodeError as exc:
            raise DataError(f"{where}: not JSON: {exc}", hint=USER_LINE) from exc


def _named(told: dict[str, Any]) -> bool:
    return isinstance(told.get("user_id"), str | int)


def _user(where: str, told: dict[str, Any], known: KnownUsers) -> User:
    try:
        return describe_user(known, **told)
    except DataError as exc:
        raise DataError(f"{where}: {exc.message}", hint=USER_LINE, **exc.context) from exc
    except TypeError as exc:
        odd = sorted(told.keys() - {"user_id", "history", "words", "attributes"})
        raise DataError(f"{where}: unknown field {', '.join(odd)}", hint=USER_LINE) from exc


def recommend_file(
    recommender: Recommender,
    users: Path,
    out: Path,
    options: RecommendOptions,
    tick: Callable[[int], None],
) -> BatchReport:
    """Write a list for every user of `users` to `out`, one JSON object a line, in order.

    Parameters
    ----------
    recommender, options
        Who recommends, and what.
    users, out
        Files.
    tick
        Called with the number of users done.

    Raises
    ------
    DataError
        A line of `users` cannot be read, or what a killed run left belongs to other users or
        was made with other options.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = BatchCheckpoint.beside(out)
    done = checkpoint.resume(identity(recommender, options))
    pending = users_of(users, recommender)
    checkpoint.check_users([user.user_id for user in islice(pending, done)], done)
    tick(done)
    written = done
    with checkpoint.lists.open("ab") as sink:
        for lists in in_order(recommender, pending, options):
            sink.writelines(map(_encoded, lists))
            sink.flush()
            written += len(lists)
            tick(len(lists))
    renewed = renew(recommender, users, checkpoint, options)
    checkpoint.finish(out)
    return BatchReport(written, done, str(out), renewed)


def renew(
    recommender: Recommender, users: Path, checkpoint: BatchCheckpoint, options: RecommendOptions
) -> int:
    """Make the lists again that hold what is blocked by now, and return how many those were.

    A run takes hours, and may go on days later; the blocklist of the day holds for all of it.
    """
    renewed = 0
    while stale := checkpoint.places_with(recommender.blocked_items()):
        pairs = enumerate(zip(users_of(users, recommender), checkpoint.lines(), strict=True))
        with checkpoint.rewrite() as sink:
            while some := list(islice(pairs, USERS_AT_ONCE)):
                asked = [user for place, (user, _) in some if place in stale]
                fresh = iter(recommender.recommend_users(asked, options) if asked else ())
                sink.writelines(
                    _encoded(next(fresh)) if place in stale else line for place, (_, line) in some
                )
        renewed += len(stale)
    return renewed


def identity(recommender: Recommender, options: RecommendOptions) -> dict[str, Any]:
    """Return everything that changes the lists of the same users, by name."""
    settings = recommender.settings
    wanted = options.resolve(settings.recommend)
    sections = {"profile": settings.profile, "neighbours": settings.neighbours}
    found = {
        f"{section}.{name}": value
        for section, chosen in sections.items()
        for name, value in chosen.model_dump(mode="json").items()
    }
    named = {f"recommend.{name}": getattr(wanted, name) for name in RecommendSettings.model_fields}
    return (
        found
        | named
        | {
            "filters": wanted.filters,
            "rules": _plain(wanted.rules),
            "rules.standing": [] if wanted.without_rules else _plain(settings.rules),
            "exposure": settings.exposure.model_dump(mode="json"),
            "safety": settings.safety.model_dump(mode="json"),
            "taxonomy": settings.taxonomy.model_dump(mode="json"),
            "taxonomy.tree": Taxonomy.of(settings.taxonomy).digest,
            "fields": wanted.fields,
            "encoder.query_precision": settings.encoder.query_precision,
            "index.alias": settings.index.alias,
            "users.enabled": settings.users.enabled,
            "fingerprint": recommender.live.fingerprint,
        }
    )


def _plain(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    return [rule.model_dump(mode="json") for rule in rules]


def in_order(
    recommender: Recommender, users: Iterator[User], options: RecommendOptions
) -> Iterator[list[RecommendationList]]:
    """Ask with several requests on the way, answer in the order of the users.

    Parameters
    ----------
    recommender, options
        Who recommends, and what.
    users
        Taken as they are asked for; `USERS_AT_ONCE` of them share a request.

    Yields
    ------
    list
        The lists of the users of one request.
    """
    waiting: deque[Future[list[RecommendationList]]] = deque()
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        while batch := list(islice(users, USERS_AT_ONCE)):
            waiting.append(pool.submit(recommender.recommend_users, batch, options))
            if len(waiting) > REQUESTS_AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _encoded(one: RecommendationList) -> bytes:
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
