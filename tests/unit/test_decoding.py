"""Small text files and settings, in whatever encoding they were saved."""

import orjson
import pytest

from seealso.config import load_settings
from seealso.decoding import loads, read_lines, read_text
from seealso.errors import ConfigError, DataError
from seealso.plugin.rules.safety import Blocklist
from seealso.plugin.rules.taxonomy import read_tree

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ids_a_line(tmp_path, encoding, end):
    file = tmp_path / "gone.txt"
    file.write_bytes(end.join(["g1", "  g2 ", "", "größe 3\t", ""]).encode(encoding))
    assert read_lines(file) == ["g1", "g2", "größe 3"]


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_text(tmp_path / "none.txt")
    with pytest.raises(DataError, match="is a directory"):
        read_text(tmp_path)


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    assert read_lines(tmp_path / "a.txt") == []


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_settings(tmp_path, encoding):
    file = tmp_path / "seealso.toml"
    text = '[catalogue]\r\npath = "a.csv"\r\nid = "Schlüssel"\r\n'
    file.write_bytes(text.encode(encoding))
    (tmp_path / "seealso.local.toml").write_bytes('[index]\nalias = "books"\n'.encode(encoding))
    settings = load_settings(file)
    assert (settings.catalogue.id, settings.index.alias) == ("Schlüssel", "books")
    assert settings.catalogue.path == tmp_path / "a.csv"


def test_an_encoding_that_does_not_exist_is_refused(tmp_path):
    file = tmp_path / "seealso.toml"
    for name in ("utf-9", "base64"):
        file.write_text(f'[catalogue.format]\nencoding = "{name}"\n')
        with pytest.raises(ConfigError, match=f"there is no encoding '{name}'"):
            load_settings(file)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_blocklist(tmp_path, encoding):
    file = tmp_path / "blocked.txt"
    file.write_bytes("# größer\r\ng1\r\n g2\r\n".encode(encoding))
    assert Blocklist(file).ids() == ("g1", "g2")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_taxonomy(tmp_path, encoding, separator):
    file = tmp_path / "tree.csv"
    rows = (("node", "parent"), ("Töpfe", "Garten"), ("Garten", ""))
    file.write_bytes("\r\n".join(map(separator.join, rows)).encode(encoding))
    assert read_tree(file) == {"Garten": ["Töpfe"]}


def test_brackets_within_too_many_others_are_no_json(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust_the_stack(*_: object, **__: object) -> None:
        raise AssertionError("read twice")

    monkeypatch.setattr("json.loads", exhaust_the_stack)
    with pytest.raises(orjson.JSONDecodeError, match="depth limit"):
        loads('{"item_id": ' + "[" * 3000 + "]" * 3000 + "}")
