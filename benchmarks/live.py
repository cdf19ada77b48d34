"""What live events cost: from an event to the next list that reflects it, and events a second.

Over the items and users of the benchmark of the users index.
"""

from datetime import UTC, datetime

import numpy as np

from benchmarks.films import ALIAS, film_index
from benchmarks.measure import Figure, Report, Target, figure, take_turns, times
from benchmarks.users import NAMES, USERS, write_users
from seealso.cluster import Cluster, indices
from seealso.config import ImportanceSettings, Settings
from seealso.indexer.events.ingest import Ingester
from seealso.indexer.events.store import events_name
from seealso.log import progress
from seealso.plugin import Recommender
from seealso.plugin.users_index import UsersIndex
from seealso.readers import LiveEvent
from seealso.readers.live.reader import hash_content

ROUNDS = 100
WARM_UP = 20
BATCH = 500
SOON = 1000.0
"""Milliseconds within which the next list has to reflect an event."""


class Audience:
    """Draws events, each new.

    Parameters
    ----------
    items
        Number of items.
    """

    def __init__(self, items: int) -> None:
        self._random = np.random.default_rng(7)
        self._items = items

    def events(self, number: int) -> list[LiveEvent]:
        """Return so many events of as many users at most."""
        users = self._random.integers(0, USERS, number).tolist()
        items = self._random.integers(0, self._items, number).tolist()
        return [event(f"u{user}", str(item)) for user, item in zip(users, items, strict=True)]


def event(user_id: str, item_id: str) -> LiveEvent:
    """Return an event of this moment."""
    user, now = NAMES.of(user_id), datetime.now(UTC)
    return LiveEvent(hash_content(user, item_id, "view", now, 1.0), user, item_id, "view", 1.0, now)


def measure(cluster: Cluster, settings: Settings, items: int) -> list[Figure]:
    """Time one event with the list behind it, one event alone, and batches."""
    recommender = Recommender(cluster, settings, users=UsersIndex(cluster, settings, NAMES))
    ingester = Ingester(cluster, settings, NAMES, recommender.user_encoder)
    audience = Audience(items)

    def reflected(turn: int) -> None:
        user_id = f"u{turn % USERS}"
        chosen = recommender.recommend(user_id).ids[0]
        ingester.ingest([event(user_id, chosen)])
        if chosen in recommender.recommend(user_id).ids:
            raise AssertionError("the list does not reflect the event")

    builders = {
        "a list, an event, and the list that reflects it": reflected,
        "an event alone": lambda _: ingester.ingest(audience.events(1)),
        f"{BATCH} events": lambda _: ingester.ingest(audience.events(BATCH)),
    }
    with progress("taking in", ROUNDS + WARM_UP) as tick:
        seconds = take_turns(builders, ROUNDS, warm_up=WARM_UP, tick=tick)
    listed, alone, batch = builders
    return [
        times(listed, seconds[listed], Target("at most", SOON)),
        times(f"{listed}, 95th percentile", np.quantile(seconds[listed], [0.95])),
        times(alone, seconds[alone]),
        figure(f"events a second, {BATCH} at once", "1/s", BATCH / seconds[batch]),
    ]


def run(items: int) -> Report:
    """Measure over the small catalogue's number of items."""
    scale = {
        **ImportanceSettings().model_dump(mode="json"),
        "reference": 1000.0,
        "tail_threshold": 2,
        "as_of": None,
    }
    with film_index(items) as stage:
        live = indices.find_live(stage.cluster, ALIAS)
        indices.put_meta(stage.cluster, str(live), {"importance": scale})
        write_users(stage.cluster, stage.settings, stage.films, items)
        indices.delete(stage.cluster, events_name(ALIAS))
        figures = measure(stage.cluster, stage.settings, items)
    return Report(
        name="live",
        title=f"Live events, {USERS:,} users and {items:,} items",
        setting={"items": items, "users": USERS, "dimension": stage.films.bundle.dimension},
        machine=stage.machine,
        figures=tuple(figures),
    )
