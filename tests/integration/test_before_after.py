"""Before and after: two evaluations of the same users, through a real index, user by user."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seealso.cli.main import main
from seealso.cluster.node import NodeInfo
from seealso.encoder import Bundle
from seealso.errors import DataError
from seealso.evaluation.report import FIGURES, REPORT
from tests.integration.catalogues import OpenShop, Shop, films
from tests.integration.test_evaluate import FILMS, behaviour

ASKED = ("evaluate", "--no-baselines", "--by", "kind")


def stocked(open_shop: OpenShop, node: NodeInfo) -> Shop:
    made = open_shop(node.url, events={"time": "second"}, recommend={"tail_share": 0.0})
    made.stock(films(FILMS), behaviour())
    return made


@pytest.fixture
def shop(open_shop: OpenShop, opensearch_latest: NodeInfo) -> Shop:
    """A shop on the default version."""
    return stocked(open_shop, opensearch_latest)


def evaluated(shop: Shop, out: Path, *options: str, **changes: Any) -> dict[str, Any]:
    """Return what ``seealso evaluate`` wrote to the folder `out`."""
    main(shop.arguments(*ASKED, *options, "--out", str(out), **changes))
    found: dict[str, Any] = json.loads((out / FIGURES).read_bytes())
    return found


def ranks(protocol: dict[str, Any]) -> np.ndarray[Any, Any]:
    return np.array(protocol["answers"][0]["ranks"].split(), dtype=int)


def test_users_are_compared_with_what_they_got_before(
    open_shop: OpenShop, opensearch: NodeInfo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = stocked(open_shop, opensearch)
    before = evaluated(shop, tmp_path / "old")
    file = tmp_path / "old" / FIGURES
    after = evaluated(shop, tmp_path / "new", "--before", str(file), profile={"recency": 0.3})
    assert "seealso, before and after" in capsys.readouterr().out
    assert after["changed"] == {"recency": ["0.8", "0.3"]}
    assert before["changed"] == {}
    (old,), (new,) = before["protocols"], after["protocols"]
    (change,) = new["changes"]
    assert old["signature"] == new["signature"]
    both = [ranks(old), ranks(new)]
    # whoever is not shown stands below everybody who is
    gains = [np.where(one > 0, 1 / np.log2(np.maximum(one, 1) + 1), 0) for one in both]
    top = [np.where(one <= 10, gain, 0) for one, gain in zip(both, gains, strict=True)]
    whole = change["moves"][0]
    assert whole["before"]["ndcg@10"] == pytest.approx(top[0].mean())
    assert whole["after"]["ndcg@10"] == pytest.approx(top[1].mean())
    difference = whole["differences"]["ndcg@10"]
    assert difference["mean"] == pytest.approx((top[1] - top[0]).mean())
    assert difference["low"] <= difference["mean"] <= difference["high"]
    assert whole["gained"] == (gains[1] > gains[0]).sum() > 0
    assert whole["lost"] == (gains[1] < gains[0]).sum() > 0
    # the figures of each part are those of the tables of both evaluations
    for protocol, side in ((old, "before"), (new, "after")):
        told = {one["part"]: one for one in protocol["scores"] if one["system"] == "seealso"}
        assert [move["part"] for move in change["moves"]] == list(told)
        for move in change["moves"]:
            own = told[move["part"]]
            assert move["users"] == own["users"]
            assert move[side]["hr@20"] == pytest.approx(own["metrics"]["hr@20"]["mean"])
    parts = {move["part"]: move["users"] for move in change["moves"]}
    assert parts["all"] == 40
    assert sum(users for part, users in parts.items() if part.startswith("kind: ")) == 40
    beyond = change["beyond_accuracy"]
    assert {"coverage", "novelty", "calibration error", "places, tail"} <= set(beyond)
    assert beyond["coverage"][0] == pytest.approx(old["beyond_accuracy"][0]["coverage"])


def test_two_bundles_of_one_name_are_told_apart(shop: Shop, tiny: Bundle, tmp_path: Path) -> None:
    evaluated(shop, tmp_path / "old")
    folder = tmp_path / "store" / tiny.name
    shutil.copytree(tiny.folder, folder)
    other = replace(tiny, folder=folder, item_prefix="film: ").write()
    file = tmp_path / "old" / FIGURES
    encoder = {"bundle": str(folder)}
    after = evaluated(shop, tmp_path / "new", "--before", str(file), encoder=encoder)
    assert after["changed"] == {"fingerprint": [tiny.fingerprint, other.fingerprint]}
    page = (tmp_path / "new" / REPORT).read_text("utf-8")
    assert page.index(tiny.fingerprint) < page.index(other.fingerprint)
    assert "after minus before (95 %)" in page


def test_the_lists_that_changed_most_stand_side_by_side(shop: Shop, tmp_path: Path) -> None:
    before = evaluated(shop, tmp_path / "old")
    file = tmp_path / "old" / FIGURES
    after = evaluated(shop, tmp_path / "new", "--before", str(file), profile={"recency": 0.1})
    (change,) = after["protocols"][0]["changes"]
    own = [
        [set(one.split()) for one in each["protocols"][0]["answers"][0]["lists"]]
        for each in (before, after)
    ]
    kept = [len(one & other) for one, other in zip(*own, strict=True)]
    assert change["overlap"] == pytest.approx(np.mean(kept) / 10)
    lists = [one["lists"] for one in change["contrasts"]]
    overlaps = [len({*one["before"]} & {*one["after"]}) for one in lists]
    assert overlaps[:6] == sorted(kept)[:6]
    moved = zip(change["contrasts"][6:], lists[6:], strict=True)
    assert all(one["target"] in {*own["before"], *own["after"]} for one, own in moved)
    page = (tmp_path / "new" / REPORT).read_text("utf-8")
    assert "Lists before and after" in page


def test_nothing_changes_where_nothing_was_changed(shop: Shop, tmp_path: Path) -> None:
    evaluated(shop, tmp_path)
    # its own file is read before it is replaced
    after = evaluated(shop, tmp_path, "--before", str(tmp_path / FIGURES))
    (change,) = after["protocols"][0]["changes"]
    assert (change["overlap"], change["p"], change["contrasts"]) == (1.0, 1.0, [])
    assert {one["differences"]["ndcg@10"]["high"] for one in change["moves"]} == {0.0}
    assert change["moves"][0]["gained"] == change["moves"][0]["lost"] == 0
    assert after["changed"] == {}


def test_what_cannot_be_compared_is_refused_in_one_line_before_anybody_is_asked(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(shop, tmp_path / "old")
    file = tmp_path / "old" / FIGURES
    damaged = tmp_path / "damaged.json"

    def refused(*options: str, given: Path = file) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main(shop.arguments(*ASKED, "--before", str(given), *options))
        assert stopped.value.code == DataError.exit_code
        told = capsys.readouterr().err
        assert "Traceback" not in told
        return " ".join(told.split())

    assert "has dev in that evaluation, and test now" in refused("--test")
    assert "leave-one-out has other users" in refused("--users", "12")
    assert "cold is not in that evaluation (it has: leave-one-out)" in refused("--protocol", "cold")
    assert "cannot be read: No such file" in refused(given=tmp_path / "none.json")
    damaged.write_text("[1, 2]", encoding="utf-8")
    assert "not an evaluation" in refused(given=damaged)
    told = json.loads(file.read_bytes())
    (protocol,) = told["protocols"]
    protocol["answers"][0]["ranks"] += " 3"
    damaged.write_text(json.dumps(told), encoding="utf-8")
    assert "the answers of seealso in leave-one-out are damaged" in refused(given=damaged)
    protocol["answers"] = []
    damaged.write_text(json.dumps(told), encoding="utf-8")
    assert "leave-one-out has no index" in refused(given=damaged)
    del protocol["answers"], protocol["signature"]
    damaged.write_text(json.dumps(told), encoding="utf-8")
    assert "an older version wrote it" in refused(given=damaged)
    shop.stock(films(FILMS), behaviour(39))
    assert "leave-one-out has other users" in refused()
    with pytest.raises(SystemExit) as stopped:
        main(shop.arguments("evaluate", "--before", str(file), "--no-index"))
    assert stopped.value.code == 2
    assert "--before compares the index" in capsys.readouterr().err
