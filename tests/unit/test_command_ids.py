"""Ids on the command line are read as those of the files are."""

import click
import pytest
from click.testing import CliRunner

from seealso.cli.who import spelled, split_ids
from seealso.config import Settings


@pytest.mark.parametrize(
    ("given", "read"), [("12.0", "12"), (" ann ", "ann"), ("007.0", "007.0"), ("null", "null")]
)
def test_a_user_is_called_as_in_the_events(given, read):
    @click.command()
    @click.argument("user_id", callback=spelled)
    def command(user_id: str) -> None:
        click.echo(f"<{user_id}>")

    assert CliRunner().invoke(command, [given]).output == f"<{read}>\n"


def test_a_history_names_items_as_the_catalogue_does():
    chosen = Settings()
    assert split_ids(" 501.0,a/b c , ,7", chosen) == ["501", "a/b c", "7"]
    own = chosen.model_copy(
        update={"catalogue": chosen.catalogue.model_copy(update={"id": "_id", "index": "shop"})}
    )
    assert split_ids("501.0,7", own) == ["501.0", "7"]
