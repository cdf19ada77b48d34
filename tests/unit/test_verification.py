"""What is said of the graph of an index after its verification."""

from seealso.indexer.verification import Verification


def found(recall: float | None, user_recall: float | None) -> Verification:
    return Verification("films", 30_000, 32, 1.0, recall, 1600, user_recall, 400)


def test_one_line_says_what_the_graph_finds_and_how_thoroughly_it_is_asked() -> None:
    assert found(0.99, 0.98).summary == (
        "30,000 documents, cosine >= 1.0000, graph recall 0.99 (ef_search 1600), "
        "for users 0.98 (ef_search 400)"
    )
    assert found(0.99, None).summary.endswith("graph recall 0.99 (ef_search 1600)")


def test_the_lists_that_are_ranked_exactly_are_named() -> None:
    assert found(0.99, 0.98).notes == ()
    (related,) = found(0.5, 0.98).notes
    assert related.startswith(
        "the graph finds 50% of the items nearest to an item or to words, so related"
    )
    for for_items in (0.5, 0.99):
        (every,) = found(for_items, 0.6).notes
        assert every.startswith("the graph finds 60% of the best items, so every list is ranked")
