"""The units of deploy/systemd, as systemd itself reads them (no running systemd needed)."""

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from seealso.plugin.service.server import GRACE_SECONDS
from tests.snippets import own_calls

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
PROGRAMS = "/opt/seealso/bin"
NAMES = ("seealso-serve.service", "seealso-build.service", "seealso-build.timer")
MOST_EXPOSED = 15
"""Tenths: below 2 systemd calls it OK; who reaches others over the network has .8."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with the programs where they are here."""
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for unit in tmp_path.glob("*.service"):
        text = unit.read_text()
        assert f"={PROGRAMS}/seealso " in text
        unit.write_text(text.replace(PROGRAMS, str(Path(sys.executable).parent)))
    return tmp_path


def analyze(units: Path, *command: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd-analyze is needed: apt-get install systemd"
    return subprocess.run(
        [program, *command],
        # the trailing colon: and those of the machine
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{units}:", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


def read(name: str) -> ConfigParser:
    # names as they are written; a name may come twice, the last one counts here
    found = ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(UNITS / name)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_nothing_wrong(units: Path, name: str) -> None:
    found = analyze(units, "verify", "--man=no", "--recursive-errors=one", name)
    assert (found.returncode, found.stderr) == (0, "")


def test_systemd_finds_what_is_wrong(units: Path) -> None:
    shared = units / "seealso-.service.d" / "both.conf"
    shared.write_text(shared.read_text().replace("PrivateTmp", "PrivateTemp"))
    found = analyze(units, "verify", "--man=no", "--recursive-errors=one", NAMES[0])
    assert found.returncode != 0
    assert "Unknown key 'PrivateTemp'" in found.stderr


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_service_can_do_little_else(units: Path, name: str) -> None:
    found = analyze(
        units, "security", "--offline=yes", "--no-pager", f"--threshold={MOST_EXPOSED}", name
    )
    assert found.returncode == 0, found.stdout
    assert re.search(rf"exposure level for {name}: \d\.\d OK", found.stdout)


def test_they_run_commands_that_are_there() -> None:
    serve, build = ((UNITS / name).read_text() for name in NAMES[:2])
    calls = [
        own_calls(line.removeprefix(f"ExecStart={PROGRAMS}/"))
        for line in [*serve.splitlines(), *build.splitlines()]
        if line.startswith("ExecStart=")
    ]
    assert [words for (words,) in calls] == [
        ["serve"],
        ["build", "--on-error", "skip"],
        ["index", "prune", "--yes"],
    ]


def test_the_service_gets_the_time_that_it_gives_its_requests() -> None:
    assert read("seealso-serve.service").getint("Service", "TimeoutStopSec") > GRACE_SECONDS


def test_only_the_build_may_write_and_where_both_read() -> None:
    folder = read("seealso-build.service")["Service"]["StateDirectory"]
    assert "StateDirectory" not in read("seealso-serve.service")["Service"]
    shared = (UNITS / "seealso-.service.d" / "both.conf").read_text()
    assert f"SEEALSO_ENCODER__STORE=/var/lib/{folder}/bundles" in shared
    assert f"SEEALSO_ENCODER__CACHE=/var/lib/{folder}/vectors.sqlite" in shared


def test_no_unit_holds_a_secret() -> None:
    text = "".join(file.read_text() for file in UNITS.rglob("*") if file.is_file())
    assert "PASSWORD" not in text
    assert "SEEALSO_USERS_KEY" not in text
