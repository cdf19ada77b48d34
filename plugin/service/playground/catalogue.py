"""Items of the live index as the page shows them: by their ids, or by words as typed so far."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from seealso.cluster import Cluster
from seealso.cluster.fields import read_fields
from seealso.config import Settings
from seealso.plugin.recommendations import label, name_of
from seealso.readers import RESERVED

OWN: Final = ("importance", "interactions", "tail")
"""What the index itself knows of an item."""

LEFT_OUT: Final = sorted(RESERVED - {*OWN, "item_id"})
"""What is long, or nothing for people."""


class Catalogue:
    """Looks items up in what the alias points to.

    Parameters
    ----------
    cluster, settings
        Where, and which columns are texts.
    """

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._alias = settings.index.alias
        self._texts = settings.catalogue.text

    def fields(self) -> dict[str, str]:
        """Return the catalogue's own fields that can be searched, with their types."""
        found = read_fields(self._cluster, self._alias).searchable
        return {
            name: kind
            for name, kind in sorted(found.items())
            if name not in RESERVED and not name.startswith("_") and kind != "object"
        }

    def title_field(self, fields: Mapping[str, str]) -> str | None:
        """Return the field that names an item, or None where no text column is in the index."""
        return next((name for name in self._texts if name in fields), None)

    def by_ids(self, ids: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the items of `ids` in their order, and the ids that the index does not hold."""
        different = list(dict.fromkeys(ids))
        if not different:
            return [], []
        params = {"_source_excludes": ",".join(LEFT_OUT)}
        address = f"/{self._alias}/_mget"
        answer = self._cluster.request("POST", address, {"ids": different}, params, whole=True)
        found = {hit["_id"]: hit["_source"] for hit in answer["docs"] if hit.get("found")}
        items = [self.describe(found[one], one) for one in different if one in found]
        return items, [one for one in different if one not in found]

    def by_words(self, words: str, size: int) -> list[dict[str, Any]]:
        """Return the items that have all of `words`, of which the last may be only begun.

        An item whose id is typed comes first; of those that fit equally well, the most important.
        """
        if not words.strip():
            return []
        texts = [f"{name}^2" for name in self._texts]
        typed = {
            "query": words,
            "type": "bool_prefix",
            "operator": "and",
            "fields": [*texts, "text"],
        }
        named = {"ids": {"values": [words.strip()], "boost": 100}}
        body = {
            "size": size,
            "query": {"bool": {"should": [{"multi_match": typed}, named]}},
            "sort": ["_score", {"importance": {"order": "desc", "unmapped_type": "float"}}],
            "_source": {"excludes": LEFT_OUT},
        }
        answer = self._cluster.request("POST", f"/{self._alias}/_search", body)
        return [self.describe(hit["_source"], hit["_id"]) for hit in answer["hits"]["hits"]]

    def describe(self, document: Mapping[str, Any], item_id: str) -> dict[str, Any]:
        """Return what the page shows of an item."""
        fields = {name: value for name, value in document.items() if name not in RESERVED}
        return {
            "item_id": item_id,
            "title": self._title(fields),
            "fields": fields,
            **describe_own(document),
        }

    def _title(self, fields: Mapping[str, Any]) -> str | None:
        named = next((name for name in self._texts if fields.get(name)), None)
        return name_of(fields, named) if named else label(fields) or None


def describe_own(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the index itself knows of an item."""
    own = {name: document.get(name) for name in OWN}
    return {**own, "tail": bool(own["tail"]), "cold": not own["interactions"]}
