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
    """

    searchable: Mapping[str, str]
    others: Mapping[str, str]

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
    searchable, others = dict[str, str](), dict[str, str]()
    for field, kinds in answer["fields"].items():
        for kind, can in kinds.items():
            (searchable if can["searchable"] else others)[field] = kind
    return IndexFields(searchable, others)


def vector_fields(cluster: Cluster, name: str) -> list[str]:
    """Return the paths of all ``knn_vector`` fields of an index, those of nested objects too."""
    answer = cluster.request("GET", f"/{name}/_field_caps", params={"fields": "*"})
    return sorted(field for field, kinds in answer["fields"].items() if "knn_vector" in kinds)
