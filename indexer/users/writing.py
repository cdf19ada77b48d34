"""Writes users to one index, leaving those alone that are right already."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import orjson

from seealso.cluster import BulkWriter, Cluster, indices, scan_ids
from seealso.config import IndexSettings, ProfileSettings
from seealso.indexer.users.documents import digest_of, user_document
from seealso.indexer.users.people import People
from seealso.indexer.writing import fetch_digests
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
    cluster, name
        The physical index.
    names
        Gives the pseudonyms.
    user_encoder
        Gives the vectors.
    settings
        Threads and sizes of the bulk bodies.
    """

    cluster: Cluster
    name: str
    names: Pseudonyms
    user_encoder: UserEncoder
    settings: IndexSettings

    def write(self, people: People, tick: Tick, *, fresh: bool) -> WriteCounts:
        """Encode and write everybody who is new or changed.

        Parameters
        ----------
        people
            Who.
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
        threads, size = self.settings.threads, self.settings.bulk_bytes
        with BulkWriter(self.cluster, self.name, threads=threads, chunk_bytes=size) as writer:
            for users in self._keyed(people):
                changed = users if fresh else self._changed(users)
                vectors = self.user_encoder.vectors([user for user, _ in changed.values()])
                for (name, (user, key)), vector in zip(changed.items(), vectors, strict=True):
                    writer.index(name, user_document(user, vector, key))
                    done.vectorless += vector is None
                done.written += len(changed)
                done.unchanged += len(users) - len(changed)
                tick(len(users))
        return done

    def compare(self, people: People, tick: Tick) -> WriteCounts:
        """Count what `write` and `delete_others` would do to an index that is there."""
        done = WriteCounts(deleted=len(self._others(people)))
        for users in self._keyed(people):
            changed = len(self._changed(users))
            done.written += changed
            done.unchanged += len(users) - changed
            tick(len(users))
        return done

    def delete_others(self, people: People) -> int:
        """Delete the users in the index who are none of `people`, and return how many."""
        # what a killed build wrote is seen by no search before a refresh
        indices.refresh(self.cluster, self.name)
        unknown = self._others(people)
        with BulkWriter(self.cluster, self.name) as writer:
            for pseudonym in unknown:
                writer.delete(pseudonym)
        return len(unknown)

    def _others(self, people: People) -> set[str]:
        known = {self.names.of(user_id) for user_id in people.ids}
        return set(scan_ids(self.cluster, self.name)) - known

    def _changed(self, users: Mapping[str, Keyed]) -> dict[str, Keyed]:
        """Return those of `users` that the index lacks or holds otherwise."""
        stored = fetch_digests(self.cluster, self.name, list(users))
        return {name: one for name, one in users.items() if stored.get(name) != one[1]}

    def _keyed(self, people: People) -> Iterator[dict[str, Keyed]]:
        """Yield everybody by pseudonym, some at once, each with the digest of the document."""
        ids = iter(people.ids)
        while batch := list(islice(ids, USERS_AT_ONCE)):
            users = ((self.names.of(user_id), people.user(user_id)) for user_id in batch)
            yield {
                name: (user, digest_of(user, self.user_encoder.made_with)) for name, user in users
            }
