"""What version 0.1 built is refused in one line, with the command that builds it again."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seealso import MappingMismatch, Recommender, Settings, load_settings
from seealso.api import (
    doctor,
    install_templates,
    plan_rollback_index,
    plan_swap_index,
    plan_update_index,
    refresh_importance,
    verify_index,
)
from seealso.cluster import Cluster, indices
from seealso.cluster.node import NodeInfo
from seealso.indexer.users.live import live_users
from seealso.indexer.users.mapping import KIND, users_alias
from seealso.readers import Pseudonyms

LIVE = "20251101-000000-000001"
EARLIER = "20251001-000000-000001"


@pytest.fixture
def earlier(opensearch_latest: NodeInfo, index_name: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings whose alias points to an index of version 0.1, with an older one beside it."""
    (tmp_path / "items.csv").write_text("item_id,title\nt1,Tent\n")
    settings = load_settings(
        None,
        {
            "cluster": {"url": opensearch_latest.url},
            "index": {"alias": index_name},
            "catalogue": {"path": tmp_path / "items.csv", "text": ["title"]},
        },
    )
    cluster = Cluster(opensearch_latest.url)
    told = {"version": "0.1.0", "alias": index_name, "state": "ready", "fingerprint": "f" * 16}
    for stamp in (EARLIER, LIVE):
        own = {"seealso": {**told, "live_since": f"{stamp[:4]}-{stamp[4:6]}-01T00:00:00+00:00"}}
        cluster.request("PUT", f"/{index_name}-{stamp}", {"mappings": {"_meta": own}})
    cluster.request("PUT", f"/{index_name}-{LIVE}/_alias/{index_name}")
    people = users_alias(index_name)
    own = {"seealso": {**told, "kind": KIND}}
    cluster.request("PUT", f"/{people}-{LIVE}", {"mappings": {"_meta": own}})
    cluster.request("PUT", f"/{people}-{LIVE}/_alias/{people}")
    yield settings
    cluster.request("DELETE", f"/{index_name}-2*,{people}-2*")
    cluster.close()


CALLS: list[Callable[[Settings], Any]] = [
    Recommender.from_config,
    refresh_importance,
    plan_update_index,
    verify_index,
    plan_rollback_index,
    lambda settings: plan_swap_index(settings, f"{settings.index.alias}-{EARLIER}"),
]


def test_an_index_of_0_1_is_refused_with_what_renews_it(earlier: Settings) -> None:
    for call in CALLS:
        with pytest.raises(MappingMismatch) as caught:
            call(earlier)
        assert "was built by seealso 0.1.0" in caught.value.message
        assert caught.value.message.startswith(f"{earlier.index.alias}-2025")
        assert caught.value.hint == "renew it: `seealso index build`"
    (found,) = (one for one in doctor(earlier) if one.what == "index")
    assert not found.ok
    assert "was built by seealso 0.1.0" in found.found
    assert "seealso index build" in found.cure


def test_an_index_that_0_1_was_attached_to_is_attached_again(earlier: Settings) -> None:
    alias = earlier.index.alias
    with Cluster(str(earlier.cluster.url)) as cluster:
        indices.put_meta(cluster, f"{alias}-{LIVE}", {"attached": "in place"})
    with pytest.raises(MappingMismatch) as caught:
        Recommender.from_config(earlier)
    assert caught.value.hint == f"renew it: `seealso attach {alias}`"


def test_users_of_0_1_are_refused_with_what_renews_them(earlier: Settings) -> None:
    names = Pseudonyms.from_environment({"SEEALSO_USERS_KEY": "a key of this test, long enough"})
    with Cluster(str(earlier.cluster.url)) as cluster, pytest.raises(MappingMismatch) as caught:
        live_users(cluster, earlier, names)
    assert "was built by seealso 0.1.0" in caught.value.message
    assert caught.value.hint == "renew it: `seealso users build`"


def test_later_versions_are_read(earlier: Settings) -> None:
    install_templates(earlier)
    with Cluster(str(earlier.cluster.url)) as cluster:
        for version in ("0.2.0", "0.10.1", "1.0.0"):
            name = f"{earlier.index.alias}-{EARLIER}"
            indices.put_meta(cluster, name, {"version": version})
            assert plan_swap_index(earlier, name).after == name
