"""What click would lose of a call is refused; what a shell makes of a stream is named."""

from pathlib import Path

import pytest

from seealso.cli.main import main


def refused(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as done:
        main(list(arguments))
    assert done.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("recommend", "u1", "--size", "3", "--size", "4"), "--size"),
        (("recommend", "--size=3", "u1", "--size=3"), "--size"),
        (("recommend", "--history", "a", "--history", "b"), "--history"),
        (("index", "build", "--on-error", "skip", "--on-error", "stop"), "--on-error"),
        (("--config", "a.toml", "--config", "b.toml", "status"), "--config"),
    ],
)
def test_an_option_with_one_value_is_given_once(
    arguments: tuple[str, ...], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"Error: {option} is given 2 times\n" in refused(*arguments, capsys=capsys)


def test_what_says_the_same_twice_or_has_several_values_is_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = ("--set", "index.alias=films", "--set", "encoder.bundle=none")
    main(["-v", "-v", "--json", *settings, "--json", "completion", "bash"])
    assert "_seealso_completion" in capsys.readouterr().out


def test_a_setting_is_given_once(capsys: pytest.CaptureFixture[str]) -> None:
    twice = ("--set", "index.alias=films", "--set", "index.alias=games", "status")
    assert "error: --set index.alias: is given twice" in refused(*twice, capsys=capsys)


def test_a_path_is_no_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("users.txt").write_text("u1\n", encoding="utf-8")
    for arguments, name in (
        (("recommend-batch", "-", "lists.jsonl"), "'USERS'"),
        (("recommend-batch", "users.txt", "-"), "'OUT'"),
        (("evaluate", "--out", "-"), "'--out'"),
        (("model", "push", "minilm", "-"), "'DEST'"),
    ):
        said = refused(*arguments, capsys=capsys)
        assert f"Invalid value for {name}: - stands for no stream here: name a path" in said
    assert [one.name for one in tmp_path.iterdir()] == ["users.txt"]
