"""What the graph of a users index finds of the users who are most alike."""

import numpy as np

from seealso.cluster import Cluster
from seealso.config import Settings
from seealso.indexer.graph import EF_SEARCHES, GraphRecall
from seealso.indexer.recall import (
    USERS,
    Question,
    measure_recall,
    sample_documents,
    without_exclusions,
)


def measure_graph(cluster: Cluster, name: str, settings: Settings) -> GraphRecall:
    """Return which share of the users most like some of them the graph finds.

    It is asked for `USERS` of them, without themselves, as neighbours are, and with them, as
    those of a user are who is not in the index.

    Parameters
    ----------
    cluster, name
        The index.
    settings
        ``recommend.ef_search`` says how thoroughly it is asked; unset, it is found out.
    """
    own = settings.recommend.ef_search
    alike = [
        Question(np.array(hit["_source"]["vector"], dtype=np.float32), [hit["_id"]])
        for hit in sample_documents(cluster, name, USERS, source=["vector"])
    ]
    kinds = alike, without_exclusions(alike)
    tried = EF_SEARCHES if own is None else (own,)
    return measure_recall(cluster, name, kinds, tried, rounded=False)
