"""Whether a field can be compared as a rule needs it: a filter that has no effect lets all pass.

OpenSearch compares keywords as texts ("18" is below "9") and looks for whole values among the
words of a text, and is silent about both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from seealso.config import Choice
from seealso.errors import ConfigError

NUMBERS: Final = frozenset(
    {
        "byte", "short", "integer", "long", "unsigned_long",
        "half_float", "float", "double", "scaled_float",
    }
)  # fmt: skip

COMPARABLE: Final = {"numbers": NUMBERS, "range": NUMBERS | {"date", "date_nanos"}}
"""Types whose values are compared in their own order, by what a setting needs."""

WORDS: Final = frozenset({"text", "match_only_text", "search_as_you_type"})
"""Types that hold the words of a value instead of the value."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a setting compares one field.

    Attributes
    ----------
    setting
        Which one compares.
    field
        Of the catalogue.
    needs
        Whole values, a range, or numbers: a range that dates will not do for.
    """

    setting: str
    field: str
    needs: Literal["values", "range", "numbers"]

    def check(self, index: str, mapping_type: str | None) -> None:
        """Refuse a field that cannot be compared so.

        Parameters
        ----------
        index
            Whose field it is.
        mapping_type
            Its mapping type; None where no query can ask for it.

        Raises
        ------
        ConfigError
            The comparison would have no effect; the message names field and type.
        """
        found = f"field {self.field!r} of index {index} is {mapping_type}"
        if mapping_type is None:
            found = f"index {index} cannot be filtered by field {self.field!r}"
            cure = "name it in catalogue.keywords, numbers or lists"
        elif self.needs == "values" and mapping_type in WORDS:
            found += ": it holds words, not whole values"
            cure = f"ask {self.field}.keyword if there is one, or name it in catalogue.keywords"
        elif self.needs != "values" and mapping_type not in COMPARABLE[self.needs]:
            found += ", not a number: it would be compared as text"
            cure = "name it in catalogue.numbers"
        else:
            return
        hint = f"{cure} and build the index again"
        raise ConfigError(
            f"{self.setting}: {found}",
            hint=hint,
            caller_hint="name another field, if you named this one",
            field=self.field,
        )


def conditions(choices: Iterable[Choice], setting: str) -> Iterator[Condition]:
    """Yield how the choices of a setting compare fields."""
    for one in choices:
        if one.field is None:
            continue
        if one.values:
            yield Condition(setting, one.field, "values")
        if one.least is not None or one.most is not None:
            yield Condition(setting, one.field, "range")
