"""Items reach the live index, or leave it, between two builds."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import TypeAdapter, ValidationError

from seealso.errors import DataError
from seealso.indexer.items import ItemChanges
from seealso.indexer.update import MOST_DELETED
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.changes import (
    DeletedItems,
    DeletionBody,
    ItemsBody,
    UpsertedItems,
)
from seealso.plugin.service.problems import all_refused
from seealso.plugin.service.refused import Refused, refused_fields
from seealso.plugin.service.routes.answers import as_json
from seealso.readers import Problem

ROW: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def item_routes(recommender: Recommender) -> APIRouter:
    """Return the addresses that change items."""
    router = APIRouter(prefix="/v1", tags=["items"])
    changes = ItemChanges(recommender.cluster, recommender.settings)

    @router.post("/items", response_model=UpsertedItems)
    def upsert(body: ItemsBody) -> Response:
        """Write items that are new or changed to the live index.

        A row is a whole item, with the columns of the catalogue: what it lacks, the item has no
        more. A broken row is named and keeps no other from being written.
        """
        rows, refused = _read(body.items)
        if not rows:
            raise all_refused("items", refused)
        done = changes.upsert(rows)
        refused += [_refused(one) for one in done.problems if one.costs == "row"]
        refused.sort(key=lambda one: one["item"])
        if len(refused) == len(body.items):
            raise all_refused("items", refused)
        return as_json(
            {
                "index": done.index,
                "written": done.written,
                "unchanged": done.unchanged,
                "refused": refused,
                "left_out": [_refused(one) for one in done.problems if one.costs == "value"],
                "ignored": done.ignored,
                "notes": done.notes,
            }
        )

    @router.delete("/items", response_model=DeletedItems)
    def delete(body: DeletionBody) -> Response:
        """Delete items from the live index; ids that it does not hold are named."""
        most = 1.0 if body.allow else MOST_DELETED
        done = changes.delete(body.ids, most_deleted=most)
        return as_json({"index": done.index, "deleted": done.deleted, "absent": done.absent})

    @router.delete("/items/{item_id:path}", response_model=DeletedItems)
    def delete_one(item_id: str) -> Response:
        """Delete one item from the live index."""
        done = changes.delete([item_id])
        if done.absent:
            raise DataError(f"{done.index}: does not hold item {item_id!r}", item_id=item_id)
        return as_json({"index": done.index, "deleted": done.deleted, "absent": ()})

    return router


def _read(rows: list[Any]) -> tuple[dict[int, dict[str, Any]], list[Refused]]:
    """Return the rows that are objects by their places, and what is wrong with the others."""
    found: dict[int, dict[str, Any]] = {}
    refused: list[Refused] = []
    for place, row in enumerate(rows):
        try:
            found[place] = ROW.validate_python(row)
        except ValidationError as exc:
            refused.append({"item": place, **refused_fields(exc.errors(), row)[0]})
    return found, refused


def _refused(one: Problem) -> Refused:
    return {"item": one.place, "field": one.field, "reason": one.reason}
