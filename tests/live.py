"""What the tests of live events share: events, and how they are taken in."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seealso.cluster import indices
from seealso.indexer.events.ingest import Ingester, IngestReport
from seealso.indexer.events.running import SourceRun
from seealso.indexer.events.sources import WholeFile
from seealso.indexer.events.store import events_name
from seealso.plugin import Recommender
from seealso.readers import FileSource, Problems
from tests.integration.catalogues import Record, Shop, write_lines
from tests.members import NAMES

START = datetime(2024, 2, 1, tzinfo=UTC)
"""After everything that the shop was built with."""


def event(user: str, item: str, minutes: int = 0, **more: Any) -> Record:
    """Return an event as a line of a file has it."""
    time = (START + timedelta(minutes=minutes)).isoformat()
    return {"user_id": user, "item_id": item, "kind": "view", "day": time, **more}


def ingester_of(shop: Shop, **changes: Mapping[str, Any]) -> Ingester:
    settings = shop.settings(**changes)
    return Ingester(shop.cluster, settings, NAMES, Recommender(shop.cluster, settings).user_encoder)


def ingested(shop: Shop, records: Iterable[Record], **changes: Mapping[str, Any]) -> IngestReport:
    """Take in events from a file, as the command does."""
    settings = shop.settings(**changes)
    file = WholeFile(FileSource(write_lines(shop.folder / "live.jsonl", records)))
    run = SourceRun(shop.cluster, settings, NAMES, file, Problems("stop"))
    ingester = ingester_of(shop, **changes)
    total = IngestReport()
    for one in run.ingest(ingester, file.read(None)):
        total = total.plus(one)
    return total


def forgotten(shop: Shop, *more: str) -> None:
    """Delete the events, and other indices."""
    for name in (events_name(shop.alias), *more):
        indices.delete(shop.cluster, name)


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)
