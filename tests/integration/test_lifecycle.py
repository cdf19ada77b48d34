"""Swap, rollback and prune: the alias points to one whole index at every moment."""

import re

import orjson
import pytest

from seealso import api
from seealso.cli.main import main
from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.errors import ClusterError, MappingMismatch
from seealso.indexer import lifecycle
from seealso.indexer.lifecycle import build_lock
from seealso.indexer.live import live_index
from tests.integration.catalogues import OpenShop, Shop, films
from tests.integration.gateways import Refusal, Request, gateway


@pytest.fixture
def shop(opensearch: NodeInfo, open_shop: OpenShop) -> Shop:
    shop = open_shop(opensearch.url)
    shop.stock(films(30))
    return shop


def half_built(shop: Shop) -> str:
    name = indices.new_name(shop.alias)
    own = {"alias": shop.alias, "state": "building", "fingerprint": "0"}
    indices.create(shop.cluster, name, {"mappings": {"_meta": {"seealso": own}}})
    return name


def test_rollback_is_one_move_and_back(shop: Shop) -> None:
    first, second, third = (shop.build().index for _ in range(3))
    cluster, alias = shop.cluster, shop.alias
    planned = lifecycle.plan_rollback(cluster, alias)
    assert shop.live == third
    assert lifecycle.rollback(cluster, alias) == planned
    assert planned == lifecycle.AliasMove(alias, third, second)
    assert indices.resolve_alias(cluster, alias) == [second]
    assert lifecycle.rollback(cluster, alias).after == first
    with pytest.raises(ClusterError, match="no older index to go back to"):
        lifecycle.rollback(cluster, alias)
    assert shop.live == first
    moved = lifecycle.swap(cluster, alias, third)
    assert (moved.before, moved.after, shop.live) == (first, third, third)
    # the documents of the others are still there
    assert [one.documents for one in indices.list_indices(cluster, alias)] == [30, 30, 30]


def test_a_removed_alias_is_said_and_how_it_comes_back(shop: Shop) -> None:
    shop.build()
    newest = shop.build().index
    indices.act_on_aliases(shop.cluster, [{"remove": {"index": newest, "alias": shop.alias}}])
    with pytest.raises(ClusterError, match=f"alias, but its index {newest} is ready") as refused:
        live_index(shop.cluster, shop.settings())
    assert refused.value.hint == f"`seealso index swap {newest}` lets the alias point to it"
    told = api.status(shop.settings())
    assert isinstance(told.live, ClusterError)
    assert told.next == "seealso doctor"
    lifecycle.swap(shop.cluster, shop.alias, newest)
    assert live_index(shop.cluster, shop.settings()).name == newest


def test_rollback_does_not_return_to_what_it_left(shop: Shop) -> None:
    good, bad = shop.build().index, shop.build().index
    cluster, alias = shop.cluster, shop.alias
    assert lifecycle.rollback(cluster, alias).after == good
    better = shop.build().index
    assert lifecycle.rollback(cluster, alias) == lifecycle.AliasMove(alias, better, good)
    with pytest.raises(ClusterError, match="no older index to go back to"):
        lifecycle.rollback(cluster, alias)
    # who takes it by hand has mended it
    lifecycle.swap(cluster, alias, bad)
    assert lifecycle.rollback(cluster, alias).after == good


def test_rollback_goes_by_when_an_index_was_live(shop: Shop) -> None:
    """Not by when it was built, and not to what nobody has ever been served from."""
    first, second = shop.build().index, shop.build().index
    waiting = shop.build(swap=False).index
    cluster, alias = shop.cluster, shop.alias
    lifecycle.swap(cluster, alias, first)
    assert lifecycle.plan_rollback(cluster, alias).after == second
    lifecycle.swap(cluster, alias, waiting)
    assert lifecycle.rollback(cluster, alias).after == first
    indices.delete(cluster, second)
    with pytest.raises(ClusterError, match="no older index to go back to"):
        lifecycle.rollback(cluster, alias)


def test_rollback_passes_over_what_is_not_ready(shop: Shop) -> None:
    first = shop.build().index
    half_built(shop)
    other = half_built(shop)
    indices.put_meta(shop.cluster, other, {"state": "rejected"})
    second = shop.build(swap=False).index
    lifecycle.swap(shop.cluster, shop.alias, second)
    assert lifecycle.rollback(shop.cluster, shop.alias).after == first


def test_a_half_built_index_is_never_swapped_in(shop: Shop) -> None:
    first = shop.build().index
    half = half_built(shop)
    with pytest.raises(MappingMismatch, match=f"{half}: is building, not ready"):
        lifecycle.swap(shop.cluster, shop.alias, half)
    indices.put_meta(shop.cluster, half, {"state": "rejected"})
    with pytest.raises(MappingMismatch, match="is rejected, not ready"):
        lifecycle.swap(shop.cluster, shop.alias, half)
    assert shop.live == first


def test_unknown_and_foreign_indices(shop: Shop) -> None:
    first = shop.build().index
    with pytest.raises(ClusterError, match="no index of alias") as caught:
        lifecycle.swap(shop.cluster, shop.alias, "nothing")
    assert first in str(caught.value.hint)
    foreign = f"{shop.alias}-foreign"
    indices.create(shop.cluster, foreign, {})
    assert shop.names == [first]
    with pytest.raises(ClusterError, match="no index of alias"):
        lifecycle.swap(shop.cluster, shop.alias, foreign)
    with pytest.raises(MappingMismatch, match="not an index of seealso"):
        indices.meta(shop.cluster, foreign)
    assert lifecycle.prune(shop.cluster, shop.alias, 1) == []
    assert shop.cluster.exists(f"/{foreign}")
    indices.delete(shop.cluster, foreign)


def test_an_alias_with_the_same_beginning_is_another(
    shop: Shop, opensearch: NodeInfo, open_shop: OpenShop
) -> None:
    first = shop.build().index
    longer = open_shop(opensearch.url)
    longer.alias = f"{shop.alias}-long"
    longer.stock(films(30))
    second = longer.build().index
    assert (shop.names, longer.names) == ([first], [second])


def test_prune_keeps_the_live_one_and_the_newest(shop: Shop) -> None:
    names = [shop.build().index for _ in range(4)]
    half = half_built(shop)
    cluster, alias = shop.cluster, shop.alias
    lifecycle.swap(cluster, alias, names[0])
    doomed = lifecycle.find_prunable(cluster, alias, 2)
    assert [one.name for one in doomed] == [names[1], names[2], half]
    assert shop.names == [*names, half]
    lifecycle.prune(cluster, alias, 2)
    assert shop.names == [names[0], names[3]]
    lifecycle.prune(cluster, alias, 1)
    assert shop.names == [names[0]]
    assert shop.live == names[0]


def test_prune_keeps_what_a_rollback_needs(shop: Shop) -> None:
    first, second, third = (shop.build().index for _ in range(3))
    cluster, alias = shop.cluster, shop.alias
    lifecycle.rollback(cluster, alias)
    assert [one.name for one in lifecycle.find_prunable(cluster, alias, 2)] == [third]
    waiting = shop.build(swap=False).index
    assert [one.name for one in lifecycle.find_prunable(cluster, alias, 3)] == [third]
    assert [one.name for one in lifecycle.find_prunable(cluster, alias, 2)] == [first, third]
    lifecycle.prune(cluster, alias, 2)
    assert shop.names == [second, waiting]


def test_prune_leaves_a_running_build_alone(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.build()
    half = half_built(shop)
    prune = shop.arguments("index", "prune", "--yes")
    with build_lock(shop.cluster, shop.alias), pytest.raises(SystemExit) as ended:
        main(prune)
    assert ended.value.code == ClusterError.exit_code
    assert "another build or update is running" in capsys.readouterr().err
    assert half in shop.names
    main(prune)
    assert half not in shop.names


def test_swap_mends_an_alias_of_two_indices(shop: Shop) -> None:
    first, second = shop.build().index, shop.build().index
    add = {"actions": [{"add": {"index": first, "alias": shop.alias}}]}
    shop.cluster.request("POST", "/_aliases", add)
    with pytest.raises(ClusterError, match="points to 2 indices") as caught:
        shop.build()
    assert "seealso index swap" in str(caught.value.hint)
    moved = lifecycle.swap(shop.cluster, shop.alias, second)
    assert moved.before == f"{first}, {second}"
    assert shop.live == second


def test_a_list_of_indices_needs_no_right_to_see_the_others(shop: Shop) -> None:
    shop.build()
    asked: list[str] = []

    def admit(request: Request) -> Refusal | None:
        asked.append(request.target)
        if request.target.startswith((f"/{shop.alias}-", f"/{shop.alias}/_alias/")):
            return None
        error = {"type": "security_exception", "reason": "no permissions"}
        return 403, orjson.dumps({"error": {"root_cause": [error], **error}, "status": 403})

    with gateway(shop.url, admit) as running:
        (found,) = indices.list_indices(Cluster(running.url, retries=0), shop.alias)
    assert asked
    assert (found.name, found.documents, found.live) == (shop.live, 30, True)
    assert found.size_bytes > 0


def test_an_index_that_the_alias_did_not_come_to_is_made_live_as_the_hint_says(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    first = shop.build().index

    def admit(request: Request) -> Refusal | None:
        if request.target.partition("?")[0] == "/_aliases":
            return 403, b'{"error": {"type": "security_exception", "reason": "not yours"}}'
        return None

    with gateway(shop.url, admit) as running:
        command = shop.arguments("index", "build", cluster={"url": running.url})
        with pytest.raises(SystemExit) as ended:
            main(command)
    assert ended.value.code == 7
    said = " ".join(capsys.readouterr().err.split())
    assert f"{shop.alias}: the alias could not be moved: /_aliases: not allowed" in said
    (named,) = set(re.findall(r"`seealso index swap (\S+)`", said))
    states = {
        one.name: (one.state, one.live) for one in indices.list_indices(shop.cluster, shop.alias)
    }
    assert states == {first: ("ready", True), named: ("ready", False)}
    main(shop.arguments("index", "swap", named))
    assert shop.live == named
    assert lifecycle.rollback(shop.cluster, shop.alias).after == first
