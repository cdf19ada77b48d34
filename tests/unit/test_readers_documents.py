"""JSON and Parquet as others write them: NaN, half emojis, arrays, odd types; and their bounds."""

import gzip
import json
import resource
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from seealso.errors import DataError
from seealso.readers import FileSource
from seealso.readers.files.documents import MOST_CELLS, parse_lines
from seealso.readers.rows import batches


def written(folder, content, name="a.jsonl"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, **chosen):
    """Places and rows of a file, and its broken rows."""
    batches = list(FileSource(path, **chosen).rows())
    good = [
        (place, row)
        for batch in batches
        for place, row in zip(batch.places, batch.frame.to_dicts(), strict=True)
    ]
    return good, [broken for batch in batches for broken in batch.broken]


def test_nan_and_infinity_are_no_values(tmp_path):
    text = '{"id": 1, "price": NaN}\n{"id": 2, "price": 3.5}\n{"id": 3, "price": -Infinity}\n'
    good, broken = read(written(tmp_path, text))
    assert [row for _, row in good] == [
        {"id": 1, "price": None},
        {"id": 2, "price": 3.5},
        {"id": 3, "price": None},
    ]
    assert broken == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_json_lines_in_any_encoding(tmp_path, encoding):
    text = '{"id": "1", "t": "thé"}\n{"id": "2", "t": "caf\\u00e9"}\n'
    good, _ = read(written(tmp_path, text.encode(encoding)))
    assert good == [(1, {"id": "1", "t": "thé"}), (2, {"id": "2", "t": "café"})]


def test_half_an_emoji_becomes_the_replacement_character(tmp_path):
    text = '{"t": "cut \\ud83d", "whole": "\\ud83d\\ude00"}\n'
    assert read(written(tmp_path, text))[0] == [(1, {"t": "cut \ufffd", "whole": "\U0001f600"})]
    assert read(written(tmp_path, f"[{text}]"))[0] == read(written(tmp_path, text))[0]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson.gz"])
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_as_its_elements(tmp_path, name, indent):
    rows = [{"id": n, "t": "é" * n, "in": {"a": [n]}} for n in range(300)]
    content = f" \n{json.dumps(rows, indent=indent)}\n".encode()
    path = written(tmp_path, gzip.compress(content) if name.endswith("gz") else content, name)
    good, broken = read(path, batch_rows=70)
    assert [row["id"] for _, row in good] == list(range(300))
    assert good[7][1] == {"id": 7, "t": "é" * 7, "in.a": ["7"]}
    # nine lines for each object, where it is indented
    assert good[7][0] == (2 if indent is None else 3 + 7 * 9)
    assert broken == []


def test_an_array_may_be_empty_and_names_what_is_no_object(tmp_path):
    assert read(written(tmp_path, "[]", "a.json")) == ([], [])
    good, broken = read(written(tmp_path, '[1,\n{"id": 2},\n[3]]', "a.json"))
    assert good == [(2, {"id": 2})]
    assert broken == [(1, "not a JSON object"), (3, "not a JSON object")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('[{"id": 1},\n{"id": 2', "line 2: breaks off"),
        ('[{"id": 1},\n{"id": 2}', "line 2: breaks off"),
        ('[{"id": 1},\n{"id": 2},\n', "line 3: breaks off"),
        ('[{"id": 1},\n{"t":\n"cut', "line 3: breaks off"),
        ('[{"id": 1},\n{"id": 2, "tags": [\n"cut"\n]', "line 4: breaks off"),
        ('[\n  {"id": 1},\n  {"id": 2, "tags": [\n    "cut"\n  ]', "line 5: breaks off"),
        ('{\n "id": 1\n}\n{\n "id": 2,\n', "line 6: breaks off"),
        ('[{"id": 1}]\n]', "line 2: not JSON: Expecting value"),
        ('[{"id": 1}]\n</html>', "line 2: not JSON: Expecting value"),
        ('[{"id": 1},\n' + '{"a":' * 100_000, "line 2: objects are nested too deeply"),
        # where the next one begins is not certain
        ('[{"id": 1, "t": "5" tv"}, {"id": 2}, {"id": 3, "t": "5" tv"}, {"id": 4}]', "line 1: not"),
        ('[\n{\n"id": 1,\n"in": [\n{"id": x\n},\n{"id": 8\n}\n]\n},\n{"id": 2}]', "line 5: not"),
        ('[{"id": 1, "t": "Cup "}" blue"}, {"id": 2}]', "line 1: ',' or ']' is missing"),
    ],
)
def test_an_array_that_breaks_off_is_told_with_its_line(tmp_path, content, reason):
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content, "a.json"))
    assert reason in caught.value.message
    assert caught.value.hint


BROKEN = [
    '{"id": 9, "t": None}',
    '{"id": 9 "t": 1}',
    '{"id": 9, "t": 1,}',
    "{'id': 9}",
    '{"id": 9, "t": "a \\x b"}',
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize(
    ("before", "between", "after"),
    [
        ("[", ", ", "]"),
        ("[\n", ",\n", "\n]\n"),
        ("[\n  ", ",\n  ", "\n]"),
        ("[", ",\r\n", "]"),
        ("[\n\t", "\n\t,\n\t", "]"),
    ],
)
@pytest.mark.parametrize("at", [0, 2, 3])
def test_an_element_that_is_no_json_costs_itself_alone(
    tmp_path, broken, before, between, after, at
):
    each = [f'{{"id": {n}, "in": {{"a": [{n}]}}}}' for n in range(4)]
    each[at] = broken
    good, [(place, reason)] = read(written(tmp_path, before + between.join(each) + after, "a.json"))
    assert [row["id"] for _, row in good] == [n for n in range(4) if n != at]
    lines = (before + between.join([*each[:at], ""])).count("\n") + 1
    assert place == lines
    assert reason.startswith("not JSON: ")


@pytest.mark.parametrize(
    "broken", ['"the 5" tv"', '"two\nlines"', '"a", "in": [{"id": 7,}, {"id": 8}]']
)
def test_an_element_of_many_lines_costs_itself_alone(tmp_path, broken):
    rows = [{"id": n, "t": "x", "in": [{"id": 5}, {"id": 6}]} for n in range(4)]
    text = json.dumps(rows, indent=2).replace('"x"', broken, 1)
    good, [(place, reason)] = read(written(tmp_path, text, "a.json"))
    assert ([row["id"] for _, row in good], place) == ([1, 2, 3], 2)
    assert reason.endswith("(on line 4)")


def test_an_element_that_ended_too_early_is_no_row(tmp_path):
    text = '[\n{"id": 1, "t": "Cup "}" blue"},\n{"id": 2}\n]'
    good, broken = read(written(tmp_path, text, "a.json"))
    assert (good, broken) == ([(3, {"id": 2})], [(2, "',' or ']' is missing")])


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": 1},\n{"id": 2},\n]',
        '[{"id": 1}\n{"id": 2}]',
        '[{"id": 1}]\n[{"id": 2}]',
    ],
)
def test_commas_and_brackets_too_many_or_too_few_cost_nothing(tmp_path, text):
    assert read(written(tmp_path, text, "a.json")) == ([(1, {"id": 1}), (2, {"id": 2})], [])


def test_a_broken_element_of_a_large_array_costs_itself_alone(tmp_path):
    each = [json.dumps({"id": n, "t": "x" * 1_000}) for n in range(3_000)]
    each[1_500] = each[1_500].replace(":", "", 1)
    for between in (", ", ",\n  "):
        text = f"[{between[1:]}{between.join(each)}]"
        good, broken = read(written(tmp_path, text, "a.json"))
        assert (len(good), len(broken)) == (2_999, 1)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("columns", [None, ("id", "title")])
def test_the_list_in_an_object_around_it_is_read(tmp_path, indent, columns):
    rows = [{"id": n, "title": f"t{n}", "variants": [{"sku": n}]} for n in range(100)]
    around = {"products": rows} if columns is None else {"page": 1, "products": rows, "next": None}
    good, broken = read(written(tmp_path, json.dumps(around, indent=indent)), columns=columns)
    assert ([row["id"] for _, row in good], broken) == (list(range(100)), [])
    first = 3 + (columns is not None)
    assert [place for place, _ in good[:2]] == ([1, 1] if indent is None else [first, first + 9])


def test_an_object_with_a_column_is_a_row_whatever_lists_it_has(tmp_path):
    order = {"user": "u", "products": [{"sku": 1}, {"sku": 2}]}
    for text in (json.dumps(order), json.dumps(order, indent=1)):
        good, broken = read(written(tmp_path, text), columns=("user", "products.sku"))
        assert good == [(1, {"user": "u", "products.sku": ["1", "2"]})]
        assert broken == []


def test_objects_of_many_lines_follow_each_other(tmp_path):
    rows = [{"id": n, "tags": ["a", {"b": n}]} for n in range(200)]
    text = "\n".join(json.dumps(row, indent=2) for row in rows)
    good, broken = read(written(tmp_path, text), columns=("id",))
    assert (good, broken) == ([(1 + 9 * n, {"id": n}) for n in range(200)], [])


def test_a_first_line_that_is_cut_off_costs_itself_alone(tmp_path):
    good, [(place, _)] = read(written(tmp_path, '{"id": 1,\n{"id": 2}\n{"id": 3}\n'))
    assert (good, place) == ([(2, {"id": 2}), (3, {"id": 3})], 1)


def test_only_named_columns_are_read_those_of_inner_objects_too(tmp_path):
    text = '{"id": 1, "price": {"eur": 2, "usd": [{}]}, "a.b": 3, "x": {}, "tags": [{"n": "t"}]}\n'
    (batch,) = FileSource(
        written(tmp_path, text), columns=("id", "price.eur", "a.b", "tags.n")
    ).rows()
    assert batch.frame.select("id", "price.eur", "a.b").to_dicts() == [
        {"id": 1, "price.eur": 2, "a.b": 3}
    ]
    assert {name.split(".")[0] for name in batch.frame.columns} == {"id", "price", "a", "tags"}
    assert batch.others == ("x",)


def test_rows_with_columns_of_their_own_are_not_quadratic(tmp_path):
    lines = [json.dumps({"id": n, **{f"k{n}_{k}": 1 for k in range(50)}}) for n in range(1_000)]
    path = written(tmp_path, "\n".join(lines))
    named = list(FileSource(path, columns=("id",)).rows())
    assert [batch.frame.shape for batch in named] == [(1_000, 1)]
    every = list(FileSource(path).rows())
    assert sum(batch.frame.height for batch in every) == 1_000
    assert max(batch.frame.height * batch.frame.width for batch in every) < 1.1 * MOST_CELLS


def deep(levels, opening, closing):
    return b'{"id": 1, "a": ' + opening * levels + b"1" + closing * levels + b"}"


@pytest.mark.parametrize("opening", [b"[", b'{"a": '])
@pytest.mark.parametrize("levels", [101, 1_000, 100_000])
def test_rows_that_are_nested_too_deep_are_broken(opening, levels):
    closing = b"]" if opening == b"[" else b"}"
    rows = parse_lines([(1, b'{"id": 0}'), (2, deep(levels, opening, closing)), (3, b'{"id": 3}')])
    assert rows.places == [1, 3]
    assert [place for place, _ in rows.broken] == [2]
    assert parse_lines([(1, deep(98, opening, closing))]).places == [1]


def test_a_row_with_too_many_keys_is_broken():
    line = json.dumps({f"k{n}": 1 for n in range(10_001)}).encode()
    assert parse_lines([(5, line)]).broken == [(5, "has more than 10,000 keys")]


def test_a_line_that_is_too_long_is_broken_and_never_held(tmp_path):
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b'{"id": 1}\n')
        for _ in range(40):
            stream.write(b" " * 5_000_000)
        stream.write(b'\n{"id": 3}\n')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    good, broken = read(path)
    assert [place for place, _ in good] == [1, 3]
    assert broken == [(2, "the line has more than 16,000,000 bytes")]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120_000  # kilobytes


def test_parquet_reads_what_is_named_alone_also_within_objects(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame(
        {
            "id": [1, 2],
            "price": [Decimal("24.90"), None],
            "day": [date(2026, 1, 2), None],
            "in": [{"eur": 1.5, "deep": {"x": "a"}}, None],
            "categories": [[{"name": "garden"}, {"name": "pots"}], []],
            "odd": [b"\xff", None],
        },
        schema_overrides={"price": pl.Decimal(10, 2)},
    ).write_parquet(path)
    columns = ("id", "price", "day", "in.eur", "in.deep.x", "categories.name")
    (batch,) = FileSource(path, columns=columns).rows()
    assert batch.frame.to_dicts()[0] == {
        "id": 1,
        "price": Decimal("24.90"),
        "day": date(2026, 1, 2),
        "in.eur": 1.5,
        "in.deep.x": "a",
        "categories.name": ["garden", "pots"],
    }
    assert batch.columns == (*columns, "in", "categories", "odd")
    (batch,) = FileSource(path, columns=("sku", "in.nothing")).rows()
    assert (batch.frame.height, batch.others[:2]) == (0, ("id", "price"))


def test_of_documents_the_named_columns_alone_are_kept():
    class Documents:
        name = "index shop"

        def rows(self):
            yield [{"id": str(n), f"own{n}": n, "price": {"eur": n, "usd": 2}} for n in range(3000)]

    (rows,) = batches(Documents(), ("id", "price.eur"))
    assert rows.frame.columns == ["id", "price.eur"]
    assert rows.frame.row(2) == ("2", 2)
    assert rows.others[:3] == ("own0", "own1", "own2")
    assert len(rows.others) == 100
