"""On a narrow terminal, too, every number and every name is there whole."""

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from seealso.cli import tables
from seealso.cli.doctor import describe_findings
from seealso.cli.findings import figures
from seealso.evaluation.report.tables import Row
from seealso.evaluation.report.tables import Table as Figures
from seealso.plugin import Recommendation, RecommendationList
from seealso.plugin.doctor import Finding
from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.explanations.shares import Kind, Share
from seealso.plugin.neighbours import Neighbour, NeighbourList
from seealso.types import Path, Source

WIDTHS = (40, 60, 80, 120)

INDEX = "films-20261130-222318-104123"

NAMES = (INDEX, "films-20261130-222318-204123")

TITLE = "The Adventures of a Long Title That Goes On and On, and Then Some More of It"

UUID = "4f1c2d3e-5a6b-4c7d-8e9f-0a1b2c3d4e5f"

INTERVAL = "0.0412 (0.0391 to 0.0433)"


def drawn(what: RenderableType, width: int) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(tables.Trimmed(what), end="")
    shown = capture.get()
    assert all(cell_len(line) <= width for line in shown.splitlines())
    return shown


def is_whole(name: str, shown: str) -> bool:
    """Return whether a name is there, in one line or in the next ones below its beginning."""
    lines = shown.splitlines()
    below = (
        "".join(line[start:].split(" ")[0] for line in lines)
        for start in range(max(map(len, lines)))
    )
    return any(name in column for column in below)


def indices() -> RenderableType:
    lines = [
        (NAMES[0], "ready", True, 9742, "12.3 MB", "multilingual-minilm", "0123456789ab"),
        (NAMES[1], "rejected", False, 1234567, "1.4 GB", f"fitted-{NAMES[1]}", "123456789abc"),
    ]
    columns = ["index", "state", "live", "documents", "size", "bundle", "fingerprint"]
    return tables.rows(columns, lines, numbers="documents size")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_names_of_indices_can_be_read(width: int) -> None:
    shown = drawn(indices(), width)
    assert "…" not in shown
    names = (*NAMES, "multilingual-minilm", f"fitted-{NAMES[1]}", "0123456789ab", "rejected")
    assert [name for name in names if not is_whole(name, shown)] == []
    for number in ("9,742", "1,234,567", "12.3 MB", "1.4 GB"):
        assert number in shown


def test_what_has_room_stays_one_line_a_row() -> None:
    assert len(drawn(indices(), 160).splitlines()) == 3


def test_what_has_no_room_at_all_is_a_block_for_each_row() -> None:
    lines = drawn(indices(), 50).splitlines()
    assert lines[0].split() == ["index", NAMES[0]]
    assert lines[7] == ""
    assert lines[8].split() == ["index", NAMES[1]]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_figures_of_an_evaluation_are_whole(width: int) -> None:
    columns = ("system", "HR@10", "NDCG@10 (95 %)", "fitted minus it (95 %)", "p", "coverage")
    rows = tuple(
        Row((name, "0.1034", INTERVAL, "+0.0021 (-0.0003 to +0.0042)", "0.0640", "0.312"))
        for name in ("fitted", "most popular of the last month")
    )
    shown = drawn(figures(Figures(columns, rows)), width)
    assert "…" not in shown
    for figure in ("0.1034", INTERVAL, "+0.0021 (-0.0003 to +0.0042)", "0.0640", "0.312"):
        # an interval may go on in the next line, at its blanks
        assert set(figure.split()) <= set(shown.split())
        assert " " in figure or shown.split().count(figure) == 2


@pytest.mark.parametrize("width", WIDTHS)
def test_of_a_list_the_titles_alone_are_shortened(width: int) -> None:
    items = tuple(
        Recommendation(
            item_id, 0.7311, 1.0, 2.0, Source.CO_OCCURRENCE, 1.5, False, {"title": TITLE}
        )
        for item_id in ("i1", UUID)
    )
    found = RecommendationList(items, "u1", Path.EXACT, INDEX, "abc")
    shown = drawn(found.table("title", "For you"), width)
    assert shown.startswith("For you\n")
    assert is_whole(UUID, shown)
    for value in ("0.731", "1.50", Source.CO_OCCURRENCE.value):
        assert shown.split().count(value) == 2
    assert "The Adventu" in shown


@pytest.mark.parametrize("width", WIDTHS)
def test_the_reasons_for_an_item_are_whole(width: int) -> None:
    shares = (
        Share(Kind.EVENT, 0.3123, UUID, 0.8012),
        Share(Kind.IMPORTANCE, 0.1),
        Share(Kind.EVENT, -0.05, "i2", -0.1),
    )
    found = Explanation(
        "u", "i9", {"title": "A title"}, 0.6, 0.3623, 1.5, shares, (),
        Path.EXACT, ("exact",), INDEX, "f", {UUID: TITLE},
    )  # fmt: skip
    shown = drawn(found.table("title"), width)
    numbers = ("+0.3123", "0.801", "+0.1000", "1.50", "-0.0500", "-0.100", "0.3623", "0.600")
    assert [one for one in numbers if one not in shown.split()] == []
    assert is_whole(UUID, shown)
    assert "importance" in shown


@pytest.mark.parametrize("width", WIDTHS)
def test_neighbours_and_what_they_chose_are_whole(width: int) -> None:
    found = NeighbourList((Neighbour("0123456789abcdef", 0.912, (UUID, "i2"), 3),), None, INDEX)
    shown = drawn(found.table(), width)
    assert {"0.912", "3"} <= set(shown.split())
    assert is_whole("0123456789ab", shown)
    assert is_whole(UUID, shown)


@pytest.mark.parametrize("width", [20, *WIDTHS])
def test_facts_and_findings_cut_no_name(width: int) -> None:
    shown = drawn(tables.facts({"index": INDEX, "documents": 1234567}), width)
    assert is_whole(INDEX, shown)
    assert "1,234,567" in shown
    findings = [Finding("index", True, INDEX), Finding("graph", False, INDEX, f"look at {INDEX}")]
    shown = drawn(describe_findings(findings), width)
    assert "…" not in shown
    assert is_whole(INDEX, shown)
