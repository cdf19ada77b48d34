"""How a delimited file is written is found out, and a quote left open costs its own row alone."""

import gzip
import logging

import pytest

from seealso.config import CatalogueSettings, FormatSettings
from seealso.errors import DataError
from seealso.readers import FileSource, Problems, read_items

ROWS = [
    ("sku", "Größe, Farbe", "price"),
    ("g1", "Gießkanne, grün", "24,90"),
    ("g2", "Rosenschere; scharf", "31,50"),
    ("g3", "Töpfe", "1.129,00"),
]


def delimited(separator, rows=ROWS):
    """Rows as a spreadsheet writes them: quotes where they are needed."""

    def cell(value):
        return f'"{value}"' if separator in value else value

    return "".join(separator.join(map(cell, row)) + "\r\n" for row in rows)


def read(path, **chosen):
    """Places, values and broken rows of a file, and its columns."""
    batches = list(FileSource(path, **chosen).rows())
    good = [
        (place, *values)
        for batch in batches
        for place, values in zip(batch.places, batch.frame.rows(), strict=True)
    ]
    return good, [broken for batch in batches for broken in batch.broken]


def written(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.tsv"])
def test_separator_and_encoding_are_found_out(tmp_path, separator, encoding, name):
    path = written(tmp_path, delimited(separator).encode(encoding), name)
    for columns in (None, ("sku", "Größe, Farbe", "price")):
        good, broken = read(path, columns=columns)
        assert (good, broken) == ([(n, *row) for n, row in enumerate(ROWS[1:], 2)], [])


def test_what_was_found_out_is_a_note_of_the_reading(tmp_path, caplog):
    path = written(tmp_path, delimited(";").encode("cp1252"))
    settings = CatalogueSettings(path=path, id="sku", text=("Größe, Farbe",))
    source = FileSource(path, columns=settings.columns, section="catalogue")
    problems = Problems()
    with caplog.at_level(logging.WARNING):
        # a build reads it twice
        for _ in range(2):
            list(read_items(source, settings, problems))
    assert [note for note in problems.notes if "separated" in note] == [
        "a.csv: read as cp1252 ('Größe'), separated by ';' (catalogue.format changes it if that "
        "is wrong)"
    ]
    # commands that read events for each list say nothing of it
    assert caplog.records == []


def test_what_is_usual_or_set_is_not_said(tmp_path):
    usual = FileSource(written(tmp_path, "id,title\n1,thé\n"))
    chosen = FormatSettings(separator=";", encoding="cp1252")
    path = written(tmp_path, delimited(";").encode("cp1252"), "b.csv")
    assert len(read(path, format=chosen)[0]) == 3
    for source in (usual, FileSource(path, format=chosen)):
        assert [note for rows in source.rows() for note in rows.notes] == []


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Код,Название\n1,Лейка садовая\n2,Секатор для роз\n", "cp1251"),
        ("商品番号,商品名\n1,じょうろ スチール\n2,剪定ばさみ\n", "cp932"),
        ("编号,名称\n1,钢制浇水壶，适合阳台上的花盆\n2,园艺剪刀，可以剪断玫瑰的茎\n", "gb18030"),
        ("번호,이름\n1,발코니 화분용 강철 물뿌리개\n2,장미 줄기를 자르는 가위\n", "euc_kr"),
        ("id,title\n1,Théière\n2,Crème brûlée\n", "cp1252"),
        ("id,titulo\n1,Cañón pequeño\n2,Guitarra española\n", "cp1252"),
    ],
)
def test_encodings_of_other_scripts_are_found_out(tmp_path, text, encoding):
    good, _ = read(written(tmp_path, text.encode(encoding)))
    assert [row[1:] for row in good] == [tuple(line.split(",")) for line in text.split("\n")[1:3]]


def test_the_first_letter_beyond_ascii_decides_wherever_it_comes(tmp_path):
    lines = [f"{n},{'x' * 100}" for n in range(30_000)]
    text = "\n".join(["id,title", *lines, "last,Müller", ""])
    for encoding in ("utf-8", "cp1252"):
        good, broken = read(written(tmp_path, text.encode(encoding)))
        assert good[-1] == (30_002, "last", "Müller")
        assert (len(good), broken) == (30_001, [])


def test_the_columns_of_the_settings_decide_where_two_separators_are_possible(tmp_path):
    path = written(tmp_path, "name;price, EUR\na;24,90\nb;31,50\n")
    assert read(path, columns=("name",))[0] == [(2, "a"), (3, "b")]
    path = written(tmp_path, "name;price, EUR\na;24,90\nb;31,50\n")
    assert read(path, columns=("name;price",))[0] == [(2, "a;24"), (3, "b;31")]


def test_the_separator_that_excel_names_in_a_line_of_its_own(tmp_path):
    good, _ = read(written(tmp_path, "sep=|\r\nid|title\r\n1|a,b\r\n"))
    assert good == [(3, "1", "a,b")]


def test_the_separator_that_excel_names_in_quotes(tmp_path):
    path = written(tmp_path, '"sep=|"\r\nid|a;b;c\r\n1|2;3;4\r\n')
    assert read(path) == ([(3, "1", "2;3;4")], [])


@pytest.mark.parametrize("header", ["\ufeff\ufeffid,title", '\ufeff\ufeff"id","title"'])
@pytest.mark.parametrize("name", ["title", "title\xa0", "\u200btitle\ufeff "])
def test_what_cannot_be_seen_in_a_header_is_no_part_of_a_name(tmp_path, header, name):
    path = written(tmp_path, f"{header.replace('title', name)}\n1,a\n")
    assert read(path, columns=("id", "title")) == ([(2, "1", "a")], [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems(tmp_path, end):
    text = end.join(["id,title", "1,a", '2,"b,c"', ""])
    assert read(written(tmp_path, text))[0] == [(2, "1", "a"), (3, "2", "b,c")]


def test_one_column_is_read_as_one(tmp_path):
    good, _ = read(written(tmp_path, "id\n1\n2\n"))
    assert good == [(2, "1"), (3, "2")]


def test_columns_that_no_setting_names_are_not_in_the_way(tmp_path):
    header = "id,image,image,,title,\n"
    path = written(tmp_path, header.encode() + "1,thé,x,y,tea,\n2,".encode() + b"\xff,,,rum,\n")
    batches = list(FileSource(path, columns=("id", "title")).rows())
    assert [row for batch in batches for row in batch.frame.rows()] == [("1", "tea"), ("2", "rum")]
    assert batches[0].columns == ("id", "title", "image", "image", "", "")
    assert not batches[0].broken
    with pytest.raises(DataError, match="two columns are called 'image'"):
        read(path, columns=("id", "image"))


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("surplus", [",", ",,"])
def test_a_separator_behind_the_last_field_is_no_field(tmp_path, quote, surplus):
    rows = [f"{n},{quote}t{n}{quote}" for n in range(5)]
    for header, end in (("id,title", surplus), (f"id,title{surplus}", "")):
        path = written(tmp_path, "\n".join([header, *(row + end for row in rows)]) + "\n")
        expected = [(n + 2, str(n), f"t{n}") for n in range(5)]
        assert read(path, columns=("id", "title")) == (expected, [])


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_surplus_field_that_is_not_empty_breaks_its_row(tmp_path, quote):
    rows = [f"{n},{quote}t{n}{quote}," for n in range(3)]
    path = written(tmp_path, "\n".join(["id,title", *rows, "3,a,b", "4,c", "5,d,"]) + "\n")
    good, broken = read(path, columns=("id", "title"))
    assert [row[1] for row in good] == ["0", "1", "2", "5"]
    reasons = ["3 fields where the header has 2", "2 fields where the header has 2"]
    assert broken[0] == (5, reasons[0])
    assert [place for place, _ in broken] == [5, 6]


def test_quotes_escaped_by_a_backslash_are_found_out(tmp_path):
    path = written(
        tmp_path,
        r'''id,"the \"title\"",note
1,"say \"hi\", ok",\N
2,"ends in a backslash \\",C:\dir
3,"a line break
and \"quotes\"",""
4,"twice ""as well""",x
''',
    )
    good, broken = read(path)
    assert broken == []
    assert good == [
        (2, "1", 'say "hi", ok', r"\N"),
        (3, "2", "ends in a backslash \\", r"C:\dir"),
        (4, "3", 'a line break\nand "quotes"', None),
        (6, "4", 'twice "as well"', "x"),
    ]
    assert FileSource(path).rows().__next__().frame.columns == ["id", 'the "title"', "note"]


def test_a_backslash_is_a_letter_where_quotes_are_doubled(tmp_path):
    path = written(tmp_path, 'id,folder\n1,"C:\\dir\\"\n2,"a ""b"" \\\\ c"\n')
    assert read(path) == ([(2, "1", "C:\\dir\\"), (3, "2", 'a "b" \\\\ c')], [])


def test_the_escape_can_be_set_where_it_comes_too_late_to_be_found_out(tmp_path):
    rows = "".join(f"{n},a title that needs no quotes\n" for n in range(12_000))
    path = written(tmp_path, f'id,title\n{rows}x,"say \\"hi\\" twice"\n')
    _, [(place, reason)] = read(path)
    assert place == 12_002
    assert reason.endswith(r"(where \" stands for a quote, set format.escape)")
    good, broken = read(path, format=FormatSettings(escape="\\"))
    assert (good[-1], broken) == ((12_002, "x", 'say "hi" twice'), [])


def test_a_row_of_separators_is_blank(tmp_path):
    for text in ("id;title\n1;a\n;\n;\n", 'id;title\n1;"a"\n;\n;\n'):
        assert read(written(tmp_path, text)) == ([(2, "1", "a")], [])


MONITORS = ["sku,title,price", '1,"Monitor 24, black",100', "2,Keyboard,30", "3,Mouse,10"]


@pytest.mark.parametrize(
    "bad",
    [
        'x,"Monitor 27,200',  # opened and never closed
        'x,"Monitor 27"",200',  # closed by what is an escaped quote
        'x,"27" Monitor",200',  # quotes within, not doubled
        'x,"Monitor" 27,200',
    ],
)
@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_unbalanced_quote_costs_its_own_row(tmp_path, bad, at):
    lines = [*MONITORS[:at], bad, *MONITORS[at:]]
    good, broken = read(written(tmp_path, "\n".join(lines) + "\n"))
    assert [row[1] for row in good] == ["1", "2", "3"]
    assert [place for place, _ in broken] == [at + 1]


def test_a_quote_that_another_row_closes_by_chance_swallows_nothing_uncounted(tmp_path):
    lines = ["sku,title,price", '1,"Monitor 27,200', "2,Mouse,10", '3,Keyboard 9",30', "4,Pad,5"]
    good, broken = read(written(tmp_path, "\n".join(lines)))
    assert [row[1] for row in good] == ["2", "3", "4"]
    assert [place for place, _ in broken] == [2]


def test_no_row_is_lost_uncounted_in_a_large_file_with_open_quotes(tmp_path):
    count, bad = 60_000, {7, 20_000, 20_001, 59_999}
    lines = [f'{n},"{"y" * 60}{n}"{"" if n not in bad else "y"},1' for n in range(count)]
    lines = [line.replace('"y,', ",") for line in lines]
    good, broken = read(written(tmp_path, "\n".join(["sku,title,price", *lines])))
    assert [place - 2 for place, _ in broken] == sorted(bad)
    assert {int(row[1]) for row in good} == set(range(count)) - bad
    assert all(place == int(sku) + 2 for place, sku, *_ in good)


def test_a_description_of_many_lines_is_one_row(tmp_path):
    html = "<p>Spruce top; nylon strings.</p>\n\n<ul>\n<li>3/4, 4/4</li>\n</ul>"
    text = f'sku,title,price\n1,"{html}",169\n2,Ukulele,69\n'
    good, broken = read(written(tmp_path, text))
    assert (good, broken) == ([(2, "1", html, "169"), (7, "2", "Ukulele", "69")], [])


def test_a_line_without_end_is_never_held_in_memory(tmp_path):
    # 300 MB of blanks are 0.3 MB as gzip
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b"id,title\n1,a\n")
        for _ in range(60):
            stream.write(b" " * 5_000_000)
        stream.write(b"\n2,b\n")
    good, broken = read(path)
    assert good == [(2, "1", "a"), (4, "2", "b")]
    assert broken == [(3, "the line has more than 16,000,000 bytes")]


def test_quotes_between_tabs_may_be_marks_of_inches(tmp_path):
    titles = ('"Best" chair', 'Desk 27" wide', '"a ""b"" c"', '"x', "y")
    text = "id\ttitle\n" + "".join(f"{n}\t{title}\n" for n, title in enumerate(titles))
    good, broken = read(written(tmp_path, text, "a.tsv"))
    assert [row[2] for row in good] == ['"Best" chair', 'Desk 27" wide', 'a "b" c', '"x', "y"]
    assert broken == []


@pytest.mark.parametrize(
    "above", ["#TYPE System.Object\n", "# ----\n# All Web Site Data\n# ----\n\n"]
)
def test_comments_above_the_header_are_passed_over(tmp_path, above):
    path = written(tmp_path, f"{above}id;price\n1;2\n")
    good, _ = read(path, columns=("id", "price"))
    assert good == [(above.count("\n") + 2, "1", "2")]
    # where every column is read, it may be the name of one
    with pytest.raises(DataError):
        list(FileSource(written(tmp_path, "#\n", "b.csv"), columns=("id",)).rows())
    assert read(written(tmp_path, "#id;price\n1;2\n"), columns=("#id",))[0] == [(2, "1")]


def test_a_title_above_the_header_is_told(tmp_path):
    path = written(tmp_path, "Products of 2026,,\nid,title,price\n1,a,2\n")
    with pytest.raises(DataError) as caught:
        read(path, columns=("id", "title"))
    assert "line 1: does not name the columns, a line below does: id, title" in caught.value.message
    assert "remove the lines above it" in caught.value.hint


def test_a_file_without_rows_has_columns_all_the_same(tmp_path):
    path = written(tmp_path, "sku;name\n")
    settings = CatalogueSettings(path=path, id="id", text=("name",))
    source = FileSource(path, columns=settings.columns)
    with pytest.raises(DataError, match="has no column 'id'; it has name, sku"):
        list(read_items(source, settings, Problems()))


def test_a_carriage_return_within_a_line_is_told_in_words(tmp_path):
    _, [(place, reason)] = read(written(tmp_path, 'id,title\n1,"a"\n2,b\r3,c\n'))
    assert (place, reason) == (3, "a carriage return is within the line, outside of quotes")


def test_a_header_that_comes_again_is_no_row(tmp_path):
    path = written(tmp_path, 'sku,title\n1,a\n\ufeffsku,title\n2,b\n"sku","title"\n3,sku\n')
    settings = CatalogueSettings(path=path, id="sku")
    problems = Problems("stop")
    source = FileSource(path, columns=settings.columns)
    found = [item.item_id for batch in read_items(source, settings, problems) for item in batch]
    assert found == ["1", "2", "3"]
    assert problems.notes == ("a.csv: the header is repeated, first on line 3: skipped",)


def test_blanks_between_a_separator_and_a_quote(tmp_path):
    text = 'id, title, price\n1, "a, b", 5\n2, c, "6"\n3, "d ""e"", f", 7\n'
    good, broken = read(written(tmp_path, text))
    assert [row[1:] for row in good] == [
        ("1", "a, b", "5"),
        ("2", "c", "6"),
        ("3", 'd "e", f', "7"),
    ]
    assert broken == []
    # elsewhere a quote behind a blank is part of the text
    good, _ = read(written(tmp_path, 'id,title\n1, "Best" chair\n2,"a, b"\n'))
    assert [row[2] for row in good] == [' "Best" chair', "a, b"]
