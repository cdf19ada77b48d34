"""The numbers of what came of lists, looked up now and then."""

import time
from collections.abc import Iterator
from threading import Lock
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from seealso.errors import SeeAlsoError
from seealso.log import logger
from seealso.plugin.recommender import Recommender
from seealso.plugin.search.outcomes import Outcomes, measure_outcomes

log = logger(__name__)

AGAIN_SECONDS: Final = 60.0
"""Seconds until they are looked up again."""


class OutcomeWatch(Collector):
    """Looks up what came of lists, where they are written to UBI; safe to share between threads.

    Parameters
    ----------
    recommender
        Whose lists.
    """

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._cluster = recommender.cluster.hurry(recommender.settings.cluster.deadline)
        self._looking = Lock()
        self._again_at = 0.0
        self._found: Outcomes | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield the numbers; none where there are no lists, or OpenSearch does not answer."""
        found = self._look_up()
        if found is None:
            return
        for name, what, value in (
            ("lists_measured", "Lists that the next numbers are computed from.", found.lists),
            ("click_through", "Share of them with an event.", found.click_through),
            ("coverage", "Share of the items of the index in one of them.", found.coverage),
            ("tail_share", "Share of their places with long tail items.", found.tail_share),
            ("calibration", "Lists with an event by those predicted.", found.calibration),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"seealso_{name}", what, value)

    def _look_up(self) -> Outcomes | None:
        settings = self._recommender.settings
        with self._looking:
            if settings.ubi.enabled and time.monotonic() >= self._again_at:
                self._again_at = time.monotonic() + AGAIN_SECONDS
                documents = self._recommender.live.documents
                try:
                    self._found = measure_outcomes(self._cluster, settings, documents)
                except SeeAlsoError as exc:
                    self._found = None
                    log.warning("what came of lists is not known: %s", exc.message)
            return self._found
