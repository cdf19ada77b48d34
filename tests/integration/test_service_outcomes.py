"""What came of lists, on /metrics: from the rows of UBI and the events that name them."""

import pytest
from fastapi.testclient import TestClient

from seealso.cluster import indices
from seealso.plugin import Recommender
from tests.integration.catalogues import Shop
from tests.integration.services import age, answered
from tests.members import FILMS

NAMED = ("lists_measured", "click_through", "coverage", "tail_share", "calibration")


def measured(client: TestClient) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    numbers = dict(one.rsplit(" ", 1) for one in lines if not one.startswith("#"))
    return {
        name: float(numbers[f"seealso_{name}"]) for name in NAMED if f"seealso_{name}" in numbers
    }


def test_what_came_of_lists(caller: TestClient, writer: Recommender, served: Shop) -> None:
    assert measured(caller) == {}
    lists = [
        answered(caller.post("/v1/recommend", json={"user": f"ann-{number}", "size": 4}))
        for number in range(4)
    ]
    lists.append(answered(caller.post("/v1/group", json={"members": ["ann-1", "ann-2"]})))
    first, second = ([one["item_id"] for one in found["items"]] for found in lists[:2])
    elsewhere = next(f"f{n}" for n in range(FILMS) if f"f{n}" not in second)
    events = [
        {"user": "ann-0", "item": item, "query_id": lists[0]["query_id"]} for item in first[:2]
    ]
    # an item that the list does not have did not come of it
    events += [{"user": "ann-1", "item": elsewhere, "query_id": lists[1]["query_id"]}]
    assert answered(caller.post("/v1/events", json={"events": events}))["written"] == 3
    # rows are written in the background, and the newest lists may still get their events
    assert writer._ubi is not None
    writer._ubi.flush()
    assert measured(caller) == {}
    age(served)
    found = measured(caller)
    places = [one for each in lists for one in each["items"]]
    expected = sum(one["probability"] for each in lists[:4] for one in each["items"])
    assert found == {
        "lists_measured": 5,
        "click_through": pytest.approx(1 / 5),
        "coverage": pytest.approx(len({one["item_id"] for one in places}) / FILMS),
        "tail_share": pytest.approx(sum(one["tail"] for one in places) / len(places)),
        "calibration": pytest.approx(1 / expected, rel=1e-3),
    }


def test_where_opensearch_does_not_say_there_are_no_numbers(
    caller: TestClient, served: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    # somebody's own index, which has no times to sort by
    indices.create(served.cluster, f"{served.alias}-lists", {"mappings": {"dynamic": False}})
    assert measured(caller) == {}
    assert "seealso_index_age_seconds" in caller.get("/metrics").text
    assert "what came of lists is not known" in caplog.text
