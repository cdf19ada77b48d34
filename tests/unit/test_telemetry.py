"""What seealso is made of reports nothing to anybody, and keeps no id of the machine."""

import os
import subprocess
import sys
from pathlib import Path

from seealso.encoder import Bundle

OPEN = """
import os, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from seealso.encoder import Bundle, Encoder

vectors = Encoder(Bundle.load(Path(sys.argv[1]))).encode_users(["a tent"])
print(len(vectors), os.environ["ORT_DISABLE_TELEMETRY"])
"""


def test_a_model_that_is_run_leaves_nothing_behind(tiny: Bundle, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(tiny.folder), *sys.path],
        # without what says that this is a test or a build: reports would be off by that
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "1 1\n"), done.stderr
    # an id of the machine, what was not sent yet
    assert list(tmp_path.rglob("*")) == []
