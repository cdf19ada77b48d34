"""Ids that never meet: how many, which, and what they differ by."""

import pytest

from seealso.readers.matching import describe_unmatched

SHOP = [f"GAR-{n}" for n in range(501, 513)]


def test_all_are_there():
    assert describe_unmatched({"GAR-501": 3}, SHOP) is None
    assert describe_unmatched({}, SHOP) is None


def test_counts_rows_and_names_the_most_frequent():
    found = describe_unmatched({"GAR-501": 3, "x": 1, "b": 2, "a": 2, "z": 4}, SHOP)
    assert (found.rows, found.of, found.ids, found.share) == (9, 12, 4, 0.75)
    assert found.examples == ("z", "a", "b")
    assert found.cause is None
    assert str(found) == (
        "9 of 12 events name items that are not in the catalogue, such as 'z', 'a', 'b'"
    )


@pytest.mark.parametrize(
    ("write", "cause"),
    [
        (str.lower, "differs by case"),
        (lambda one: one.replace("-", "- "), "differs by blanks"),
        (lambda one: f"{one}.0", "ends in .0"),
        (lambda one: f"'{one}'", "differs by quotes or brackets around it"),
        (lambda one: one.replace("-", "_"), "differs by hyphens, dots or underscores"),
        (lambda one: f"{one}|{one}", "is a list of ids, which events.lists can separate"),
        (lambda one: f"['{one}', 'x']", "is a list of ids, which events.lists can separate"),
        (lambda one: f"sku:{one}", "has a prefix, 'sku:'"),
        (lambda one: f"{one}-de", "has a suffix, '-de'"),
        (lambda one: one.removeprefix("GAR-"), "lacks a prefix, 'GAR-'"),
    ],
)
def test_the_likely_cause(write, cause):
    found = describe_unmatched({write(one): 1 for one in SHOP}, SHOP)
    assert found.share == 1
    assert found.cause == cause
    assert found.pair == (write("GAR-501"), "GAR-501")
    assert str(found).endswith(
        f"; the likely cause: an id {cause} ({write('GAR-501')!r} is there as 'GAR-501')"
    )


def test_a_list_of_ids_is_cured_where_it_stands():
    found = describe_unmatched({"GAR-501,GAR-502": 1}, SHOP, lists="where each line names one")
    assert found.cause == "is a list of ids, where each line names one"


def test_leading_zeros_on_either_side():
    plain, padded = [str(n) for n in range(7, 99)], [f"{n:06}" for n in range(7, 99)]
    for named, known in ((plain, padded), (padded, plain)):
        assert (
            describe_unmatched(dict.fromkeys(named, 1), known).cause == "differs by leading zeros"
        )


def test_accents_that_are_encoded_in_two_ways():
    assert describe_unmatched({"cafe\u0301": 1}, ["caf\u00e9"]).cause == (
        "differs by how accents are encoded"
    )


def test_a_cause_of_few_is_none():
    named = {**{one.lower(): 1 for one in SHOP[:3]}, **{f"other {n}": 1 for n in range(9)}}
    assert describe_unmatched(named, SHOP).cause is None


def test_users_stay_unnamed():
    found = describe_unmatched({"Ann": 1}, ["ann"], row="rows", id="users", place="the events")
    assert str(found.without_ids()) == (
        "1 of 1 rows name users that are not in the events; the likely cause: an id differs by case"
    )


def test_the_cause_is_told_by_what_is_named_most():
    known = [f"SKU-{n:06}" for n in range(100_000)]
    found = describe_unmatched({one.lower(): 1 for one in known}, known)
    assert (found.ids, found.cause) == (100_000, "differs by case")
