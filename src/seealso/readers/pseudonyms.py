"""Pseudonyms replace the ids of users wherever ids must not be stored or shown."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from typing import Final

from seealso.errors import ConfigError

KEY: Final = "SEEALSO_USERS_KEY"
"""The environment variable with the key."""

SHORTEST_KEY: Final = 16
"""Ids are easy to list: with a key that can be guessed, so can every pseudonym."""

FEWEST_CHARACTERS: Final = 6
"""Different characters of a key, at least."""

FEWEST_STEPS: Final = 7
"""Different pairs of neighbours in a key, at least; ``ab``, ``ba`` and ``aa`` are none."""

MAKE_ONE: Final = 'make one, once: python -c "import secrets; print(secrets.token_hex(32))"'

CHECKED: Final = b"seealso: is this the key?"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Pseudonyms of users by a keyed hash, which cannot be traced back without the key.

    Attributes
    ----------
    key
        The secret.
    """

    key: bytes = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Pseudonyms":
        """Return the pseudonyms of the key that the environment holds.

        Parameters
        ----------
        environment
            Variables by name, ``os.environ`` as a rule.

        Raises
        ------
        ConfigError
            There is no key, a short one, or one that is easy to guess.
        """
        key = environment.get(KEY, "")
        if not key:
            raise ConfigError(f"{KEY} is not set: users have no pseudonyms", hint=MAKE_ONE)
        if len(key) < SHORTEST_KEY:
            raise ConfigError(
                f"{KEY} has {len(key)} characters, at least {SHORTEST_KEY} are needed",
                hint=MAKE_ONE,
            )
        if _is_weak(key):
            raise ConfigError(
                f"{KEY} is easy to guess: it repeats itself, or counts up or down", hint=MAKE_ONE
            )
        return cls(key.encode("utf-8", "surrogateescape"))

    @classmethod
    def draw(cls) -> "Pseudonyms":
        """Return pseudonyms with a random key: they differ in each run."""
        return cls(secrets.token_bytes(32))

    def of(self, user_id: str) -> str:
        """Return the pseudonym of a user: HMAC-SHA256 (RFC 2104), 64 hex digits."""
        return self._digest(user_id.encode("utf-8", "surrogatepass"))

    @property
    def check(self) -> str:
        """16 hex digits to recognise a key, which do not reveal it."""
        return self._digest(CHECKED)[:16]

    def _digest(self, message: bytes) -> str:
        return hmac.new(self.key, message, sha256).hexdigest()


def _is_weak(key: str) -> bool:
    """Say whether a key is of little variety: repeated, counted, or of few characters."""
    if len(set(key)) < FEWEST_CHARACTERS:
        return True
    # the shortest block that the key repeats, to its end or to the middle of the block
    block = next(n for n in range(1, len(key) + 1) if key.startswith(key[n:]))
    steps = {(a, b) for a, b in pairwise(key[:block]) if abs(ord(a) - ord(b)) > 1}
    return block <= len(key) // 2 or len(steps) < FEWEST_STEPS
