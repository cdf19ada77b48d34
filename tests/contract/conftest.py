"""Fixtures of the contract suites: the films of the example, encoded by MiniLM."""

from tests.films import films  # noqa: F401
