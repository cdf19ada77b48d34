"""What the page can ask about: indices, users, groups, fields, and where sliders begin."""

from bisect import bisect_left
from itertools import islice
from typing import Any, Final

from seealso.cluster import PhysicalIndex, indices
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.playground.catalogue import Catalogue
from seealso.plugin.service.playground.views import Views
from seealso.plugin.service.playground.votes import Votes
from seealso.version import __version__

MOST_GROUPS: Final = 50
"""Groups that can be picked; others are typed."""

NONE_TO_PICK: Final = {
    "index": "the users index knows pseudonyms alone: type an id",
    "none": "events.path names no events: type an id, or make somebody up",
}
"""Why no users can be listed, by where they are looked up."""


class Overview:
    """Describes what is there.

    Parameters
    ----------
    recommender, views, catalogue, votes
        What is described.
    """

    def __init__(
        self, recommender: Recommender, views: Views, catalogue: Catalogue, votes: Votes
    ) -> None:
        self._recommender = recommender
        self._views = views
        self._catalogue = catalogue
        self._votes = votes

    def describe(self) -> dict[str, Any]:
        """Return what the page begins with."""
        settings = self._recommender.settings
        fields = self._catalogue.fields()
        found = self._views.list_indices()
        chosen = settings.recommend.model_dump(
            mode="json", include={"size", "path", "tail_share", "min_probability"}
        )
        return {
            "alias": settings.index.alias,
            "version": __version__,
            "indices": [_describe_index(one, settings.index.alias) for one in found],
            "defaults": {**chosen, "diversity": settings.exposure.diversity},
            "users": find_users(self._recommender),
            "groups": [*islice(sorted(self._recommender.groups), MOST_GROUPS)],
            "title": self._catalogue.title_field(fields),
            "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
            # of several nodes, the first: whoever copies a line needs one
            "cluster": self._recommender.cluster.url.partition(", ")[0],
            "votes": self._votes.count(),
            "joined": self._views.live.live.collaborative,
        }


def find_users(recommender: Recommender) -> str:
    """Return where users are looked up: ``events``, ``index`` or ``none``."""
    if recommender.settings.users.enabled:
        return "index"
    return "none" if recommender.histories is None else "events"


def list_users(recommender: Recommender, start: str, size: int) -> dict[str, Any]:
    """Return the users whose ids begin with `start`, at most `size` of them, by id."""
    histories = recommender.histories
    if histories is None:
        return {"users": [], "more": False, "degraded": NONE_TO_PICK[find_users(recommender)]}
    names = histories.users()
    first = bisect_left(names, start)
    # one more than is shown says whether there are more
    found = [one for one in names[first : first + size + 1] if one.startswith(start)]
    return {
        "users": [{"user_id": one, "events": histories.count_events(one)} for one in found[:size]],
        "more": len(found) > size,
        "degraded": None,
    }


def _describe_index(found: PhysicalIndex, alias: str) -> dict[str, Any]:
    try:
        created = indices.read_timestamp(found.name.removeprefix(f"{alias}-")).isoformat()
    except ValueError:
        # its owner made it
        created = None
    return {
        "index": found.name,
        "bundle": found.meta.get("fingerprint"),
        "live": found.live,
        "documents": found.documents,
        "created": created,
    }
