"""The Dockerfile as BuildKit's own parser reads it: stages, and the steps of each."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import dockerfile

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a stage.

    Attributes
    ----------
    name
        ``RUN``, ``COPY``, ...
    values
        What follows it, without flags.
    flags
        For instance ``--from=wheel``.
    """

    name: str
    values: tuple[str, ...]
    flags: tuple[str, ...] = ()

    @property
    def source(self) -> str | None:
        """The stage that a COPY takes from; None where it is the folder that is built from."""
        chosen = [flag.partition("=")[2] for flag in self.flags if flag.startswith("--from=")]
        return chosen[0] if chosen else None


@dataclass(frozen=True, slots=True)
class Stage:
    """An image that the Dockerfile makes, the last of which is the one that is kept.

    Attributes
    ----------
    name
        What later stages call it; empty for the last one.
    base
        The image that it starts from.
    steps
        In order.
    """

    name: str
    base: str
    steps: tuple[Step, ...]

    def find(self, name: str) -> Iterator[Step]:
        """Yield the steps of one kind."""
        return (step for step in self.steps if step.name == name)

    def last(self, name: str) -> tuple[str, ...]:
        """Return the values of the last step of a kind, which is the one that counts."""
        return [step.values for step in self.find(name)][-1]

    @property
    def variables(self) -> dict[str, str]:
        """What ARG and ENV set, by name."""
        found = {}
        for step in self.find("ARG"):
            name, _, value = step.values[0].partition("=")
            found[name] = value
        for step in self.find("ENV"):
            found |= dict(zip(step.values[::2], step.values[1::2], strict=True))
        return found


def read_stages(file: Path) -> list[Stage]:
    """Return the stages of a Dockerfile.

    Parameters
    ----------
    file
        It; the ARG lines before its first FROM fill the names of base images.
    """
    variables: dict[str, str] = {}
    stages: list[tuple[str, str, list[Step]]] = []
    for command in dockerfile.parse_file(str(file)):
        step = Step(command.cmd, tuple(command.value), tuple(command.flags))
        if step.name == "FROM":
            base, *named = step.values
            stages.append((named[1] if named else "", fill(base, variables), []))
        elif stages:
            stages[-1][2].append(step)
        else:
            name, _, value = step.values[0].partition("=")
            variables[name] = value
    return [Stage(name, base, tuple(steps)) for name, base, steps in stages]


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with its ``$NAME`` and ``${NAME}`` filled."""
    return VARIABLE.sub(lambda found: variables[found[1] or found[2]], text)
