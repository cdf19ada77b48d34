"""Lists for known groups, by what the groups choose together and what their members choose."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from seealso.config import Settings
from seealso.datasets.dataset import Events, Items
from seealso.datasets.group_questions import read_group_questions
from seealso.datasets.questions import sample
from seealso.errors import DataError
from seealso.evaluation.protocols import EvaluationProtocol, Holdout, hold_out
from seealso.types import GroupMembers

GROUP_CHOICES: Final = "choices of groups"
MEMBER_CHOICES: Final = "choices of their members"

CUT: Final = "leave-one-out"
"""How the events of groups and their members are cut."""


def ask_groups(
    held: Sequence[Holdout],
    settings: Settings,
    items: Items,
    events: Events,
    groups: GroupMembers,
    *,
    split: str,
    most_users: int | None = None,
) -> tuple[Holdout, ...]:
    """Add what is asked about groups to the holdout that knows what may be known then.

    Parameters
    ----------
    held
        What users are asked; where none of it leaves one out, a holdout comes first that does.
    settings, items, events, split, most_users
        As for `hold_out`.
    groups
        The members of each group.

    Raises
    ------
    DataError
        No group can be asked about.
    """
    place = next((n for n, one in enumerate(held) if one.split == CUT and not one.cold.any()), None)
    if place is None:
        (found,) = hold_out(settings, items, events, names=[CUT], split=split)
        held, place = [replace(found, protocols=()), *held], 0
    training = settings.training.model_copy(update={"split": CUT})
    cut = settings.model_copy(update={"training": training})
    catalogue = held[place].dataset.catalogue
    about = read_group_questions(cut, catalogue, events, groups, split)
    if not about.own:
        raise DataError(
            "no group has own choices to ask about: three at least, and a member with events",
            hint="events.user has the id of a group where the group chose; check groups.path",
        )
    kinds = {GROUP_CHOICES: about.own, MEMBER_CHOICES: about.of_members}
    protocols = [
        EvaluationProtocol(name, drawn, None, [("all", np.arange(len(drawn)))], for_groups=True)
        for name, own in kinds.items()
        if (drawn := sample(own, most_users or len(own), settings.training.seed))
    ]
    more = replace(held[place], protocols=(*held[place].protocols, *protocols))
    return (*held[:place], more, *held[place + 1 :])
