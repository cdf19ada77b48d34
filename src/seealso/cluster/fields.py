"""Fields of an index by what searches can do with them, whatever their mapping is."""

from collections.abc import Mapping
from dataclasses import dataclass

from seealso.cluster.client import Cluster


@dataclass(frozen=True, slots=True)
class IndexFields:
    """The fields of an index.

    Attributes
    ----------
    searchable
        Those that a query can compare with values, each with its mapping type.
    others
        The others, objects among them.
    keywords
        Those that are keywords in a column, where they have the values that documents have.
    """

    searchable: Mapping[str, str]
    others: Mapping[str, str]
    keywords: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Tell whether a query can name a field: it is there, or within an object without names."""
        if name in self.searchable or name in self.others:
            return True
        parts = name.split(".")
        above = {".".join(parts[:length]) for length in range(1, len(parts))}
        kinds = {**self.others, **self.searchable}
        return any(kinds.get(one) == "flat_object" for one in above)


def read_fields(cluster: Cluster, name: str) -> IndexFields:
    """Return the fields of an index."""
    answer = cluster.request("GET", f"/{name}/_field_caps", params={"fields": "*"})
    searchable, others, keywords = dict[str, str](), dict[str, str](), set[str]()
    for field, kinds in answer["fields"].items():
        for kind, can in kinds.items():
            (searchable if can["searchable"] else others)[field] = kind
            # below a dot is a second form of another field, or a part of an object
            if kind == "keyword" and can["aggregatable"] and "." not in field:
                keywords.add(field)
    return IndexFields(searchable, others, frozenset(keywords))


def vector_fields(cluster: Cluster, name: str) -> list[str]:
    """Return the paths of all ``knn_vector`` fields of an index, those of nested objects too."""
    answer = cluster.request("GET", f"/{name}/_field_caps", params={"fields": "*"})
    return sorted(field for field, kinds in answer["fields"].items() if "knn_vector" in kinds)
