"""Fixtures of the contract suites: the films of the example, encoded by MiniLM."""

import os

from tests.films import films  # noqa: F401

# Haystack reads it when it is imported; tests tell nobody what they do
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
