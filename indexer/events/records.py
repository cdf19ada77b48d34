"""Ingests events that a program hands over, call after call, as a service gets them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from seealso.cluster import Cluster
from seealso.config import EventSettings, Settings
from seealso.errors import ClusterError
from seealso.indexer.events.ingest import EXPIRE_SECONDS, Ingester, IngestReport
from seealso.indexer.users.writing import UserEncoder
from seealso.readers import LiveReader, Problem, Problems, Pseudonyms, Rows
from seealso.readers.rows import Record, build_frame

PATIENCE_SECONDS: Final = 5.0
"""How long a call waits while a user is being forgotten."""


@dataclass(frozen=True, slots=True)
class RecordsReport:
    """What became of some records.

    Attributes
    ----------
    ingested
        Of those that are events.
    refused
        Why the others are none, by their places.
    nobody
        Events of nobody: they count only for the importance of their items.
    """

    ingested: IngestReport
    refused: tuple[Problem, ...]
    nobody: int


class RecordIngester:
    """Ingests records with the fields of events, and follows the alias; safe to share by threads.

    The fields are ``user`` and ``item``, and where they are known ``type``, ``value``, ``time``,
    ``id`` and ``query_id``. The events are those that a file would hold, so what came by one way is
    recognised when it comes by the other.

    Parameters
    ----------
    cluster, settings, user_encoder
        As for `Ingester`; of the section ``events``, ``default_type`` and ``positive`` are used.
    environ
        Holds the key of the pseudonyms, which is looked for with the first records.
    """

    def __init__(
        self,
        cluster: Cluster,
        settings: Settings,
        user_encoder: Callable[[], UserEncoder],
        environ: Mapping[str, str],
    ) -> None:
        self._cluster = cluster
        self._settings = settings
        self._user_encoder = user_encoder
        self._environ = environ
        self._columns = EventSettings(
            user="user",
            item="item",
            type="type",
            value="value",
            time="time",
            default_type=settings.events.default_type,
        )
        self._live = settings.live.model_copy(update={"id": "id", "query_id": "query_id"})
        self._opening = Lock()
        self._opened: tuple[Ingester, Pseudonyms] | None = None
        self._catch_up_at = 0.0

    def ingest(self, records: Mapping[int, Record]) -> RecordsReport:
        """Store the events, and bring users and items up to date.

        Parameters
        ----------
        records
            By their places, which the report names. A record with neither time nor id happens now,
            and counts again when it is sent again.

        Raises
        ------
        ConfigError
            The key of the pseudonyms is missing, or another one.
        Busy
            A user is being forgotten, for longer than this waits.
        ClusterError
            There is no index or no users index, or the cluster refused: send the same again.
        """
        ingester, names = self._open()
        try:
            return self._ingest(ingester, names, records)
        except ClusterError:
            # the next call looks for the indices afresh
            self._opened = None
            raise

    def _ingest(
        self, ingester: Ingester, names: Pseudonyms, records: Mapping[int, Record]
    ) -> RecordsReport:
        forgotten_before = ingester.find_forgotten()
        refused: list[Problem] = []
        problems = Problems("skip", each=refused.append)
        reader = LiveReader("events", self._columns, self._live, names.of, problems)
        now = datetime.now(UTC)
        timed = [_timed(one, now) for one in records.values()]
        rows = Rows(build_frame(timed), list(records), unit="event", sparse=True)
        events = reader.read(rows, now)
        if time.monotonic() >= self._catch_up_at:
            # old events go, too
            self._catch_up_at = time.monotonic() + EXPIRE_SECONDS
            ingester.catch_up()
        done = ingester.ingest(events, forgotten_before) if events else IngestReport()
        return RecordsReport(done, tuple(refused), sum(one.user is None for one in events))

    def _open(self) -> tuple[Ingester, Pseudonyms]:
        with self._opening:
            if self._opened is None:
                names = Pseudonyms.from_environment(self._environ)
                ingester = Ingester(
                    self._cluster,
                    self._settings,
                    names,
                    self._user_encoder,
                    patience=PATIENCE_SECONDS,
                )
                self._opened = ingester, names
            return self._opened


def _timed(record: Record, now: datetime) -> Record:
    known = record.get("time") is not None or record.get("id") is not None
    return record if known else {**record, "time": now.isoformat()}
