"""What holds for every list of an index: its rules, its exposure, and what must not be shown."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from seealso.cluster import Cluster
from seealso.cluster.fields import IndexFields, read_fields
from seealso.config import Choice, ExposureSettings, Settings
from seealso.errors import DataError
from seealso.plugin.ranking.options import Criteria
from seealso.plugin.ranking.plans import Plan, build_plan
from seealso.plugin.rules.fields import Condition, conditions
from seealso.plugin.rules.filters import check_filters, filtered_fields
from seealso.plugin.rules.ruling import contradiction, takes_all
from seealso.plugin.rules.safety import Guard
from seealso.plugin.rules.taxonomy import Clause, Taxonomy
from seealso.plugin.serving import Live
from seealso.types import User


class Policy:
    """Rules, exposure and safety of the settings, for the lists of a cluster.

    Parameters
    ----------
    cluster
        Where the index is: a rule on a field that the index lacks would have no effect.
    settings
        Sections ``rules``, ``taxonomy``, ``exposure`` and ``safety`` are used.

    Raises
    ------
    ConfigError
        The taxonomy's file cannot be read.
    """

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._tree = Taxonomy.of(settings.taxonomy)
        self._guard = Guard(settings.safety, self._tree)
        self._known: dict[str, IndexFields] = {}

    def plan(self, live: Live, criteria: Criteria) -> Plan:
        """Return the plan of every list of an answer; `filters` are added for each.

        Parameters
        ----------
        live, criteria
            The index, and what the lists must be.

        Raises
        ------
        ConfigError
            Rules or shares contradict each other, or are about a field that the index lacks; so is
            a filter.
        """
        settings = self._settings
        rules = criteria.rules if criteria.without_rules else (*criteria.rules, *settings.rules)
        exposure = settings.exposure
        if criteria.diversity is not None:
            # it was checked with the other options
            exposure = exposure.model_copy(update={"diversity": criteria.diversity})
        plan = build_plan(criteria, rules, exposure, self._tree, datetime.now(UTC))
        self._check_fields(live, rules)
        if any(filtered_fields(criteria.filters)):
            check_filters(live.name, self._fields(live), criteria.filters)
        for share in settings.exposure.shares:
            self._check_blocked(share)
        return replace(plan, columns=self._columns(live, exposure))

    def _columns(self, live: Live, exposure: ExposureSettings) -> tuple[str, ...] | None:
        """Return the columns that decide about places; None where only documents can."""
        capped = {one.field for one in exposure.caps}
        # a column has a date in another form than its document
        if exposure.fresh or (capped and not capped <= self._fields(live).keywords):
            return None
        return tuple(sorted(capped))

    def filters(self, users: Sequence[User]) -> tuple[Clause, ...]:
        """Return the clauses for what all of `users` may see."""
        # what is stored of a user holds against what a request says
        return self._guard.filters({**one.attributes, **one.stored_attributes} for one in users)

    def check_allowed(self, live: Live, user: User, item_ids: Sequence[str]) -> None:
        """Refuse items that the user must not be shown.

        Raises
        ------
        DataError
            One of `item_ids` is blocked for the user.
        """
        clauses = self.filters([user])
        if not clauses:
            return
        self._check_fields(live, ())
        query = {"bool": {"must": {"ids": {"values": list(item_ids)}}, "filter": list(clauses)}}
        body = {"size": len(item_ids), "_source": False, "query": query}
        answer = self._cluster.request("POST", f"/{live.name}/_search", body)
        allowed = {hit["_id"] for hit in answer["hits"]["hits"]}
        for item_id in item_ids:
            if item_id not in allowed:
                raise DataError(
                    f"item {item_id!r} is not in the index, or not for this user",
                    hint="section [safety] of the settings says which users may get which items",
                    caller_hint="ask about items of lists for this user",
                    item_id=item_id,
                )

    def blocked_items(self) -> frozenset[str]:
        """Return the ids on the blocklist, as it is now."""
        return frozenset(self._guard.blocked_items())

    def _check_blocked(self, share: Choice) -> None:
        for field, values in self._settings.safety.fields.items():
            if takes_all(Choice(field=field, values=values), share, self._tree):
                what = " or ".join(map(str, share.values))
                raise contradiction(f"a share of {share.field} {what}", "[safety], which blocks it")

    def _check_fields(self, live: Live, rules: Iterable[Choice]) -> None:
        """Refuse fields that no query can compare as needed: a filter would let everything pass."""
        settings = self._settings
        found = [
            *conditions(rules, "a rule"),
            *conditions(settings.exposure.shares, "exposure.shares"),
        ]
        found += [Condition("safety.fields", field, "values") for field in settings.safety.fields]
        found += [Condition("safety.age", one.item, "numbers") for one in settings.safety.age]
        found += [Condition("safety.region", one.item, "values") for one in settings.safety.region]
        if found:
            types = self._fields(live).searchable
            for one in found:
                one.check(live.name, types.get(one.field))

    def _fields(self, live: Live) -> IndexFields:
        fields = self._known.get(live.generation)
        if fields is None:
            fields = read_fields(self._cluster, live.name)
            self._known = {live.generation: fields}
        return fields
