"""Writes users to one index, leaving those alone that are right already."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import orjson

from seealso.cluster import BulkWriter, Cluster, fetch, scan
from seealso.config import IndexSettings, ProfileSettings
from seealso.indexer.encoding import Tick
from seealso.indexer.users.documents import digest_of, user_document
from seealso.indexer.users.people import People
from seealso.interactions import Pseudonyms
from seealso.types import User, Vector

USERS_AT_ONCE = 256
"""Users whose vectors are made and compared together."""


@dataclass(frozen=True)
class Profiler:
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

    @property
    def made_with(self) -> str:
        """Tells one way of making the vectors from another."""
        chosen = self.settings.model_dump(mode="json")
        return orjson.dumps([self.fingerprint, chosen], option=orjson.OPT_SORT_KEYS).decode()


@dataclass(frozen=True, slots=True)
class Done:
    """Documents so far: written, right already, and of those written without a vector."""

    written: int = 0
    unchanged: int = 0
    vectorless: int = 0

    def plus(self, written: int, unchanged: int, vectorless: int) -> "Done":
        """Return the sum."""
        return Done(
            self.written + written, self.unchanged + unchanged, self.vectorless + vectorless
        )


@dataclass(frozen=True)
class UsersWriter:
    """Brings an index in step with what is known of users.

    Attributes
    ----------
    cluster, name
        The physical index.
    names
        Gives the pseudonyms.
    profiler
        Gives the vectors.
    settings
        Threads and sizes of the bulk bodies.
    """

    cluster: Cluster
    name: str
    names: Pseudonyms
    profiler: Profiler
    settings: IndexSettings

    def write(self, people: People, tick: Tick, *, fresh: bool) -> Done:
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
        done = Done()
        threads, size = self.settings.threads, self.settings.bulk_bytes
        with BulkWriter(self.cluster, self.name, threads=threads, chunk_bytes=size) as writer:
            for users in _batches(people):
                wanted = users if fresh else self._changed(users)
                vectors = self.profiler.vectors(wanted)
                for user, vector in zip(wanted, vectors, strict=True):
                    key = digest_of(user, self.profiler.made_with)
                    writer.index(self._name_of(user), user_document(user, vector, key))
                vectorless = sum(vector is None for vector in vectors)
                done = done.plus(len(wanted), len(users) - len(wanted), vectorless)
                tick(len(users))
        return done

    def compare(self, people: People, tick: Tick) -> Done:
        """Count what `write` would do to an index that is there."""
        done = Done()
        for users in _batches(people):
            wanted = len(self._changed(users))
            done = done.plus(wanted, len(users) - wanted, 0)
            tick(len(users))
        return done

    def others(self, people: People) -> list[str]:
        """Return the pseudonyms in the index that belong to nobody of `people`, sorted."""
        known = {self.names.of(user_id) for user_id in people.ids}
        hits = scan(self.cluster, self.name, source=False, batch=5000)
        return sorted({hit["_id"] for batch in hits for hit in batch} - known)

    def delete(self, pseudonyms: Sequence[str]) -> None:
        """Delete documents."""
        with BulkWriter(self.cluster, self.name) as writer:
            for one in pseudonyms:
                writer.delete(one)

    def _changed(self, users: Sequence[User]) -> list[User]:
        """Return those of `users` that the index lacks or holds otherwise."""
        names = [self._name_of(user) for user in users]
        present = fetch(self.cluster, self.name, names, source=["digest"])
        return [
            user
            for user, name in zip(users, names, strict=True)
            if present.get(name, {}).get("_source", {}).get("digest")
            != digest_of(user, self.profiler.made_with)
        ]

    def _name_of(self, user: User) -> str:
        return self.names.of(str(user.user_id))


def _batches(people: People) -> Iterator[list[User]]:
    ids = iter(people.ids)
    while batch := list(islice(ids, USERS_AT_ONCE)):
        yield [people.user(user_id) for user_id in batch]
