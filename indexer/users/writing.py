"""Writes users to one index, leaving those alone that are right already."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import orjson

from seealso.cluster import BulkWriter, Cluster, indices, scan_ids
from seealso.config import ProfileSettings, Settings
from seealso.indexer.users.documents import digest_of, user_document
from seealso.indexer.users.people import People
from seealso.indexer.writing import find_changed
from seealso.log import Tick
from seealso.readers import Pseudonyms
from seealso.types import User, Vector

USERS_AT_ONCE = 256
"""Users whose vectors are made and compared together."""

Keyed: TypeAlias = tuple[User, str]
"""A user, and the digest of the document."""


@dataclass(frozen=True)
class UserEncoder:
    """Makes vectors of users as a query does.

    Attributes
    ----------
    fingerprint, dimension
        Of the bundle that the items are encoded with.
    settings
        How a profile is made.
    vectors
        Gives E_u of users, shape (dimension,), None where nothing is known to make one of.
    """

    fingerprint: str
    dimension: int
    settings: ProfileSettings
    vectors: Callable[[Sequence[User]], Sequence[Vector | None]]

    @cached_property
    def made_with(self) -> str:
        """Tells one way of making the vectors from another."""
        chosen = self.settings.model_dump(mode="json")
        return orjson.dumps([self.fingerprint, chosen], option=orjson.OPT_SORT_KEYS).decode()


@dataclass(slots=True)
class WriteCounts:
    """Documents so far: written, right already, of those written without a vector, and deleted."""

    written: int = 0
    unchanged: int = 0
    vectorless: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class UsersWriter:
    """Writes users to an index and deletes others from it.

    Attributes
    ----------
    cluster, settings
        Where and how; sections ``index`` and ``users`` are used.
    people
        The users.
    names
        Gives the pseudonyms.
    user_encoder
        Gives the vectors.
    """

    cluster: Cluster
    settings: Settings
    people: People
    names: Pseudonyms
    user_encoder: UserEncoder

    def write(self, index: str, tick: Tick, *, fresh: bool) -> WriteCounts:
        """Encode and write everybody who is new or changed.

        Parameters
        ----------
        index
            A physical index.
        tick
            Called with the number of users done.
        fresh
            Nothing is in the index yet, so nothing is compared.

        Raises
        ------
        BulkWriteError
            Some documents were refused.
        """
        done = WriteCounts()
        chosen = self.settings.index
        threads, size = chosen.threads, chosen.bulk_bytes
        with BulkWriter(self.cluster, index, threads=threads, chunk_bytes=size) as writer:
            for users in self._keyed():
                changed = users if fresh else self._changed(index, users)
                vectors = self.user_encoder.vectors([user for user, _ in changed.values()])
                for (name, (user, key)), vector in zip(changed.items(), vectors, strict=True):
                    writer.index(name, user_document(user, vector, key))
                    done.vectorless += vector is None
                done.written += len(changed)
                done.unchanged += len(users) - len(changed)
                tick(len(users))
        return done

    def compare(self, index: str, tick: Tick) -> WriteCounts:
        """Count what `write` and `delete_others` would do to an index that is there."""
        done = WriteCounts(deleted=len(self._others(index)))
        for users in self._keyed():
            changed = len(self._changed(index, users))
            done.written += changed
            done.unchanged += len(users) - changed
            tick(len(users))
        return done

    def delete_others(self, index: str) -> int:
        """Delete the users in the index who are none of `people`, and return how many."""
        # what a killed build wrote is seen by no search before a refresh
        indices.refresh(self.cluster, index)
        unknown = self._others(index)
        with BulkWriter(self.cluster, index) as writer:
            for pseudonym in unknown:
                writer.delete(pseudonym)
        return len(unknown)

    def _others(self, index: str) -> set[str]:
        known = {self.names.of(user_id) for user_id in self.people.ids}
        return set(scan_ids(self.cluster, index)) - known

    def _changed(self, index: str, users: Mapping[str, Keyed]) -> dict[str, Keyed]:
        """Return those of `users` that the index lacks or holds otherwise."""
        digests = {name: key for name, (_, key) in users.items()}
        changed = find_changed(self.cluster, index, digests)
        return {name: one for name, one in users.items() if name in changed}

    def _keyed(self) -> Iterator[dict[str, Keyed]]:
        """Yield everybody by pseudonym, some at once, each with the digest of the document."""
        users, made_with = self.people.users(), self.user_encoder.made_with
        while batch := list(islice(users, USERS_AT_ONCE)):
            yield {
                self.names.of(str(user.user_id)): (user, digest_of(user, made_with))
                for user in batch
            }
