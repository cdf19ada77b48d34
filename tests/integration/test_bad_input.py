"""Bad input by the command line: one clear line with a cure, and nothing written anywhere."""

from pathlib import Path

import pytest

from tests.integration.catalogues import Shop, films
from tests.integration.complaints import Complain


def test_no_items(kept_shop: Shop, complain: Complain) -> None:
    kept_shop.catalogue.write_bytes(b"")
    said = complain(kept_shop, "index", "build")
    assert (said.code, said.error) == (3, "items.jsonl has no items")


def test_a_header_and_no_items(kept_shop: Shop, complain: Complain) -> None:
    path = kept_shop.folder / "items.csv"
    path.write_text("item_id,title,description,kind,price\n")
    said = complain(kept_shop, "index", "build", catalogue={"path": str(path)})
    assert (said.code, said.error) == (3, "items.csv has no items")


def test_no_such_file(kept_shop: Shop, complain: Complain) -> None:
    said = complain(
        kept_shop, "index", "build", catalogue={"path": str(kept_shop.folder / "none.csv")}
    )
    assert said.code == 3
    assert said.error.endswith("none.csv: no such file or directory")


def test_a_missing_column(kept_shop: Shop, complain: Complain) -> None:
    said = complain(kept_shop, "index", "build", catalogue={"text": ["titel"]})
    assert said.code == 3
    assert said.error.startswith("items.jsonl has no column 'titel'; it has item_id, ")
    assert said.hint.startswith("is it 'title'?")


def test_an_id_twice(kept_shop: Shop, complain: Complain) -> None:
    kept_shop.stock([*films(30), films(1)[0]])
    said = complain(kept_shop, "index", "build")
    expected = "items.jsonl line 31: item_id 'f0' already exists, on line 1"
    assert (said.code, said.error) == (3, expected)
    assert "--on-error skip" in said.hint


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_bytes_that_are_not_utf8(kept_shop: Shop, complain: Complain, suffix: str) -> None:
    path = kept_shop.folder / f"bad.{suffix}"
    # in a title they would cost the title alone
    if suffix == "csv":
        path.write_bytes(b"item_id,title,description,kind,price\ncaf\xe9,a,x,war,1\n")
        place = "line 2"
    else:
        path.write_bytes(b'{"item_id": "a", "title": "caf\xe9"}\n')
        place = "line 1"
    # what is not set is found out, and then this is cp1252
    utf8 = {"path": str(path), "format": {"encoding": "utf-8"}}
    said = complain(kept_shop, "index", "build", catalogue=utf8)
    assert said.code == 3
    assert said.error.startswith(f"{path.name} {place}")


def test_update_stops_at_a_broken_row_before_it_writes(kept_shop: Shop, complain: Complain) -> None:
    """The broken row is the last one, so a careless update would have written the others."""
    new = [*films(60), {**films(1)[0], "item_id": ""}]
    kept_shop.stock(new)
    said = complain(kept_shop, "index", "update")
    assert (said.code, said.error) == (3, "items.jsonl line 61: item_id is empty")


def test_weights_that_are_not_numbers(kept_shop: Shop, complain: Complain, tmp_path: Path) -> None:
    config = tmp_path / "seealso.toml"
    for name in ("text.weights.item", "importance.weights.view", "importance.floor"):
        section, _, key = name.rpartition(".")
        config.write_text(f"[{section}]\n{key} = nan\n")
        said = complain(kept_shop, "index", "build", config=config)
        expected = f"seealso.toml: {name}: must be a finite number"
        assert (said.code, said.error) == (2, expected)


def test_an_expression_without_a_number(kept_shop: Shop, complain: Complain) -> None:
    expression = {"kind": "expression", "expression": "1 / (price - price)"}
    said = complain(kept_shop, "index", "build", importance=expression)
    assert said.code == 3
    assert "gives no finite number for item 'f0' (30 such items)" in said.error


def test_events_without_a_number(kept_shop: Shop, complain: Complain) -> None:
    kept_shop.events.write_text('{"user_id": "u", "item_id": "f1", "stars": "many"}\n')
    said = complain(kept_shop, "index", "build", events={"value": "stars"})
    assert said.code == 3
    assert said.error.startswith("events.jsonl line 1: stars is not a number ('many')")


def test_more_dimensions_than_the_model_has(kept_shop: Shop, complain: Complain) -> None:
    said = complain(kept_shop, "index", "build", encoder={"dimension": 4096})
    assert (said.code, said.error) == (2, "encoder.dimension: 4096 is more than the model's 128")


def test_no_bundle_with_the_fingerprint(kept_shop: Shop, complain: Complain) -> None:
    elsewhere = {"store": str(kept_shop.folder / "elsewhere")}
    for command in ("update", "verify"):
        said = complain(kept_shop, "index", command, encoder=elsewhere)
        assert said.code == 5
        assert said.error.startswith("no bundle with fingerprint ")
        assert "copy the bundle" in said.hint


def test_a_template_that_cannot_be_read(kept_shop: Shop, complain: Complain) -> None:
    said = complain(kept_shop, "index", "build", text={"item": "{{ title "})
    assert said.code == 6
    assert said.error.startswith("text.item")
