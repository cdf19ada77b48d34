"""The error tree: one root, an exit code for each branch, facts beside the line."""

import inspect

import pytest

from seealso import errors
from seealso.errors import BulkWriteError, MissingExtraError, SeeAlsoError

EVERY = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)
]


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_is_of_the_tree_and_has_an_exit_code(kind: type[SeeAlsoError]) -> None:
    assert issubclass(kind, SeeAlsoError)
    assert 1 <= kind.exit_code <= 125
    assert kind.__doc__


def test_branches_have_exit_codes_of_their_own() -> None:
    branches = [kind for kind in EVERY if kind.__base__ is SeeAlsoError]
    codes = [kind.exit_code for kind in branches]
    assert len(set(codes)) == len(codes) >= 6
    assert SeeAlsoError.exit_code not in codes


def test_an_error_carries_hint_and_facts() -> None:
    error = SeeAlsoError("broken", hint="mend it", file="a.csv", line=3)
    assert (str(error), error.hint) == ("broken", "mend it")
    assert error.context == {"file": "a.csv", "line": 3}


def test_a_missing_extra_names_the_line_that_installs_it() -> None:
    assert MissingExtraError.of("torch", "train").hint == "pip install 'seealso[train]'"


def test_a_bulk_error_says_what_was_written() -> None:
    error = BulkWriteError("some failed", failed=[("i1", "too long")], written=7)
    assert error.failed == (("i1", "too long"),)
    assert error.written == 7
