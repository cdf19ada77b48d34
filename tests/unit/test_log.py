"""What reaches the terminal besides results."""

import logging
import re
from collections.abc import Iterator

import pytest

from seealso.log import configure, logger, say


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger("seealso")
    before = (root.level, list(root.handlers), root.propagate)
    yield
    root.setLevel(before[0])
    root.handlers, root.propagate = before[1], before[2]


def test_a_warning_is_one_plain_note(capsys):
    configure()
    logger("seealso.x").warning("%s: [b]%s[/b] %s", "a.csv", "odd", "word " * 40 + "end")
    assert capsys.readouterr().err == f"note: a.csv: [b]odd[/b] {'word ' * 40}end\n"


def test_what_is_asked_for_comes_with_its_time(capsys):
    configure("DEBUG")
    logger("seealso.x").info("done")
    assert re.fullmatch(r"\d\d:\d\d:\d\d INFO done\n", capsys.readouterr().err)


def test_an_error_that_nobody_foresaw_comes_with_its_traceback(capsys):
    configure()
    try:
        try:
            {}["ann"]
        except KeyError as exc:
            raise ValueError("nobody is called ann") from exc
    except ValueError:
        logger("seealso.x").exception("request 7 failed")
    printed = capsys.readouterr().err
    lines = printed.splitlines()
    assert lines[0].endswith("ERROR request 7 failed")
    assert lines[1] == "Traceback (most recent call last):"
    assert [line for line in lines if line.endswith("Error")] == ["KeyError", "ValueError"]
    assert f'File "{__file__}"' in printed
    # source lines are those of the code: what it was called with is in the messages alone
    assert "KeyError: 'ann'" not in printed
    assert "ValueError: nobody" not in printed


def test_a_line_is_never_wrapped(capsys):
    say("events.jsonl line 7: not JSON: " + "x" * 300)
    assert capsys.readouterr().err.splitlines() == ["events.jsonl line 7: not JSON: " + "x" * 300]
