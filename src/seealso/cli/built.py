"""What the build of an index did, or would do, as a person reads it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from seealso import api
from seealso.cli import tables
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.indexer.build_report import BuildPlan, BuildReport


def describe_plan(plan: "BuildPlan") -> dict[str, object]:
    """Return what a build would do, by name."""
    return {
        "would build": f"{format_count(plan.items, 'item')}, {plan.tail:,} of them tail",
        **tables.events(plan.events),
        "alias": f"{plan.alias} (now {plan.live or 'nothing'})",
        "bundle": plan.bundle,
        "memory": plan.memory,
        "half-built": _half_built(plan.half_built),
        "importance": "by {kind}, from {floor:g} to {ceiling:g}".format(**plan.importance),
        **({"gate": plan.gate} if plan.gate else {}),
    }


def _half_built(names: tuple[str, ...]) -> str:
    # what a build is made of is known once its texts are encoded
    left = f"{', '.join(names)}: continued if it is of this build, deleted otherwise"
    return left if names else "none"


def _count_images(report: "BuildReport") -> str:
    have = "has" if report.with_image == 1 else "have"
    found = f"{format_count(report.with_image, 'item')} {have} one"
    return f"{found}; {report.unmatched_images:,} of no item" if report.unmatched_images else found


def describe_build(
    report: "BuildReport", gate: bool, before: Mapping[str, object] | None = None
) -> RenderableType:
    """Return what a build did, as a person reads it, below the facts that came `before`."""
    from seealso.judging.gate import Verdict

    checked, verdict = report.verification, report.verdict
    live = report.index if report.swapped else report.previous or "nothing"
    facts: dict[str, object] = {
        **(before or {}),
        "index": report.index + (" (resumed)" if report.resumed else ""),
        "alias": f"{report.alias} -> {live}",
        "bundle": f"{report.bundle} ({report.fingerprint})",
        "items": f"{report.items:,} ({report.written:,} written, {report.tail:,} tail)",
        **tables.events(report.events),
        **({"images": _count_images(report)} if report.with_image else {}),
        "memory": report.memory,
        "verified": checked.summary,
        **({"gate": verdict or api.NOTHING_LIVE} if gate else {}),
        "seconds": f"{report.seconds:.1f}",
    }
    notes = verdict.notes if isinstance(verdict, Verdict) else ()
    return Group(tables.facts(facts), *(Text(f"note: {note}", style="yellow") for note in notes))
