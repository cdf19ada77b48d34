"""What the users index costs: lists by user id from it, with neighbours, and neighbours.

Everything is compared with a plain list by the same histories, over the titles of `recommending`.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.films import ALIAS, Films, film_index
from benchmarks.measure import Report, SystemBuilder, compared
from benchmarks.recommending import HISTORY, REGULARS, histories, recommender_of
from seealso.cluster import BulkWriter, Cluster, indices
from seealso.config import NeighbourSettings, Settings
from seealso.indexer.mapping import derive_vectors
from seealso.indexer.users.documents import user_document
from seealso.indexer.users.mapping import users_alias, users_body, users_meta
from seealso.log import progress
from seealso.plugin import Recommender
from seealso.plugin.users_index import UsersIndex
from seealso.readers import Pseudonyms
from seealso.types import HistoryEntry, User, Vector

USERS = 20_000
ROUNDS = 200
WARM_UP = 500
NAMES = Pseudonyms(b"a key for the benchmarks alone")
SHARE = 0.5
PLAIN = "a plain list by the same history"


def people(films: Films, items: int) -> Iterator[tuple[User, Vector]]:
    """Yield users with ten items each, and the unit mean of their titles' vectors."""
    draw = histories(items, REGULARS)
    for number in range(USERS):
        ids = draw(number)
        user = User(f"u{number}", tuple(map(HistoryEntry, ids)), frozenset(ids))
        total = films.vectors[[int(one) % len(films.titles) for one in ids]].sum(axis=0)
        yield user, total / np.linalg.norm(total)


def write_users(cluster: Cluster, settings: Settings, films: Films, items: int) -> None:
    """Write the users index behind its alias, merged."""
    alias = users_alias(ALIAS)
    name = indices.new_name(alias)
    for old in indices.list_indices(cluster, alias):
        indices.delete(cluster, old.name)
    meta = users_meta(alias, settings.users, NAMES, films.bundle.fingerprint, "users")
    body = users_body(settings.index, meta, films.bundle.dimension)
    indices.create(cluster, name, derive_vectors(body, cluster.version()))
    with progress("writing users", USERS) as tick, BulkWriter(cluster, name) as writer:
        for user, vector in people(films, items):
            writer.index(NAMES.of(str(user.user_id)), user_document(user, vector, ""))
            tick(1)
    with progress("merging"):
        indices.finish_loading(cluster, name, replicas=0, merge=True)
    indices.put_meta(cluster, name, {"state": "ready"})
    indices.point_alias(cluster, alias, name)


def builders(cluster: Cluster, settings: Settings, items: int) -> dict[str, SystemBuilder]:
    """Return what is timed, by name; the first is what the others are compared with."""
    draw = histories(items, REGULARS)
    boosted = settings.model_copy(update={"neighbours": NeighbourSettings(share=SHARE)})
    index = UsersIndex(cluster, settings, NAMES)
    plain = recommender_of(cluster, settings)
    by_id = Recommender(cluster, settings, users=index)
    with_neighbours = Recommender(cluster, boosted, users=UsersIndex(cluster, boosted, NAMES))

    def named(turn: int) -> str:
        return f"u{turn % USERS}"

    return {
        PLAIN: lambda turn: plain.recommend(history=draw(turn % USERS)),
        "recommend by id, from the users index": lambda turn: by_id.recommend(named(turn)),
        "recommend by id, with neighbours": lambda turn: with_neighbours.recommend(named(turn)),
        "neighbours of a user": lambda turn: by_id.neighbours(by_id.user(named(turn))),
    }


def run(items: int) -> Report:
    """Measure over the small catalogue's number of items."""
    with film_index(items) as stage:
        write_users(stage.cluster, stage.settings, stage.films, items)
        timed = builders(stage.cluster, stage.settings, items)
        figures = compared(timed, ROUNDS, WARM_UP, "recommending")
    section = NeighbourSettings()
    return Report(
        name="users",
        title=f"Users in an index, {USERS:,} of them over {items:,} items",
        setting={
            "items": items,
            "users": USERS,
            "dimension": stage.films.bundle.dimension,
            "history": HISTORY,
            "neighbours": section.k,
            "latest": section.latest,
            "lists_before_the_timed_ones": WARM_UP * 4,
        },
        machine=stage.machine,
        figures=tuple(figures),
    )
