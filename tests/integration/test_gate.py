"""The gate of a build: what ranks worse than the live index, beyond chance, does not go live.

Each user watches films of one kind, so a text that tells the kind foretells what comes next, and
one that does not foretells nothing.
"""

import json
import shutil
from math import log2
from random import Random
from typing import Any

import pytest

from seealso.cli.main import main
from seealso.cluster import indices
from seealso.cluster.node import NodeInfo
from seealso.datasets.splits import leave_one_out
from seealso.errors import BundleError, DataError, NotBetter
from seealso.indexer import lifecycle
from seealso.indexer.build import build
from seealso.indexer.build_report import BuildReport
from seealso.judging.gate import Gate, Verdict
from seealso.plugin import Recommender
from tests.integration.catalogues import KINDS, OpenShop, Record, Shop, films

FILMS = 120
USERS = 40
TELLING = {"text": {"item": "{{ kind }}, {{ kind }}, {{ kind }}: {{ title }}"}}
SILENT = {"text": {"item": "{{ price }}"}}


def behaviour(seed: int = 3) -> list[Record]:
    """Return what users watched: eight films of one kind each."""
    rng = Random(seed)
    return [
        {"user_id": f"u{user}", "item_id": f"f{place}", "second": 1000 * day + user}
        for user in range(USERS)
        for day, place in enumerate(rng.sample(range(user % len(KINDS), FILMS, len(KINDS)), 8))
    ]


def stocked(open_shop: OpenShop, node: NodeInfo, **sections: dict[str, Any]) -> Shop:
    given = {"importance": {"floor": 1.0, "ceiling": 1.0}, "recommend": {"tail_share": 0.0}}
    made = open_shop(node.url, events={"time": "second"}, **given | sections)
    made.stock(films(FILMS), behaviour())
    return made


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop on the default version."""
    return stocked(open_shop, opensearch_latest)


def gate_of(shop: Shop, split: str = "dev", **changes: Any) -> Gate:
    settings = shop.settings(**changes)
    found = Gate.set_up(shop.cluster, settings, shop.inputs(settings), split=split)
    assert found is not None
    return found


def gated(shop: Shop, *, swap: bool = True, **changes: Any) -> BuildReport:
    """Build as ``seealso index build --gate`` does."""
    settings = shop.settings(**changes)
    judge = gate_of(shop, **changes).judge
    return build(shop.cluster, settings, shop.inputs(settings), swap=swap, judge=judge)


def verdict_of(report: BuildReport) -> Verdict:
    assert isinstance(report.verdict, Verdict)
    return report.verdict


def states(shop: Shop) -> dict[str, str]:
    return {one.name: one.state for one in indices.list_indices(shop.cluster, shop.alias)}


def test_a_text_that_says_nothing_is_refused(open_shop: OpenShop, opensearch: NodeInfo) -> None:
    shop = stocked(open_shop, opensearch)
    live = shop.build(**TELLING).index
    with pytest.raises(NotBetter, match=r"it ranks worse than .* -0\.\d{4} \(-0\.") as refused:
        gated(shop, **SILENT)
    assert shop.live == live
    verdict = refused.value.context["verdict"]
    assert isinstance(verdict, Verdict)
    assert (verdict.live, verdict.users, verdict.split) == (live, USERS, "dev")
    assert verdict.difference.high < 0
    assert verdict.after - verdict.before == pytest.approx(verdict.difference.mean)
    assert verdict.lost > verdict.gained
    # it stays, and a person may take it all the same
    assert states(shop) == {live: "ready", verdict.new: "ready"}
    assert f"seealso index swap {verdict.new}" in str(refused.value.hint)
    lifecycle.swap(shop.cluster, shop.alias, verdict.new)
    assert shop.live == verdict.new


def test_a_better_text_and_the_same_text_go_live(open_shop: OpenShop, opensearch: NodeInfo) -> None:
    shop = stocked(open_shop, opensearch)
    first = shop.build(**SILENT).index
    better = gated(shop, **TELLING)
    verdict = verdict_of(better)
    assert (better.swapped, shop.live) == (True, better.index)
    assert (verdict.live, verdict.new) == (first, better.index)
    assert verdict.difference.low > 0
    same = gated(shop, **TELLING)
    assert shop.live == same.index
    assert verdict_of(same).difference.mean == pytest.approx(0, abs=1e-9)
    assert verdict_of(same).before == pytest.approx(verdict.after)


def test_a_figure_is_that_of_the_lists_that_users_get(shop: Shop) -> None:
    live = shop.build(**TELLING).index
    new = shop.build(swap=False, **SILENT).index
    split = leave_one_out(shop.inputs().events(), positive=None)
    cases = {"dev": split.dev, "test": split.test}
    for asked, own in cases.items():
        expected = []
        for name in (live, new):
            recommender = Recommender(shop.cluster, shop.settings(), index=name)
            places = []
            for case in own:
                found = recommender.recommend(history=list(case.history), size=10)
                shown = [item.item_id for item in found]
                place = shown.index(case.target) + 2 if case.target in shown else None
                places.append(0.0 if place is None else 1 / log2(place))
            expected.append(sum(places) / len(places))
        with pytest.raises(NotBetter) as refused:
            gate_of(shop, asked).judge(live, new)
        verdict = refused.value.context["verdict"]
        assert isinstance(verdict, Verdict)
        assert [verdict.before, verdict.after] == pytest.approx(expected)
        assert verdict.split == asked


def test_items_that_lose_their_text_count_against_the_new_index(shop: Shop) -> None:
    live = shop.build(**TELLING).index
    some = "{% if price > 20 %}" + TELLING["text"]["item"] + "{% endif %}"
    with pytest.raises(NotBetter, match=f"of {USERS} dev users"):
        gated(shop, text={"item": some})
    assert shop.live == live


def test_importance_that_harms_is_refused(
    open_shop: OpenShop, opensearch: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = stocked(open_shop, opensearch)
    shop.sections |= TELLING
    # vectors that are not whitened are all alike: any strong importance outweighs them
    alike = {"encoder": {"whiten": False}}
    live = shop.build(**alike).index
    harmful = {"kind": "expression", "expression": "price", "floor": 0.01, "ceiling": 50.0}
    with pytest.raises(SystemExit) as stopped:
        main(shop.arguments("index", "build", "--gate", "--json", importance=harmful, **alike))
    assert stopped.value.code == NotBetter.exit_code == 9
    told = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert told["error"] == "NotBetter"
    assert told["context"]["verdict"]["users"] == USERS
    assert told["context"]["verdict"]["difference"]["high"] < 0
    assert shop.live == live


def test_the_command_says_what_the_gate_found(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.sections |= TELLING
    main(shop.arguments("index", "build", "--gate"))
    assert "nothing was live: there is nothing to compare with" in capsys.readouterr().out
    live = shop.live
    main(shop.arguments("index", "build", "--gate", "--dry-run"))
    printed = " ".join(capsys.readouterr().out.split())
    assert f"would compare with {live} on {USERS} dev users" in printed
    assert shop.names == [live]
    main(shop.arguments("index", "build", "--gate", "--test", "--no-swap"))
    shown = " ".join(capsys.readouterr().out.split())
    assert f"+0.0000 (+0.0000 to +0.0000); of {USERS} test users 0 gain and 0 lose" in shown
    assert shop.live == live
    assert len(shop.names) == 2


def test_what_ranks_alike_is_judged_and_left_beside_if_so_wanted(shop: Shop) -> None:
    live = shop.build(**TELLING).index
    report = gated(shop, swap=False, **TELLING)
    assert not report.swapped
    assert verdict_of(report).new == report.index
    assert shop.live == live


def test_without_a_live_index_nobody_needs_to_be_asked(
    open_shop: OpenShop, opensearch_latest: NodeInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = open_shop(opensearch_latest.url)
    shop.stock(films(20))
    main(shop.arguments("index", "build", "--gate"))
    assert "nothing to compare with" in capsys.readouterr().out
    # now something is live, and there is no behaviour to ask about: said before it is built
    with pytest.raises(DataError):
        gate_of(shop)
    with pytest.raises(SystemExit) as stopped:
        main(shop.arguments("index", "build", "--gate"))
    assert stopped.value.code == DataError.exit_code
    assert len(shop.names) == 1


def test_no_more_users_are_asked_than_the_settings_allow(shop: Shop) -> None:
    shop.build(**TELLING)
    allowed = {"training": {"dev_users": 11}}
    assert len(gate_of(shop, **allowed).questions) == 11
    assert len(gate_of(shop, "test", **allowed).questions) == 11


def test_a_live_index_without_its_bundle_is_found_out_before_the_build(shop: Shop) -> None:
    shop.build(**TELLING)
    shutil.rmtree(shop.settings().encoder.store)
    with pytest.raises(BundleError):
        gate_of(shop)


def test_test_belongs_to_the_gate(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(shop.arguments("index", "build", "--test"))
    assert stopped.value.code == 2
    assert "--test belongs to --gate" in capsys.readouterr().err
    assert shop.names == []


def test_a_model_that_was_fine_tuned_on_other_events_is_named(shop: Shop) -> None:
    live = shop.build(**TELLING).index
    report = gated(shop, swap=False, **TELLING)
    assert verdict_of(report).notes == ()
    for file in shop.settings().encoder.store.glob("*/bundle.json"):
        recorded = json.loads(file.read_text())
        recorded["origin"]["training"] = {"data": "other"}
        file.write_text(json.dumps(recorded))
    (note,) = gate_of(shop).judge(live, report.index).notes
    assert "was fine-tuned on other events or texts: it may have learnt the answers" in note
