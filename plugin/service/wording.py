"""Requests into the words of the library, and what it answers into those of the service.

It knows nothing of HTTP: whatever else answers for the library uses the same words.
"""

from collections.abc import Sequence
from typing import Any

from seealso.errors import DataError, SeeAlsoError
from seealso.plugin.explanations.explanation import Explanation
from seealso.plugin.groups.lists import GroupList
from seealso.plugin.neighbours import NeighbourList
from seealso.plugin.recommendations import RecommendationList
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.lists import GroupMembers, Who
from seealso.types import User


def read_user(recommender: Recommender, who: Who) -> User:
    """Return the user that a request describes."""
    described = who.model_dump(include={*Who.model_fields})
    return recommender.user(described.pop("user"), **described)


def read_users(recommender: Recommender, people: Sequence[str | Who]) -> list[str | User]:
    """Return ids as they are, and users that are described put together."""
    return [one if isinstance(one, str) else read_user(recommender, one) for one in people]


def read_members(recommender: Recommender, group: GroupMembers) -> str | list[str | User]:
    """Return whom a group's list is for: a known group, or members.

    Raises
    ------
    DataError
        The request names both.
    """
    if group.group is not None and group.members is not None:
        raise DataError("give a group or members, and not both", field="members")
    return group.group or read_users(recommender, group.members or ())


def describe_list(found: RecommendationList | GroupList) -> dict[str, Any]:
    """Return a list in the words of the service."""
    plain = _rename(found.as_dict())
    return {
        "query_id": plain.pop("query_id", None),
        "index": plain.pop("index"),
        "took_ms": plain.pop("latency_ms"),
        **plain,
    }


def describe_origin(plain: dict[str, Any]) -> dict[str, Any]:
    """Return plain values with the service's words for where they are from."""
    return {
        "index": plain.pop("index"),
        "bundle": plain.pop("fingerprint"),
        "degraded": plain.pop("note") or None,
        **plain,
    }


def describe_reasons(explanations: Sequence[Explanation]) -> list[dict[str, Any]]:
    """Return explanations in the words of the service."""
    return [_rename(one.as_dict()) for one in explanations]


def explain_list(
    recommender: Recommender, user: User, found: RecommendationList
) -> list[dict[str, Any]]:
    """Return why each item is in a user's list; nothing is asked about an empty one."""
    return describe_reasons(recommender.reasons(user, found.ids) if found.ids else [])


def describe_neighbours(found: NeighbourList) -> dict[str, Any]:
    """Return neighbours in the words of the service."""
    return _rename(found.as_dict())


def describe_error(exc: SeeAlsoError) -> str:
    """Return the message of an error without the address of the cluster: callers need not know."""
    return exc.message.removeprefix(f"{exc.context.get('url')}: ")


def _rename(plain: dict[str, Any]) -> dict[str, Any]:
    named = {"bundle": plain.pop("fingerprint")} if "fingerprint" in plain else {}
    return {**named, "degraded": plain.pop("note") or None, **plain}
