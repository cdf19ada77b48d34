"""Ids on the command line are read as those of the files are."""

import click
import pytest
from click.testing import CliRunner

from seealso.cli.who import name_values, spelled, split_ids
from seealso.config import Settings
from seealso.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "read"), [("12.0", "12"), (" ann ", "ann"), ("007.0", "007.0"), ("null", "null")]
)
def test_a_user_is_called_as_in_the_events(given, read):
    @click.command()
    @click.argument("user_id", callback=spelled)
    def command(user_id: str) -> None:
        click.echo(f"<{user_id}>")

    assert CliRunner().invoke(command, [given]).output == f"<{read}>\n"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("age",), "--attribute age: not of the form NAME=VALUE"),
        (("=30",), "--attribute =30: not of the form NAME=VALUE"),
        (("age=30", "age=40"), "--attribute age=40: age is given twice"),
    ],
)
def test_attributes_that_would_be_lost_are_refused(given, said):
    @click.command()
    @click.option("--attribute", multiple=True, callback=name_values)
    def command(attribute: dict[str, str]) -> None:
        click.echo(attribute)

    words = [word for one in given for word in ("--attribute", one)]
    with pytest.raises(ConfigError) as caught:
        command.main(words, standalone_mode=False)
    assert caught.value.message == said


def test_a_history_names_items_as_the_catalogue_does():
    chosen = Settings()
    assert split_ids("--history", " 501.0,a/b c , ,7", chosen) == ["501", "a/b c", "7"]
    own = chosen.model_copy(
        update={"catalogue": chosen.catalogue.model_copy(update={"id": "_id", "index": "shop"})}
    )
    assert split_ids("--history", "501.0,7", own) == ["501.0", "7"]


def test_an_id_with_a_comma_is_quoted_as_in_csv():
    chosen = Settings()
    assert split_ids("--history", 'k1, "a, b",5" pipe,"7"" pipe"', chosen) == [
        "k1",
        "a, b",
        '5" pipe',
        '7" pipe',
    ]
    for given in ('k1,"a,b', "k1\nk2"):
        with pytest.raises(ConfigError, match=r"--history 'k1.*': not a line of CSV$") as caught:
            split_ids("--history", given, chosen)
        assert "in double quotes" in str(caught.value.hint)
