"""Ranking by vectors that hold texts and behaviour: films and their users, multiplied.

The graph is asked for real users, whose vectors lie elsewhere than those of items.
"""

from itertools import chain, islice

import numpy as np

from benchmarks.many import film_index
from benchmarks.measure import Report, Target
from benchmarks.ranking import rank_catalogue
from benchmarks.synthetic import VARIETY, Catalogue, multiply_catalogue
from seealso.cluster import Cluster
from seealso.cluster.scan import scan
from seealso.plugin import Recommender
from seealso.plugin.profiles.item_cache import ItemCache
from seealso.plugin.profiles.profile import read_profiles
from seealso.plugin.serving import Live
from seealso.types import User

QUERIES = 100
"""Users who are asked for."""


def read_catalogue(cluster: Cluster, live: Live, users: list[User]) -> Catalogue:
    """Return the items of an index as they are stored, and the vectors of users as queries."""
    pages = scan(cluster, live.name, source=["vector", "importance"], batch=500)
    documents = [hit["_source"] for hit in chain.from_iterable(pages)]
    stored = [one for one in documents if one.get("vector") is not None]
    profiles = read_profiles(users, live, ItemCache(cluster))
    return Catalogue(
        live.fingerprint,
        np.array([one["vector"] for one in stored], dtype=np.float32),
        np.array([one["importance"] for one in stored], dtype=np.float32),
        np.stack([one.vector for one in profiles if one.vector is not None]),
    )


def run(items: int) -> Report:
    """Measure the paths on the films of the example, multiplied to that many items."""
    with film_index("3g") as (cluster, settings, histories, known):
        recommender = Recommender(cluster, settings, histories)
        users = [recommender.user(one) for one in islice(histories.users(), QUERIES)]
        few = read_catalogue(cluster, recommender.live, users)
        made = {"films": len(few), "noise": VARIETY, "queries_are": "users of the films"}
        many = multiply_catalogue(few, items)
        return rank_catalogue(cluster, many, "joined", known, made, 60, Target("at least", 5))
