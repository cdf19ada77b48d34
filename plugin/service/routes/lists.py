"""Lists: for a user, for several, for a group, by an item, for nobody, of items that are named."""

from typing import Any

from fastapi import APIRouter, Response

from seealso.errors import DataError, Unavailable
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.lists import (
    MOST_PLACES,
    Answer,
    Answers,
    BatchBody,
    GroupBody,
    ListOptions,
    PopularBody,
    RankBody,
    Ranking,
    RecommendBody,
    Who,
)
from seealso.plugin.service.last_popular import LastPopular
from seealso.plugin.service.metrics import Metrics
from seealso.plugin.service.problems import report_failure
from seealso.plugin.service.routes.answers import as_json
from seealso.plugin.service.wording import (
    describe_list,
    explain_list,
    read_members,
    read_user,
    read_users,
)


def list_routes(
    recommender: Recommender, metrics: Metrics, popular_list: LastPopular | None
) -> APIRouter:
    """Return the addresses of lists: for a user, for several, for a group, by an item.

    Parameters
    ----------
    recommender
        Who answers.
    metrics
        Counts what was answered.
    popular_list
        Stands in for lists of users while OpenSearch does not answer; None for an error instead.
    """
    router = APIRouter(prefix="/v1", tags=["lists"])

    def answer(found: RecommendationList | GroupList) -> dict[str, Any]:
        metrics.count_search(found.latency_ms)
        metrics.count_list(found.note)
        return describe_list(found)

    def stand_in(failure: Unavailable) -> LastPopular:
        if popular_list is None:
            raise failure
        report_failure(failure)
        return popular_list

    @router.post("/recommend", response_model=Answer)
    def recommend(body: RecommendBody) -> Response:
        """Return a list for one user."""
        try:
            user = read_user(recommender, body)
            (found,) = recommender.recommend_batch([user], **body.chosen("explain"))
        except Unavailable as exc:
            return as_json(answer(stand_in(exc).for_user(body, body, exc)))
        beside = {"reasons": explain_list(recommender, user, found)} if body.explain else {}
        return as_json({**answer(found), **beside})

    @router.post("/recommend/batch", response_model=Answers)
    def recommend_batch(body: BatchBody) -> Response:
        """Return a list for each of several users, in their order."""
        size = body.size or recommender.settings.recommend.size
        if len(body.users) * size > MOST_PLACES:
            raise DataError(
                f"users: {len(body.users)} lists of {size} are more than {MOST_PLACES:,} items",
                hint="ask for fewer users at once",
            )
        try:
            users = read_users(recommender, body.users)
            lists = recommender.recommend_batch(users, **body.chosen("users"))
        except Unavailable as exc:
            lists = stand_in(exc).for_users(body, exc)
        metrics.count_search(lists[0].latency_ms)
        for one in lists:
            metrics.count_list(one.note)
        return as_json({"lists": [describe_list(one) for one in lists]})

    @router.post("/related/{item_id:path}", response_model=Answer)
    def related(item_id: str, body: ListOptions | None = None) -> Response:
        """Return the items most related to an item."""
        options = (body or ListOptions()).chosen()
        return as_json(answer(recommender.related(item_id, **options)))

    @router.post("/rank", response_model=Ranking)
    def rank(body: RankBody) -> Response:
        """Return items in the order of a user."""
        user = read_user(recommender, body)
        return as_json(answer(recommender.rank(user, body.items, fields=body.fields)))

    @router.post("/popular", response_model=Answer)
    def popular(body: PopularBody | None = None) -> Response:
        """Return the most important items."""
        options = body or PopularBody()
        try:
            found = recommender.popular(**options.chosen())
        except Unavailable as exc:
            found = stand_in(exc).for_user(Who(), options, exc)
        return as_json(answer(found))

    @router.post("/group", response_model=Answer)
    def group(body: GroupBody) -> Response:
        """Return one list for several people."""
        found = recommender.recommend_group(
            read_members(recommender, body),
            words=body.words,
            attributes=body.attributes,
            **body.chosen("group", "members"),
        )
        return as_json(answer(found))

    return router
