"""What the operating system refuses is one line that says what to do."""

import subprocess
import sys
from errno import EACCES, EIO, ENOSPC
from os import strerror
from pathlib import Path

import pytest

from seealso.cli.main import describe_os_error


@pytest.mark.parametrize(
    ("refused", "message", "hint"),
    [
        (
            OSError(ENOSPC, strerror(ENOSPC)),
            "a file that was being written: No space left on device",
            "free space there",
        ),
        (
            # as `shutil.copyfile` raises it
            OSError(ENOSPC, strerror(ENOSPC), "model.onnx", None, "store/model.onnx"),
            "store/model.onnx: No space left on device",
            "free space there",
        ),
        (PermissionError(EACCES, strerror(EACCES), "a.csv"), "a.csv: Permission denied", "check"),
    ],
)
def test_a_full_disk_and_a_wrong_path(refused: OSError, message: str, hint: str) -> None:
    found = describe_os_error(refused)
    assert found.message == message
    assert (found.hint or "").startswith(hint)


def test_an_error_without_a_file_is_no_traceback() -> None:
    found = describe_os_error(OSError(EIO, strerror(EIO)))
    assert (found.message, found.hint) == ("the operating system refused: Input/output error", None)


def test_writing_to_a_full_device() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "seealso", "--version"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode != 0
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
