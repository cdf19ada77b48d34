"""The popular list that stands in for lists of users while OpenSearch does not answer."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from seealso.errors import SeeAlsoError, Unavailable
from seealso.log import logger
from seealso.plugin.ranking.options import RecommendOptions
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.lists import BatchBody, PopularBody, Who

log = logger(__name__)

RENEW_SECONDS: Final = 60.0
"""How old the list may become while OpenSearch answers."""

KEPT: Final = 200
"""Its items: some of them are left out for each user."""

CHECKED: Final = ("filters", "rules", "without_rules", "min_probability", "explain")
"""Options that only OpenSearch can keep: with one of them, no other list stands in."""


class LastPopular:
    """The popular list as it was when OpenSearch last answered.

    Parameters
    ----------
    recommender
        Who makes it.
    """

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._list: RecommendationList | None = None
        self._at = datetime.now(UTC)

    def renew(self) -> None:
        """Make the list anew; the one before stays where OpenSearch does not answer."""
        try:
            self._list = self._recommender.find_popular(size=KEPT)
        except SeeAlsoError as exc:
            log.info("the popular list of %s stays: %s", self._at, exc.message)
        else:
            self._at = datetime.now(UTC)

    def for_user(self, who: Who, body: PopularBody, failure: Unavailable) -> RecommendationList:
        """Return what stands in for the list of a user, or of nobody.

        Parameters
        ----------
        who
            Whom it is for: what is named of their history is left out; what only a users index
            knows is not.
        body
            Options; what they exclude is left out.
        failure
            Why there is no list as it should be.

        Raises
        ------
        Unavailable
            `failure`: the body has options that this list may not keep, or there is none yet.
        ConfigError
            An option is out of range.
        """
        options = RecommendOptions(**body.chosen("explain", "users"))
        size = options.resolve(self._recommender.settings.recommend).size
        popular = self._list
        if popular is None or any(getattr(body, name, None) for name in CHECKED):
            raise failure
        left_out = {*(who.history or ()), *(who.session or ()), *(body.exclude or ())}
        items = [one for one in popular if one.item_id not in left_out][:size]
        return replace(
            popular,
            items=tuple(one.with_fields(body.fields) for one in items),
            user_id=who.user,
            note=f"OpenSearch does not answer: the popular list of {self._at:%Y-%m-%d %H:%M} UTC"
            + (f", of which only {len(items)} items are left" if len(items) < size else ""),
            latency_ms={},
        )

    def for_users(self, body: BatchBody, failure: Unavailable) -> list[RecommendationList]:
        """Return the same for each of several users."""
        people = [Who(user=one) if isinstance(one, str) else one for one in body.users]
        return [self.for_user(one, body, failure) for one in people]
