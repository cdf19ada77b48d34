"""What users do reaches the index as it happens."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import ValidationError

from seealso.indexer.events.records import RecordIngester, RecordsReport
from seealso.plugin.recommendations import join_notes
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.changes import Event, EventsAnswer, EventsBody
from seealso.plugin.service.metrics import Metrics
from seealso.plugin.service.problems import all_refused, own_settings
from seealso.plugin.service.refused import Refused, refused_fields
from seealso.plugin.service.routes.answers import as_json

WRITE_SECONDS: Final = 10.0
"""How long OpenSearch may take for each request that writing events takes."""

NOT_FOLLOWED: Final = (
    "users.enabled is off: importance follows these events, and lists of users do not"
)


def event_routes(recommender: Recommender, metrics: Metrics) -> APIRouter:
    """Return the address of events."""
    router = APIRouter(prefix="/v1", tags=["events"])
    # whoever sends events can send them again; who waits for lists must not wait for events
    cluster = recommender.cluster.hurry(WRITE_SECONDS)
    ingester = RecordIngester(cluster, recommender.settings, recommender.user_encoder, os.environ)
    positive = recommender.settings.events.positive
    followed = "" if recommender.settings.users.enabled else NOT_FOLLOWED

    @router.post("/events", response_model=EventsAnswer)
    def ingest(body: EventsBody) -> Response:
        """Ingest events: the next list of their users knows of them.

        A broken event is named and keeps no other from being written. An event that is sent again
        changes nothing, where it has an id or a time.
        """
        events, refused = _read(body.events)
        done = None
        if events:
            with own_settings():
                done = ingester.ingest(events)
            refused += [_refused(one.place, one.field, one.reason) for one in done.refused]
            refused.sort(key=lambda one: one["event"])
        metrics.count_events(
            written=0 if done is None else done.ingested.written,
            repeated=0 if done is None else done.ingested.repeated,
            refused=len(refused),
        )
        if done is None or len(refused) == len(body.events):
            raise all_refused("events", refused)
        unread = {one["event"] for one in refused}
        written = [one for place, one in events.items() if place not in unread]
        degraded = join_notes(followed, _describe_disliked(written, positive)) or None
        return as_json({**_describe(done), "refused": refused, "degraded": degraded})

    return router


def _read(rows: list[Any]) -> tuple[dict[int, dict[str, Any]], list[Refused]]:
    """Return the events by their places, and what is wrong with the others."""
    events: dict[int, dict[str, Any]] = {}
    refused: list[Refused] = []
    for place, row in enumerate(rows):
        try:
            events[place] = Event.model_validate(row).model_dump()
        except ValidationError as exc:
            first = refused_fields(exc.errors(), row)[0]
            refused.append(_refused(place, first["field"], first["reason"]))
    return events, refused


def _describe_disliked(events: Sequence[Mapping[str, Any]], positive: float | None) -> str:
    """Say how many events do not count as liked: where all have to be rated, a click has none."""
    if positive is None:
        return ""
    values = (one["value"] for one in events)
    low = sum((1.0 if value is None else value) < positive for value in values)
    return f"{low} of them are below events.positive ({positive:g}): seen, not liked" if low else ""


def _refused(place: int, field: str, reason: str) -> Refused:
    return {"event": place, "field": field, "reason": reason}


def _describe(done: RecordsReport) -> dict[str, Any]:
    ingested = done.ingested
    return {
        "written": ingested.written,
        "repeated": ingested.repeated,
        "unknown": ingested.unknown_items,
        "differing": ingested.differing_ids,
        "nobody": done.nobody,
        "forgotten": ingested.forgotten,
    }
