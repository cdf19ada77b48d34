"""What `make release-check` decides by itself: versions, licences, the steps of a Dockerfile."""

from pathlib import Path

import pytest

from release import image, versions
from release.checking import Refused, find_wheel, run
from release.closure import packages
from release.dockerfile import read_stages
from release.licences import permitted


def test_the_version_is_the_same_everywhere(tmp_path: Path) -> None:
    assert "other places" in versions.check(tmp_path)


def test_a_place_with_another_version_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(versions.WHERE, "the licence", ("LICENSE", r"Version (\d\.\d)"))
    with pytest.raises(Refused, match=r"but the licence has 2\.0"):
        versions.check(tmp_path)


@pytest.mark.parametrize(
    ("licence", "goes"),
    [
        ("MIT", True),
        ("Apache Software License; BSD License", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-2.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("GNU General Public License v2 (GPLv2)", False),
        ("LicenseRef-NVIDIA-Proprietary", False),
        ("UNKNOWN", False),
        ("", False),
    ],
)
def test_licences_that_go_with_ours(licence: str, goes: bool) -> None:
    assert permitted(licence) is goes


def test_extras_bring_their_packages() -> None:
    assert "torch" in packages(["train"])
    without = packages([])
    assert {"numpy", "onnxruntime", "protobuf"} <= without
    assert not {"torch", "fastapi"} & without


def test_steps_run_in_the_folder_of_their_stage(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(
        "ARG BASE=slim\n"
        "FROM ${BASE} AS first\n"
        "ARG WORD=text\n"
        "WORKDIR /made\n"
        "COPY LICENSE ./\n"
        'RUN wc -l < LICENSE > /made/count && echo "${WORD}" > /word\n'
        "FROM ${BASE}\n"
        "RUN useradd --uid 7 somebody\n"
        "COPY --from=first /made /kept\n"
        "COPY --from=first /word /kept/\n"
    )
    stages = read_stages(file)
    assert [(stage.name, stage.base) for stage in stages] == [("first", "slim"), ("", "slim")]
    roots = {stage.name: tmp_path / (stage.name or "last") for stage in stages}
    assert [image._make(stage, roots) for stage in stages] == [0, 1]
    kept = tmp_path / "last" / "kept"
    assert int((kept / "count").read_text()) > 100
    assert (kept / "word").read_text() == "text\n"
    assert (kept / "LICENSE").is_file()


def test_a_program_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="exit code 3\nwhy"):
        run("sh", "-c", "echo why; exit 3")
    with pytest.raises(Refused, match="no wheel"):
        find_wheel(tmp_path)
