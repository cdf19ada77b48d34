"""Fields of an index by what searches can do with them, whatever their mapping is."""

from seealso.cluster.client import Cluster


def searchable_fields(cluster: Cluster, name: str) -> dict[str, str]:
    """Return the fields of an index that a query can ask for, each with its mapping type."""
    answer = cluster.request("GET", f"/{name}/_field_caps", params={"fields": "*"})
    return {
        field: kind
        for field, kinds in answer["fields"].items()
        for kind, can in kinds.items()
        if can["searchable"]
    }


def vector_fields(cluster: Cluster, name: str) -> list[str]:
    """Return the paths of all ``knn_vector`` fields of an index, those of nested objects too."""
    answer = cluster.request("GET", f"/{name}/_field_caps", params={"fields": "*"})
    return sorted(field for field, kinds in answer["fields"].items() if "knn_vector" in kinds)
