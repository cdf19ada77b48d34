"""What a node is started with, and as whom: Java, settings, folders, ports, reasons of failure."""

import json
import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from seealso.cluster.node import account, logs, net
from seealso.cluster.node.account import Account
from seealso.cluster.node.jdk import Jdk, find_jdk, probe
from seealso.cluster.node.launch import Layout, command, opensearch_yml
from seealso.cluster.node.versions import RELEASES
from seealso.errors import NodeError

NEW, OLD = RELEASES["3.5.0"], RELEASES["2.19.1"]
NOBODY = Account(65534, 65534, switched=True)
LAYOUT = Layout(Path("/base"), Path("/data"))


def java(folder: Path, major: int, *, vector: bool = True) -> Path:
    """Write a program that answers like ``java --list-modules``; return its Java home."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    lines = [f"java.base@{major}.0.1", *([f"jdk.incubator.vector@{major}.0.1"] if vector else [])]
    program.write_text("#!/bin/sh\n" + "".join(f"echo {line}\n" for line in lines))
    program.chmod(0o755)
    return folder


def test_java_home_comes_first(tmp_path: Path) -> None:
    mine = java(tmp_path / "mine", 21)
    java(tmp_path / "jvm" / "jdk-25", 25)
    found = find_jdk(NEW, environ={"JAVA_HOME": str(mine)}, folders=[tmp_path / "jvm"])
    assert found == Jdk(mine / "bin" / "java", 21, vector=True)


def test_path_comes_before_the_systems_folders(tmp_path: Path) -> None:
    mine = java(tmp_path / "mine", 22)
    java(tmp_path / "jvm" / "jdk-25", 25)
    found = find_jdk(NEW, environ={"PATH": str(mine / "bin")}, folders=[tmp_path / "jvm"])
    assert found.major == 22


def test_a_java_that_does_not_fit_is_passed_over(tmp_path: Path) -> None:
    for major in (11, 17, 25):
        java(tmp_path / f"jdk-{major}", major)
    assert find_jdk(NEW, environ={}, folders=[tmp_path]).major == 25
    assert find_jdk(OLD, environ={}, folders=[tmp_path]).major == 17


def test_the_wheel_is_the_last_resort(tmp_path: Path) -> None:
    wheel = java(tmp_path / "wheel", 25, vector=False)
    found = find_jdk(NEW, environ={}, folders=[], bundled=lambda: wheel)
    assert found == Jdk(wheel / "bin" / "java", 25, vector=False, bundled=True)
    with pytest.raises(NodeError, match="no Java 17 to 23"):
        find_jdk(OLD, environ={}, folders=[], bundled=lambda: wheel)


def test_probe_of_what_is_no_java(tmp_path: Path) -> None:
    assert probe(tmp_path / "missing") is None
    assert probe(Path(sys.executable)) is None


def test_command() -> None:
    line = command(NEW, Jdk(Path("/j"), 25, vector=True), Path("/home"), LAYOUT, "2g")
    assert line[:3] == ["/j", "-Xms2g", "-Xmx2g"]
    assert {"-XX:G1ReservePercent=25", "-XX:InitiatingHeapOccupancyPercent=30"} <= set(line)
    assert "--add-modules=jdk.incubator.vector" in line
    assert "-Djava.security.manager=allow" not in line
    assert line[-3:] == ["-cp", "/home/lib/*", "org.opensearch.bootstrap.OpenSearch"]


def test_command_with_the_security_manager() -> None:
    line = command(OLD, Jdk(Path("/j"), 17, vector=True), Path("/home"), LAYOUT, "1g")
    assert "-Djava.security.manager=allow" in line
    assert "--add-modules=jdk.incubator.vector" not in line  # Lucene has no use for that of 17


def test_command_with_the_trimmed_jdk() -> None:
    jdk = Jdk(Path("/j"), 25, vector=False, bundled=True)
    assert "-Djava.locale.providers=SPI,CLDR" in command(NEW, jdk, Path("/h"), LAYOUT, "1g")


def test_settings_overrule() -> None:
    text = opensearch_yml(LAYOUT, 1, 2, {"cluster.name": "mine", "node.attr.x": "1"})
    lines = {
        key: json.loads(value) for key, value in (x.split(": ", 1) for x in text.split("\n") if x)
    }
    assert lines["cluster.name"] == "mine"
    assert lines["node.attr.x"] == "1"
    assert lines["http.port"] == "1"
    assert lines["transport.port"] == "2"
    assert lines["discovery.type"] == "single-node"
    assert lines["cluster.routing.allocation.disk.threshold_enabled"] == "false"


def test_a_node_of_several_is_not_single() -> None:
    text = opensearch_yml(LAYOUT, 1, 2, {"discovery.seed_hosts": "127.0.0.1:9301"})
    assert "discovery.type" not in text


def test_a_reachable_root_is_used_as_it_is() -> None:
    me = Account(os.geteuid(), os.getegid(), switched=False)
    assert account.place(Path("x/y"), me) == Path.cwd() / "x" / "y"


def test_a_closed_root_is_replaced_and_always_by_the_same(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    elsewhere = tmp_path / "var"
    placed = account.place(closed / "node", NOBODY, elsewhere)
    assert placed.parent == elsewhere
    assert placed == account.place(closed / "node", NOBODY, elsewhere)
    assert placed != account.place(closed / "other", NOBODY, elsewhere)


def test_reachable() -> None:
    assert account.reachable(Path("/usr/bin/env"), NOBODY)


def test_a_java_that_nobody_can_read_is_copied(tmp_path: Path) -> None:
    closed = tmp_path / "venv"
    home = java(closed / "java-runtime", 25)
    closed.chmod(0o700)
    me = Account(os.geteuid(), os.getegid(), switched=True)
    open_cache = tmp_path / "cache"
    copy = account.readable_copy(home, Account(12345, 12345, switched=True), open_cache)
    assert copy.parent == open_cache / "jdk"
    assert os.access(copy / "bin" / "java", os.X_OK)
    assert account.readable_copy(home, Account(12345, 12345, switched=True), open_cache) == copy
    assert account.readable_copy(home, me, open_cache) == home


def test_create_makes_folders_that_others_can_enter(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        account.create(tmp_path / "a" / "b", NOBODY)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o755


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NodeError, match="cannot use the folder"):
        account.create(tmp_path / "file" / "x", NOBODY)


def test_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    me = Account(1000, 1000, switched=False)
    assert account.cache_folder(me, {"XDG_CACHE_HOME": "/c"}) == Path("/c/seealso")
    assert account.cache_folder(me, {}) == Path.home() / ".cache" / "seealso"
    assert account.cache_folder(NOBODY, {"XDG_CACHE_HOME": "/c"}) == account.SYSTEM_CACHE


def test_ports() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not net.is_free(port)
        assert net.choose_port(None, port) != port
        with pytest.raises(NodeError, match=f"port {port} is taken"):
            net.choose_port(port, None)
    assert net.choose_port(port, None) == port
    assert net.choose_port(None, port) == port
    assert net.answers(port) is False


def test_cause_prefers_the_root_cause_and_forgets_earlier_starts(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "data")
    layout.logs.mkdir()
    assert logs.cause(layout, 0) == "it said nothing"
    layout.log.write_text("[ERROR] yesterday\n")
    seen = logs.log_size(layout)
    with layout.log.open("a") as file:
        file.write("[INFO ] starting\n")
    assert logs.cause(layout, seen) == "[INFO ] starting"
    with layout.log.open("a") as file:
        file.write("[ERROR] BindException\nCaused by: Address already in use\n\tat x\n")
    assert logs.cause(layout, seen) == "Caused by: Address already in use"


def test_cause_reads_a_log_that_was_rolled_over(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / "data")
    layout.logs.mkdir()
    layout.log.write_text("[ERROR] new\n")
    assert logs.cause(layout, 10**6) == "[ERROR] new"


def test_tail(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    assert logs.tail(file, 3) == []
    file.write_text("a\nb\nc\n")
    assert logs.tail(file, 2) == ["b", "c"]
