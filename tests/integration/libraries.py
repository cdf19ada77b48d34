"""The library on a node, built once for each module, and what numpy alone makes of its users."""

from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pytest

from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.plugin import Recommender
from seealso.types import Vector
from tests.library import Library


def opened(
    node: NodeInfo, bundle: Bundle, factory: pytest.TempPathFactory, space: str = "cosine"
) -> Iterator[Library]:
    """Build a library, and delete it in the end."""
    folder = factory.mktemp(space)
    library = Library.found(folder, node.url, f"books-{uuid4().hex[:8]}", bundle, space=space)
    library.build()
    yield library
    library.close()


@pytest.fixture(scope="module")
def library(
    opensearch: NodeInfo, tiny: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """A library in the cosine space."""
    yield from opened(opensearch, tiny, tmp_path_factory)


@pytest.fixture(scope="module", params=["euclidean", "manhattan"])
def other_space(
    request: pytest.FixtureRequest,
    opensearch: NodeInfo,
    tiny: Bundle,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Library]:
    """A library in one of the other spaces."""
    yield from opened(opensearch, tiny, tmp_path_factory, request.param)


@pytest.fixture(scope="module")
def recommender(library: Library) -> Recommender:
    """Recommends from the library that the module has."""
    return library.recommender()


def profile(library: Library, user_id: str) -> Vector:
    """Return E_u by numpy alone."""
    user = library.histories.user(user_id)
    assert user is not None
    parts = [0.8**age * library.vector(e.item_id) for age, e in enumerate(user.history)]
    total = np.sum(parts, axis=0)
    return np.asarray(total / np.linalg.norm(total))
