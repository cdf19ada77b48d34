"""Recommends: for a user by id, history, words and attributes, for many users, for an item.

Every list is one ``_msearch`` to the alias. The answer says which physical index it came from;
where that is not the index whose bundle encoded the profile, the alias has moved and the query
is asked again with the bundle of the index that it stands for now. So no answer ever mixes two
models, and a swap or rollback needs no restart.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

from seealso.cluster import Cluster, indices
from seealso.config import Settings
from seealso.errors import ClusterError, DataError, MappingMismatch, Unavailable
from seealso.interactions import Histories
from seealso.plugin import answers, requests
from seealso.plugin.fusion import fuse
from seealso.plugin.live import Live, look
from seealso.plugin.profile import ItemShelf, Profile, make_profiles
from seealso.plugin.recommendations import Recommendation, RecommendationList
from seealso.plugin.requests import Filter, Search, Wish, choose_path
from seealso.plugin.users import describe, note
from seealso.query_templates import msearch
from seealso.types import Path, User

T = TypeVar("T")

SWAPS_FOLLOWED = 5
"""Times in a row that one query follows a moving alias before it gives up."""


class AliasMoved(Exception):
    """The alias stands for another index than the one that was asked for."""


class Recommender:
    """Recommendations from the index behind an alias.

    Safe to share between threads.

    Parameters
    ----------
    cluster
        Where the index stands.
    settings
        Sections ``index``, ``encoder``, ``profile`` and ``recommend`` are used.
    histories
        What users did, to recommend by user id.

    Raises
    ------
    ClusterError, BundleError
        There is no index, or its bundle is not in the store.
    """

    def __init__(
        self, cluster: Cluster, settings: Settings, histories: Histories | None = None
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._histories = histories
        self._shelf = ItemShelf(cluster)
        self._live = look(cluster, settings)

    @property
    def settings(self) -> Settings:
        """What the recommender was made with."""
        return self._settings

    @property
    def live(self) -> Live:
        """The index that was last asked, and its bundle."""
        return self._live

    def user(
        self,
        user_id: str | None = None,
        *,
        history: Sequence[str] | None = None,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> User:
        """Put together what is known of a user.

        Parameters
        ----------
        user_id
            Looked up in the events; their history and seen items are taken.
        history
            Item ids, newest first, instead of the history from the events; seen as well.
        words
            The user's own words.
        attributes
            Attributes for the user text template.

        Raises
        ------
        DataError
            An argument is of the wrong type.
        """
        return describe(self._histories, user_id, history, words, attributes)

    def recommend(
        self,
        user_id: str | None = None,
        *,
        history: Sequence[str] | None = None,
        words: str = "",
        attributes: Mapping[str, Any] | None = None,
        size: int | None = None,
        path: Path | str | None = None,
        filters: Filter | Sequence[Filter] | None = None,
        min_probability: float | None = None,
        tail_share: float | None = None,
        fields: tuple[str, ...] | None = None,
    ) -> RecommendationList:
        """Return a list for one user, described in any mix of ways.

        Parameters
        ----------
        user_id, history, words, attributes
            As for `user`.
        size, path, filters, min_probability, tail_share, fields
            As in `Wish`; the settings where None.

        Raises
        ------
        ConfigError
            A parameter is out of range.
        ClusterError
            OpenSearch does not answer or refuses.
        """
        user = self.user(user_id, history=history, words=words, attributes=attributes)
        wish = Wish.of(
            self._settings.recommend,
            size=size,
            path=path,
            filters=filters,
            min_probability=min_probability,
            tail_share=tail_share,
            fields=fields,
        )
        return self.recommend_users([user], wish)[0]

    def recommend_users(
        self, users: Sequence[User], wish: Wish | None = None
    ) -> list[RecommendationList]:
        """Return a list for each of `users`, in one request."""
        chosen = wish or Wish.of(self._settings.recommend)
        return self._follow(lambda live: self._ask_for_users(live, users, chosen))

    def related(
        self,
        item_id: str,
        *,
        size: int | None = None,
        path: Path | str | None = None,
        filters: Filter | Sequence[Filter] | None = None,
        min_probability: float | None = None,
        fields: tuple[str, ...] | None = None,
    ) -> RecommendationList:
        """Return the items most related to an item, itself left out.

        Raises
        ------
        DataError
            The index does not hold the item, or it has no text.
        """
        wish = Wish.of(
            self._settings.recommend,
            size=size,
            path=path,
            filters=filters,
            min_probability=min_probability,
            fields=fields,
        )
        return self._follow(lambda live: self._ask_for_item(live, item_id, wish))

    def stored_request(self, user: User, wish: Wish | None = None) -> bytes:
        """Return the ``_msearch/template`` body that gets a user's lists from the cluster alone.

        It names the stored templates (``seealso templates install``) and their parameters; send
        it with any HTTP client.
        """
        chosen = wish or Wish.of(self._settings.recommend)
        live = self._live
        (profile,) = self._profiles(live, [user])
        path = choose_path(chosen, live.space, live.documents)
        searches = _searches(profile, chosen, live, path)
        return msearch(self._settings.index.alias, [search.stored() for search in searches])

    def _follow(self, ask: Callable[[Live], T]) -> T:
        """Ask the live index; where the alias moved meanwhile, ask what it stands for now."""
        for _ in range(SWAPS_FOLLOWED):
            live = self._live
            try:
                return ask(live)
            except AliasMoved:
                pass
            except Unavailable:
                raise
            except (ClusterError, DataError):
                # a vector of the old model can be refused by the new index outright, and the
                # old index may be gone
                if indices.live_name(self._cluster, self._settings.index.alias) == live.name:
                    raise
            self._live = look(self._cluster, self._settings, live)
        raise MappingMismatch(
            f"{self._settings.index.alias}: the alias moved {SWAPS_FOLLOWED} times in one query",
            hint="something swaps indices all the time; try again",
        )

    def _profiles(self, live: Live, users: Sequence[User]) -> list[Profile]:
        words = self._settings.recommend.words
        return make_profiles(users, live, self._shelf, self._settings.profile, words)

    def _ask_for_users(
        self, live: Live, users: Sequence[User], wish: Wish
    ) -> list[RecommendationList]:
        started = perf_counter()
        profiles = self._profiles(live, users)
        profile_ms = (perf_counter() - started) * 1000
        path = choose_path(wish, live.space, live.documents)
        searches = [_searches(profile, wish, live, path) for profile in profiles]
        responses = iter(self._search(live, [one for mine in searches for one in mine]))
        lists = []
        for user, profile, asked in zip(users, profiles, searches, strict=True):
            mine = [next(responses) for _ in asked]
            items = _fused(mine, profile, wish, live, path)
            latency = {
                "profile": profile_ms / len(users),
                # both searches of a list run at the same time
                "search": float(max(response["took"] for response in mine)),
                "total": (perf_counter() - started) * 1000,
            }
            lists.append(self._list(items, user.user_id, path, live, note(user, profile), latency))
        return lists

    def _ask_for_item(self, live: Live, item_id: str, wish: Wish) -> RecommendationList:
        started = perf_counter()
        item = self._shelf.get(live.name, [item_id]).get(item_id)
        if item is None or item.vector is None:
            what = "is not in the index" if item is None else "has no text, so nothing is related"
            raise DataError(
                f"item {item_id!r} {what}",
                hint=f"alias {self._settings.index.alias}; `seealso index update` adds items",
                item_id=item_id,
            )
        profile_ms = (perf_counter() - started) * 1000
        path = choose_path(wish, live.space, live.documents)
        search = requests.vector_search(
            item.vector,
            [item_id],
            wish,
            path=path,
            space=live.space,
            calibration=live.calibration,
        )
        (response,) = self._search(live, [search])
        items = answers.vector_items(answers.hits_of(response), path, live.calibration)
        latency = {
            "profile": profile_ms,
            "search": float(response["took"]),
            "total": (perf_counter() - started) * 1000,
        }
        return self._list(items, None, path, live, "", latency)

    def _search(self, live: Live, searches: Sequence[Search]) -> list[Mapping[str, Any]]:
        body = msearch(self._settings.index.alias, [search.body() for search in searches])
        try:
            answer = self._cluster.request("POST", "/_msearch", body)
        except ClusterError as exc:
            # what cannot be parsed makes OpenSearch refuse the whole request
            exc.hint = exc.hint or answers.REFUSED
            raise
        responses: list[Mapping[str, Any]] = answer["responses"]
        for response in responses:
            if answers.index_names(answers.hits_of(response)) - {live.name}:
                raise AliasMoved
        return responses

    def _list(
        self,
        items: Iterable[Recommendation],
        user_id: str | None,
        path: Path,
        live: Live,
        note: str,
        latency: Mapping[str, float],
    ) -> RecommendationList:
        return RecommendationList(
            tuple(items), user_id, path, live.name, live.fingerprint, note, latency
        )


def _searches(profile: Profile, wish: Wish, live: Live, path: Path) -> list[Search]:
    """Return the one or two searches of a user's list."""
    seen = sorted(profile.seen)
    if profile.vector is None:
        return [requests.importance_search(seen, wish)]
    vector = requests.vector_search(
        profile.vector,
        seen,
        wish,
        path=path,
        space=live.space,
        calibration=live.calibration,
    )
    if wish.tail_share == 0 or not profile.words:
        return [vector]
    return [vector, requests.tail_search(profile, wish, live.space)]


def _fused(
    responses: Sequence[Mapping[str, Any]], profile: Profile, wish: Wish, live: Live, path: Path
) -> list[Recommendation]:
    hits = [answers.hits_of(response) for response in responses]
    if profile.vector is None:
        return answers.importance_items(hits[0])
    main = answers.vector_items(hits[0], path, live.calibration)
    tail = []
    if len(hits) > 1:
        tail = answers.tail_items(hits[1], live.calibration, wish.min_probability)
    return fuse(main, tail, size=wish.size, tail_share=wish.tail_share)
