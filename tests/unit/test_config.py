"""Settings: which source wins, and what a wrong one is told."""

from collections.abc import Iterator, Mapping
from math import inf, nan
from pathlib import Path
from typing import get_args, get_origin

import pytest
from pydantic import ValidationError

from seealso.cli.main import overrides
from seealso.config import Settings, load_settings
from seealso.errors import ConfigError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without settings."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str, name: str = "seealso.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_there_are_defaults() -> None:
    assert load_settings().recommend.size == 10
    assert load_settings().recommend.tail_share == 0.2


def test_arguments_win_over_environment_over_local_over_file(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(elsewhere, "[recommend]\nsize = 1\nef_search = 1\nwords = 1\ntail_share = 0.5")
    assert load_settings().recommend.size == 1
    written(elsewhere, "[recommend]\nsize = 2\nef_search = 2\nwords = 2", "seealso.local.toml")
    monkeypatch.setenv("SEEALSO_RECOMMEND__SIZE", "3")
    monkeypatch.setenv("SEEALSO_RECOMMEND__EF_SEARCH", "3")
    chosen = load_settings(None, {"recommend": {"size": 4}}).recommend
    assert (chosen.size, chosen.ef_search, chosen.words, chosen.tail_share) == (4, 3, 2, 0.5)


def test_a_fit_belongs_to_an_alias_unless_it_is_named() -> None:
    assert load_settings().fit_name == "fitted-seealso"
    films = load_settings(None, {"index": {"alias": "films"}})
    assert films.fit_name == "fitted-films"
    other = films.model_copy(update={"index": films.index.model_copy(update={"alias": "games"})})
    assert other.fit_name == "fitted-games"
    assert load_settings(None, {"fit": {"name": "mine"}}).fit_name == "mine"
    assert (films.tuned_name, other.tuned_name) == ("tuned-films", "tuned-games")
    assert load_settings(None, {"training": {"name": "mine"}}).tuned_name == "mine"
    # the name of a folder cannot be longer, nor that of an index
    for section, name in (("index", "alias"), ("fit", "name")):
        with pytest.raises(ConfigError, match=rf"{section}\.{name}: .*at most 200 characters"):
            load_settings(None, {section: {name: "x" * 201}})


def test_files_stand_beside_the_settings_that_name_them(elsewhere: Path) -> None:
    folder = elsewhere / "shop"
    folder.mkdir()
    file = written(folder, '[catalogue]\npath = "items.csv"\n[events]\npath = "/data/events.csv"')
    found = load_settings(file)
    assert found.catalogue.path == folder / "items.csv"
    assert found.events.path == Path("/data/events.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[recommend]\nsise = 1", "seealso.toml: recommend.sise: no such setting"),
        ("[shop]\na = 1", "seealso.toml: shop: no such setting"),
        ("[crowd]\nshare = 1", "seealso.toml: crowd: no such setting"),
        (
            "[recommend]\nlift = 1\n[crowd]\nshare = 1",
            "seealso.toml: crowd: no such setting (and 1 more)",
        ),
        ("[recommend]\ntail_share = 2", "seealso.toml: recommend.tail_share: must be less than"),
        ("[recommend]\nsize = 'x'", "seealso.toml: recommend.size: must be a whole number"),
        ("recommend = 3", "seealso.toml: recommend: must be an object with names and values"),
        ("[cluster]\nurl = 'here:9200'", "seealso.toml: cluster: 'here:9200' does not begin with"),
        (
            "[index]\nspace = 'dot'",
            "seealso.toml: index.space: must be one of cosine, euclidean, manhattan",
        ),
        (
            "[index]\nalias = 'Films'",
            "seealso.toml: index.alias: must be lower-case letters, digits, and . _ - behind the",
        ),
        (
            "[recommend]\npath = 'fast'",
            "seealso.toml: recommend.path: must be one of auto, reference, exact, ann",
        ),
        ("[users]\nenabled = 'maybe'", "seealso.toml: users.enabled: must be true or false"),
        ("[catalogue]\ntext = 'title'", "seealso.toml: catalogue.text: must be a list"),
        ("[catalogue]\nid = 3", "seealso.toml: catalogue.id: must be a text"),
        (
            "[[rules]]\ndo = 'exclude'\nitems = ['a']\nfeild = 'b'",
            "seealso.toml: rules.0.feild: no such setting",
        ),
        ("[importance]\nfloor = 3", "seealso.toml: importance: floor 3.0 is above ceiling 2.0"),
        ("[recommend", "seealso.toml: "),
    ],
)
def test_a_wrong_file_is_told_in_one_line(elsewhere: Path, text: str, said: str) -> None:
    written(elsewhere, text)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert caught.value.message.startswith(said)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_section_of_an_earlier_version_says_what_it_is_called_now(elsewhere: Path) -> None:
    written(elsewhere, "[crowd]\nshare = 1")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert caught.value.hint == "it is called neighbours since version 0.2"


def test_a_setting_that_was_taken_out_says_what_to_do(elsewhere: Path) -> None:
    written(elsewhere, "[training]\nhard_negatives = 2")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert caught.value.message == "seealso.toml: training.hard_negatives: no such setting"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("leave it out: ")


@pytest.mark.parametrize(
    "changes",
    [
        ["catalogue.format.encoding=cp1250"],
        ['catalogue.format={"encoding": "cp1250"}'],
        ['catalogue.format={ encoding = "cp1250" }'],
    ],
)
def test_a_setting_within_a_table_leaves_its_neighbours(
    elsewhere: Path, changes: list[str]
) -> None:
    written(elsewhere, '[catalogue]\nid = "sku"\n[catalogue.format]\nseparator = ";"')
    found = load_settings(overrides=overrides([*changes, "catalogue.format.decimal=,"])).catalogue
    assert (found.id, found.format.separator, found.format.decimal) == ("sku", ";", ",")
    assert found.format.encoding == "cp1250"


def test_an_empty_table_empties_the_one_below_it(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heading = '[catalogue]\nid = "sku"\nrename = { a = "b" }\n'
    written(elsewhere, f'{heading}[catalogue.format]\nencoding = "cp1250"')
    assert load_settings().catalogue.rename == {"a": "b"}
    found = load_settings(overrides=overrides(["catalogue.rename={}"])).catalogue
    assert (found.id, found.rename, found.format.encoding) == ("sku", {}, "cp1250")
    monkeypatch.setenv("SEEALSO_CATALOGUE__RENAME", "{}")
    assert load_settings().catalogue.rename == {}
    # entries are added to those of the file, and the command line has the last word
    more = load_settings(overrides=overrides(["catalogue.rename.c=d"])).catalogue
    assert more.rename["c"] == "d"
    monkeypatch.delenv("SEEALSO_CATALOGUE__RENAME")
    more = load_settings(overrides=overrides(["catalogue.rename.c=d"])).catalogue
    assert more.rename == {"a": "b", "c": "d"}
    written(elsewhere, "[catalogue]\nrename = {}\n[catalogue.format]", "seealso.local.toml")
    found = load_settings().catalogue
    # a section without a setting is a heading
    assert (found.id, found.rename, found.format.encoding) == ("sku", {}, "cp1250")


def test_a_wrong_setting_within_a_table_says_where_it_comes_from(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(elsewhere, '[catalogue.format]\nseparator = ";"')
    wrong = r"catalogue\.format\.encoding: there is no encoding 'utf-9'"
    with pytest.raises(ConfigError, match=f"^command line: {wrong}$"):
        load_settings(overrides=overrides(["catalogue.format.encoding=utf-9"]))
    monkeypatch.setenv("SEEALSO_CATALOGUE__FORMAT__ENCODING", "utf-9")
    with pytest.raises(ConfigError, match=rf"^environment \(SEEALSO_\w+__ENCODING\): {wrong}$"):
        load_settings()


def test_null_on_the_command_line_is_of_the_command_line(elsewhere: Path) -> None:
    written(elsewhere, "[recommend]\nsize = 3")
    with pytest.raises(ConfigError) as caught:
        load_settings(overrides=overrides(["recommend.path=null"]))
    assert caught.value.message == (
        "command line: recommend.path: must be one of auto, reference, exact, ann"
    )


@pytest.mark.parametrize("change", ["alias=films", "index.=films", ".alias=films", "index.alias"])
def test_a_change_names_section_and_setting(change: str) -> None:
    with pytest.raises(ConfigError, match=r"not of the form SECTION\.NAME=VALUE"):
        overrides([change])


def test_a_file_that_is_not_there_is_named(elsewhere: Path) -> None:
    with pytest.raises(ConfigError, match=r"other\.toml: no such settings file"):
        load_settings(elsewhere / "other.toml")


def numbers() -> Iterator[tuple[str, str, bool]]:
    """Yield section and name of every setting that takes a float, and whether it is a table."""
    for section, group in Settings.model_fields.items():
        for name, field in getattr(group.annotation, "model_fields", {}).items():
            kinds = {field.annotation, *get_args(field.annotation)}
            if float in kinds:
                yield section, name, get_origin(field.annotation) is Mapping


@pytest.mark.parametrize(("section", "name", "table"), list(numbers()))
@pytest.mark.parametrize("value", [inf, -inf, nan])
def test_every_number_is_finite(section: str, name: str, table: bool, value: float) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {section: {name: {"x": value} if table else value}})
    place = f"{section}.{name}.x" if table else f"{section}.{name}"
    assert caught.value.message.startswith(f"command line: {place}: ")


def test_infinity_in_a_file_is_told_in_one_line(elsewhere: Path) -> None:
    written(elsewhere, "[importance]\nceiling = inf")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    said = "seealso.toml: importance.ceiling: must be a finite number"
    assert caught.value.message == said


def test_settings_are_frozen() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.recommend.size = 3  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.node_root = Path("x")  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    for section, field in Settings.model_fields.items():
        fields = getattr(field.annotation, "model_fields", {})
        for name, setting in fields.items():
            assert setting.description, f"{section}.{name} has no line of documentation"


def test_a_settings_file_may_be_named_by_a_text(elsewhere: Path) -> None:
    written(elsewhere, "[recommend]\nsize = 3")
    assert load_settings("seealso.toml").recommend.size == 3
    with pytest.raises(ConfigError, match=r"other\.toml: no such settings file"):
        load_settings("other.toml")
