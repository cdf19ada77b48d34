"""Ids of users and their items that meet nothing: said before it shows in lists."""

from seealso.cluster import Cluster, scan_ids
from seealso.config import Settings
from seealso.indexer.users.people import People
from seealso.readers import describe_unmatched


def unmatched_notes(cluster: Cluster, settings: Settings, people: People) -> tuple[str, ...]:
    """Return what events name that the index lacks, and the users' file that the events lack.

    Parameters
    ----------
    cluster, settings
        The live index is the one of ``index.alias``.
    people
        As `read_people` returns them.

    Returns
    -------
    tuple of str
        At most a sentence each; no id of a user is in them.
    """
    found = []
    if events := people.histories.events_by_item():
        known = set(scan_ids(cluster, settings.index.alias))
        found.append(describe_unmatched(events, known, place="the index"))
        found.append(
            describe_unmatched(
                dict.fromkeys(people.attributes, 1),
                people.histories.users(),
                row="rows of the users file",
                id="users",
                place="the events",
                lists="where each row is of one user",
            )
        )
    return tuple(
        str(one.without_ids() if one.id == "users" else one) for one in found if one is not None
    )
