"""Every user's history, packed: a user is made when asked for, not before."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.types import HistoryEntry, User

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Histories:
    """The events of many users: about 40 bytes an event, and each id once.

    Make one with `from_events`.
    """

    _positions: Mapping[str, int]
    _starts: npt.NDArray[np.int64]
    _events: pl.DataFrame
    _item_ids: tuple[str, ...]
    _positive: float | None

    @classmethod
    def from_events(
        cls,
        frames: Iterable[pl.DataFrame],
        *,
        positive: float | None,
        users: Collection[str] | None = None,
    ) -> "Histories":
        """Collect the events of `frames`.

        Parameters
        ----------
        frames
            Event frames, as `read_events` yields them. Among events of one time, or without
            any, the later row is the newer one.
        positive
            Events with a value below this are seen, but not part of the history.
        users
            Keep these users only; all by default.
        """
        user_codes: dict[str, int] = {}
        item_codes: dict[str, int] = {}
        wanted = None if users is None else pl.Series(sorted(users), dtype=pl.String)
        parts = [_EMPTY]
        for frame in frames:
            kept = frame if wanted is None else frame.filter(pl.col("user_id").is_in(wanted))
            parts.append(
                pl.DataFrame(
                    {
                        "user": _coded(kept["user_id"], user_codes),
                        "item": _coded(kept["item_id"], item_codes),
                        "time": kept["time"].to_physical(),
                        "value": kept["value"],
                    },
                    schema=_EMPTY.schema,
                )
            )
        events = (
            pl.concat(parts)
            .with_row_index("order")
            .sort(["user", "time", "order"], descending=[False, True, True], nulls_last=True)
            .drop("order")
        )
        counts = np.bincount(events["user"].to_numpy(), minlength=len(user_codes))
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(user_codes, starts, events.drop("user"), tuple(item_codes), positive)

    def user(self, user_id: str) -> User | None:
        """Return the user, history newest first and each item once, or None if unknown."""
        position = self._positions.get(user_id)
        if position is None:
            return None
        start, end = self._starts[position], self._starts[position + 1]
        history: dict[str, HistoryEntry] = {}
        seen = set()
        for code, micros, value in self._events[int(start) : int(end)].iter_rows():
            item_id = self._item_ids[code]
            seen.add(item_id)
            if item_id not in history and (self._positive is None or value >= self._positive):
                time = None if micros is None else _EPOCH + timedelta(microseconds=micros)
                history[item_id] = HistoryEntry(item_id, time, value)
        return User(user_id, history=tuple(history.values()), seen=frozenset(seen))

    def users(self) -> list[str]:
        """Return the ids of all users, sorted."""
        return sorted(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


_EMPTY = pl.DataFrame(
    schema={"user": pl.UInt32, "item": pl.UInt32, "time": pl.Int64, "value": pl.Float64}
)


def _coded(ids: pl.Series, codes: dict[str, int]) -> pl.Series:
    numbers = [codes.setdefault(name, len(codes)) for name in ids.to_list()]
    return pl.Series(numbers, dtype=pl.UInt32)
