"""``seealso status``: what is live, how good and how old it is, and what to do next."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seealso import api
from seealso.api.reporting import LiveStatus, SourceStatus, Status
from seealso.cli.main import main
from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.errors import BundleError, MappingMismatch, Unavailable
from seealso.fitting.lineage import Lineage
from tests.integration.catalogues import OpenShop, Record, Shop, films, write_lines
from tests.integration.test_fit import FILMS, choices, stocked


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop on the default version."""
    return stocked(open_shop, opensearch_latest)


def printed(
    shop: Shop, capsys: pytest.CaptureFixture[str], *options: str, **changes: Any
) -> dict[str, str]:
    """Return the rows of the table by name."""
    main(shop.arguments("status", *options, **changes))
    # what goes on in the next line begins with blanks
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    return dict(re.split(r" {2,}", line, maxsplit=1) for line in lines)


def live_of(found: Status) -> LiveStatus:
    assert isinstance(found.live, LiveStatus)
    return found.live


def source_of(found: Status) -> SourceStatus:
    assert isinstance(found.source, SourceStatus)
    return found.source


def test_from_nothing_to_a_fitted_index_and_back_to_nothing_to_do(
    open_shop: OpenShop, opensearch: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = stocked(open_shop, opensearch)
    before = printed(shop, capsys)
    assert before["live"] == f"nothing: no index of {shop.alias} was built yet"
    assert before["fitted"] == "nothing"
    assert before["next"] == "seealso build"
    built = api.build(shop.settings())
    assert built.fitted is not None
    capsys.readouterr()
    found = api.status(shop.settings())
    live = live_of(found)
    assert (live.index, live.documents) == (built.index.index, FILMS)
    assert (live.fingerprint, live.bundle) == (built.index.fingerprint, built.index.bundle)
    assert live.since is not None
    assert timedelta(0) <= datetime.now(UTC) - live.since < timedelta(minutes=10)
    assert isinstance(live.fit, Lineage)
    assert live.fit.dev == built.fitted.fitted.dev
    assert live.fit.at is not None
    assert isinstance(found.fitted, Lineage)
    assert found.fitted.events == len(choices())
    assert (found.behind, found.next) == ((), None)
    table = printed(shop, capsys)
    reached = list(built.fitted.fitted.dev.values())
    assert table["quality"] == (
        f"NDCG@10 on dev {reached[-1]:.4f}, by texts alone {reached[0]:.4f}"
    )
    assert table["behind"] == table["next"] == "nothing"
    main(shop.arguments("--json", "status"))
    told = json.loads(capsys.readouterr().out)
    assert told["live"]["index"] == built.index.index
    assert told["live"]["fit"]["dev"] == dict(built.fitted.fitted.dev)
    assert told["next"] is None


def test_an_index_by_texts_alone_though_events_suffice(shop: Shop) -> None:
    api.build_index(shop.settings())
    found = api.status(shop.settings())
    assert live_of(found).fit is None
    assert source_of(found).fit_due
    assert found.behind == ("events suffice to fit behaviour and texts, and nothing is fitted",)
    assert found.next == "seealso build"


def test_a_graph_that_finds_too_little_is_said(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    api.build_index(shop.settings())
    assert "graph" not in printed(shop, capsys)
    indices.put_meta(shop.cluster, str(shop.live), {"graph_recall": 0.11})
    assert printed(shop, capsys)["graph"] == "finds 11% of the best items, too few to rank"


def test_a_fit_that_is_newer_than_the_index(shop: Shop) -> None:
    api.build_index(shop.settings())
    api.fit(shop.settings())
    found = api.status(shop.settings())
    assert not source_of(found).fit_due
    (behind,) = found.behind
    assert behind.endswith("; a build would use fitted now")
    assert found.next == "seealso build"


def test_events_and_items_that_are_newer_than_the_index(shop: Shop) -> None:
    api.build(shop.settings())
    more: list[Record] = [
        {"user_id": f"new{number}", "item_id": f"f{number}", "second": 2_000_000 + number}
        for number in range(9)
    ]
    shop.stock(films(FILMS + 1), [*choices(), *more])
    # a row that cannot be used stops a build, and the command says so
    with shop.events.open("a", encoding="utf-8") as file:
        file.write('{"user_id": "u1"}\n')
    found = api.status(shop.settings())
    assert source_of(found).broken_rows == 1
    fit, items, events = found.behind
    assert fit == "fitted was fitted from other events, items or settings"
    assert items.startswith(f"the catalogue has {FILMS + 1:,} items, {shop.alias}-")
    assert events.startswith("there are events until 1970-01-24 03:33 UTC, importance counts those")
    assert found.next == "seealso build --on-error skip"


def test_too_few_events_are_nothing_to_do(open_shop: OpenShop, opensearch_latest: NodeInfo) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(FILMS))
    api.build(shop.settings())
    found = api.status(shop.settings())
    assert found.fitted is None
    assert source_of(found).notes == ("events do not suffice: there are no events to learn from",)
    assert (found.behind, found.next) == ((), None)


def test_a_dead_cluster_is_a_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    api.fit(shop.settings())
    with pytest.raises(SystemExit) as done:
        printed(shop, capsys, cluster={"url": "http://127.0.0.1:9"})
    assert done.value.code == Unavailable.exit_code
    lines = capsys.readouterr().out.splitlines()
    (cluster,) = [line for line in lines if line.startswith("cluster")]
    assert "127.0.0.1:9" in cluster
    (fitted,) = [line for line in lines if line.startswith("fitted")]
    assert "NDCG@10 on dev" in fitted
    assert lines[-1].split(maxsplit=1) == ["next", "seealso doctor"]


def test_a_missing_bundle_is_a_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    api.build_index(shop.settings())
    capsys.readouterr()
    empty = {"encoder": {"store": str(shop.folder / "elsewhere")}}
    found = api.status(shop.settings(**empty))
    assert isinstance(live_of(found).fit, BundleError)
    assert any(one.startswith("the bundle of ") for one in found.behind)
    assert found.next == "seealso build"
    assert printed(shop, capsys, **empty)["quality"].startswith("no bundle with fingerprint")
    typo = api.status(shop.settings(encoder={"bundle": "typo"}))
    assert isinstance(typo.model, BundleError)
    assert typo.next == "seealso doctor"


def test_files_that_cannot_be_read_are_a_line(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    api.build_index(shop.settings())
    capsys.readouterr()
    gone = printed(shop, capsys, catalogue={"path": str(shop.folder / "gone.jsonl")})
    assert "gone.jsonl" in gone["source"]
    assert gone["next"] == "seealso doctor"
    assert gone["live"].startswith(f"{shop.alias} -> ")


def test_somebody_elses_index_is_a_line(shop: Shop) -> None:
    name = f"{shop.alias}-theirs"
    shop.cluster.request("PUT", f"/{name}", {"aliases": {shop.alias: {}}})
    found = api.status(shop.settings())
    assert isinstance(found.live, MappingMismatch)
    assert found.next == "seealso doctor"
    shop.cluster.request("DELETE", f"/{name}")


def test_live_events_and_users(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEALSO_USERS_KEY", "a key that only this test knows, long enough")
    enabled = {"users": {"enabled": True}}
    built = api.build(shop.settings(**enabled))
    assert built.users is not None
    indices.delete(shop.cluster, built.users.index)
    without = api.status(shop.settings(**enabled))
    assert without.live_events is None
    assert without.behind == (f"{shop.alias}-users: no users index was built yet",)
    assert without.next == "seealso users build"
    api.build_users(shop.settings(**enabled))
    moments = [datetime.now(UTC) - timedelta(hours=hours) for hours in (2, 5)]
    log = write_lines(
        shop.folder / "log.jsonl",
        [
            {"user_id": "u1", "item_id": f"f{n}", "second": moment.timestamp()}
            for n, moment in enumerate(moments)
        ],
    )
    api.ingest_events(shop.settings(**enabled), log)
    capsys.readouterr()
    found = printed(shop, capsys, **enabled)
    assert found["live events"].startswith("2, the newest of ")
    assert found["live events"].endswith("(2 hours ago)")
    assert found["users"].startswith(f"{shop.alias}-users-")
    assert (found["behind"], found["next"]) == ("nothing", "nothing")
