"""Keeps the histories of all users in little memory, and builds a user when one is looked up."""

from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from seealso.types import HistoryEntry, User, from_micros

# stands for "no time" and sorts as the oldest of all
_NEVER = int(np.iinfo(np.int64).min)


@dataclass(frozen=True)
class Histories:
    """The events of many users: 24 bytes an event, and each id and type once.

    Make one with `from_events`.
    """

    _positions: Mapping[str, int]
    _starts: npt.NDArray[np.int64]
    _items: npt.NDArray[np.uint32]
    _times: npt.NDArray[np.int64]
    _values: npt.NDArray[np.float64]
    _types: npt.NDArray[np.uint32]
    _item_ids: tuple[str, ...]
    _type_names: tuple[str, ...]
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
            Event frames, as `read_events` yields them. Among events of one time, or without any,
            the later row is the newer one. Events without a user are left out.
        positive
            Events with a value below this are seen, but not part of the history.
        users
            Keep these users only; all by default.
        """
        user_codes: dict[str, int] = {}
        item_codes: dict[str, int] = {}
        type_codes: dict[str, int] = {}
        # arrays grow in place: millions of events would scatter over thousands of small frames
        user_of, item_of, times, values = array("I"), array("I"), array("q"), array("d")
        types = array("I")
        chosen = None if users is None else pl.Series(sorted(users), dtype=pl.String)
        for frame in frames:
            # an event of nobody is in nobody's history
            rows = frame.drop_nulls("user_id")
            if chosen is not None:
                rows = rows.filter(pl.col("user_id").is_in(chosen.implode()))
            user_of.extend(_coded(rows["user_id"], user_codes))
            item_of.extend(_coded(rows["item_id"], item_codes))
            times.extend(rows["time"].to_physical().fill_null(_NEVER).to_list())
            values.extend(rows["value"].to_list())
            types.extend(_coded(rows["type"], type_codes))
        # backwards, so that the stable sort puts the later of two rows first; ~t falls as t grows
        owners = np.frombuffer(user_of, dtype=np.uint32)[::-1]
        moments = np.frombuffer(times, dtype=np.int64)[::-1]
        order = np.lexsort((~moments, owners))
        counts = np.bincount(owners, minlength=len(user_codes))
        return cls(
            user_codes,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.frombuffer(item_of, dtype=np.uint32)[::-1][order],
            moments[order],
            np.frombuffer(values, dtype=np.float64)[::-1][order],
            np.frombuffer(types, dtype=np.uint32)[::-1][order],
            tuple(item_codes),
            tuple(type_codes),
            positive,
        )

    def user(self, user_id: str, most_seen: int | None = None) -> User | None:
        """Return the user, history newest first and each item once, or None if unknown.

        Parameters
        ----------
        user_id
            Who.
        most_seen
            Most items that count as seen, the newest ones; all by default.
        """
        position = self._positions.get(user_id)
        if position is None:
            return None
        own = slice(int(self._starts[position]), int(self._starts[position + 1]))
        history: dict[str, HistoryEntry] = {}
        seen: set[str] = set()
        for code, micros, value, kind in zip(
            self._items[own].tolist(),
            self._times[own].tolist(),
            self._values[own].tolist(),
            self._types[own].tolist(),
            strict=True,
        ):
            item_id = self._item_ids[code]
            if most_seen is None or len(seen) < most_seen:
                seen.add(item_id)
            if item_id not in history and (self._positive is None or value >= self._positive):
                time = None if micros == _NEVER else from_micros(micros)
                history[item_id] = HistoryEntry(item_id, time, value, self._type_names[kind])
        return User(user_id, history=tuple(history.values()), seen=frozenset(seen))

    def count_events(self, user_id: str) -> int:
        """Return how many events a user has."""
        position = self._positions.get(user_id)
        if position is None:
            return 0
        return int(self._starts[position + 1] - self._starts[position])

    def users(self) -> list[str]:
        """Return the ids of all users, sorted."""
        return sorted(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


def _coded(ids: pl.Series, codes: dict[str, int]) -> list[int]:
    return [codes.setdefault(name, len(codes)) for name in ids.to_list()]
