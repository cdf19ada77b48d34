"""What each feature costs: lists with rules, shares, reasons, for groups, and searches by taste.

Each is compared with a plain list by the same history; a personalised search with the same search
as it came.
"""

from collections.abc import Callable
from typing import Any

from benchmarks.films import ALIAS, Films, film_index
from benchmarks.measure import Report, SystemBuilder, compared
from benchmarks.recommending import HISTORY, REGULARS, histories, recommender_of
from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.plugin import Recommender
from seealso.types import User

ROUNDS = 100
WARM_UP = 150
PLAIN = "a plain list"
SEARCHED = "a search of an application's own"
RULES = (
    {"do": "exclude", "field": "genres", "values": ["Horror"]},
    {"do": "boost", "field": "genres", "values": ["Animation"], "factor": 1.2},
    {"do": "pin", "items": ["7"], "position": 3},
)
MOST = {
    "with three rules": 1.5,
    "with two shares, a cap and diversity": 2.0,
    "for a group of 8, fair": 3.0,
    "for a group of 8, average": 3.0,
}
"""Times of a plain list that these may take."""
MOST_PERSONALISED = 1.5
"""Times of a search as it came."""
EXPOSURE = {
    "diversity": 0.2,
    "shares": [
        {"share": 0.2, "field": "genres", "values": ["Documentary"]},
        {"share": 0.1, "field": "genres", "values": ["Western"]},
    ],
    "caps": [{"field": "genres", "most": 5}],
}


class Application:
    """Searches titles as an application would, with highlights and counts of genres.

    Parameters
    ----------
    films
        Titles that are searched for.
    """

    def __init__(self, films: Films) -> None:
        self._titles = films.titles

    def body(self, turn: int) -> dict[str, Any]:
        """Return a search body, another in every turn."""
        # 7919 is prime: no two turns of a run search for the same title
        title = self._titles[turn * 7919 % len(self._titles)]
        return {
            "query": {"match": {"title": title}},
            "highlight": {"fields": {"title": {}}},
            "aggs": {"genres": {"terms": {"field": "genres"}}},
            "_source": ["title"],
        }


def of_histories(recommender: Recommender, items: int) -> Callable[[int, int], list[User]]:
    """Return a function that puts together so many users, others in every turn."""
    draw = histories(items, REGULARS)

    def people(turn: int, number: int) -> list[User]:
        return [recommender.user(history=draw(turn * number + one)) for one in range(number)]

    return people


def lists(cluster: Cluster, settings: Settings, items: int) -> dict[str, SystemBuilder]:
    """Return the lists that are timed, by name; the first is what the others are compared with."""
    plain = recommender_of(cluster, settings)
    exposed = recommender_of(
        cluster, Settings.model_validate({**settings.model_dump(), "exposure": EXPOSURE})
    )
    draw, people = histories(items, REGULARS), of_histories(plain, items)

    def explained(turn: int) -> None:
        (user,) = people(turn, 1)
        (found,) = plain.recommend_batch([user])
        plain.reasons(user, found.ids)

    return {
        PLAIN: lambda turn: plain.recommend(history=draw(turn)),
        "related items": lambda turn: plain.related(draw(turn)[0]),
        "with three rules": lambda turn: plain.recommend(history=draw(turn), rules=RULES),
        "with two shares, a cap and diversity": lambda turn: exposed.recommend(history=draw(turn)),
        "with the reasons of ten items": explained,
        "for a group of 2, fair": lambda turn: plain.recommend_group(people(turn, 2)),
        "for a group of 8, fair": lambda turn: plain.recommend_group(people(turn, 8)),
        "for a group of 8, average": lambda turn: plain.recommend_group(
            people(turn, 8), strategy="average"
        ),
    }


def searches(
    cluster: Cluster, settings: Settings, films: Films, items: int
) -> dict[str, SystemBuilder]:
    """Return the searches that are timed, by name; the first is as the application sends it."""
    recommender, own = recommender_of(cluster, settings), Application(films)
    people = of_histories(recommender, items)

    def personalised(window: int | None) -> SystemBuilder:
        return lambda turn: recommender.search(own.body(turn), *people(turn, 1), window=window)

    return {
        SEARCHED: lambda turn: cluster.request("POST", f"/{ALIAS}/_search", own.body(turn)),
        "the same, personalised": personalised(None),
        "the same, personalised by a rescore of 200": personalised(200),
    }


def run(items: int) -> Report:
    """Measure over the small catalogue's number of items."""
    with film_index(items) as stage:
        cluster, settings = stage.cluster, stage.settings
        figures = compared(lists(cluster, settings, items), ROUNDS, WARM_UP, "recommending", MOST)
        found = searches(cluster, settings, stage.films, items)
        most = dict.fromkeys(found, MOST_PERSONALISED)
        figures += compared(found, ROUNDS, WARM_UP, "searching", most)
    return Report(
        name="features",
        title=f"What each feature costs over {items:,} items",
        setting={
            "items": items,
            "dimension": stage.films.bundle.dimension,
            "history": HISTORY,
            "size": stage.settings.recommend.size,
            "rules": "exclude, boost, pin",
            "rounds_before_the_timed_ones": WARM_UP,
        },
        machine=stage.machine,
        figures=tuple(figures),
    )
