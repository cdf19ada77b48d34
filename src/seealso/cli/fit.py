"""``seealso fit``: join what behaviour knows with what the texts say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso import api
from seealso.cli import tables
from seealso.cli.commands import Command
from seealso.cli.context import Context, pass_context
from seealso.cli.options import on_error
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.choices import OnError
    from seealso.fitting.fit_report import FitReport
    from seealso.fitting.groups import ChosenGroups
    from seealso.models.co_occurrence import CoOccurrenceConfig


@click.command(cls=Command)
@on_error
@click.option("--force", is_flag=True, help="Replace a bundle of that name.")
@pass_context
def fit(context: Context, on_error: "OnError", force: bool) -> None:
    """Fit the bundle of [fit]: behaviour and texts in one vector.

    Factors from behaviour are joined with the vectors of encoder.bundle, and with those of [images]
    if there are any; recency, weights, importance and probabilities are chosen on dev. Items
    without events get the factor that their text predicts. It takes minutes on two cores. Then
    `seealso index build` builds an index with it, as long as encoder.bundle names the same model;
    `seealso build` does both. If `seealso train` made a bundle, both models are fitted, and the
    fine-tuned one reads the texts where that makes the lists better beyond chance.
    """
    report = api.fit(context.settings, on_error=on_error, force=force)
    following = tables.facts({"next": "seealso index build"})
    context.show(report, lambda: Group(report_table(report), "", following))


def report_table(report: "FitReport") -> RenderableType:
    """Return what was fitted, as a person reads it."""
    fitted = report.fitted
    steps = [(name, f"{reached:.4f}") for name, reached in fitted.dev.items()]
    users = format_count(report.users, "user")
    parts: list[RenderableType] = [
        tables.facts(_facts(report)),
        "",
        tables.rows((f"dev, {users}", "ndcg@10"), steps, numbers="ndcg@10"),
    ]
    if fitted.cold:
        parts += ["", Text(_cold(fitted.cold))]
    parts += [Text(f"note: {note}", style="yellow") for note in fitted.notes]
    return Group(*parts)


def _facts(report: "FitReport") -> dict[str, object]:
    fitted = report.fitted
    recipe, calibration = fitted.recipe, fitted.calibration
    return {
        "bundle": f"{report.bundle} ({report.fingerprint}), over {report.base}",
        **({} if report.draw is None else {"learnt from": str(report.draw)}),
        "vectors": f"{report.dimension:,} dimensions, {recipe.factors} of them behaviour",
        "behaviour": f"alpha {recipe.alpha:g}, regularisation {recipe.regularisation:g}, "
        f"recency {recipe.recency:g}, weight {recipe.weight:g}",
        "co-occurrence": _co_occurrence(recipe.co_occurrence),
        "texts": ", ".join(f"{name} {value:g}" for name, value in fitted.profile.items()),
        **_images(report),
        **({} if report.fine_tuned is None else {"fine-tuned": str(report.fine_tuned)}),
        "cold items": f"ridge {recipe.ridge:g}, length {recipe.cold_length:g}, "
        f"bonus {recipe.cold_start_bonus:g} + {recipe.cold_start_share:g} x entry level",
        "importance": _importance(fitted.importance),
        **_neighbours(fitted.neighbours),
        **_groups(report.groups),
        "settings tried": ", ".join(
            f"{number:,} of {name}" for name, number in fitted.tried.items()
        )
        + "; one is taken where users gain by it whom it was not chosen by",
        "probability": "not fitted"
        if calibration is None
        else f"b {calibration.b:.3f}, T {calibration.t:.4f}",
        "time": f"{report.seconds:.0f} seconds",
    }


def _images(report: "FitReport") -> dict[str, object]:
    if not report.images:
        return {}
    facts = report.images
    text = (
        f"weight {facts['weight']:g}, {facts['dimension']:,} dimensions, {facts['items']:,} items"
    )
    unmatched = facts["unmatched"]
    return {"images": f"{text}; {unmatched:,} of no ranked item" if unmatched else text}


def _co_occurrence(chosen: "CoOccurrenceConfig | None") -> str:
    if chosen is None:
        return "boosts nothing that dev users chose: left out"
    return (
        f"share {chosen.share:g}, recency {chosen.recency:g}, distance {chosen.distance:g}, "
        f"backward {chosen.backward:g}, shrink {chosen.shrink:g}"
    )


def _neighbours(chosen: Mapping[str, Any]) -> dict[str, object]:
    if not chosen.get("share"):
        return {}
    text = "share {share:g}, {k:,} neighbours, their latest {latest:,} items"
    return {"neighbours": text.format(**chosen)}


def _groups(chosen: "ChosenGroups | None") -> dict[str, object]:
    if chosen is None:
        return {}
    count = f"{format_count(chosen.groups, 'group')} on dev"
    if not chosen.settings:
        return {"groups": f"{count}, too few: as set in [groups]"}
    text = "{strategy}, own weight {own_weight:g}, seen by {seen}".format(**chosen.settings)
    reached = ", ".join(f"{name} {value:.4f}" for name, value in chosen.dev.items())
    return {"groups": f"{text}; {count}, ndcg@10: {reached}"}


def _importance(chosen: Mapping[str, Any]) -> str:
    floor, ceiling, days = (chosen[name] for name in ("floor", "ceiling", "half_life_days"))
    halved = f", events count half after {days:g} days" if days else ""
    return f"{floor:g} to {ceiling:g}{halved}" if floor < ceiling else "none"


def _cold(cold: Mapping[str, float]) -> str:
    return (
        f"items without events: ndcg@20 {cold['ndcg@20']:.4f} in the whole catalogue "
        f"(by texts alone {cold['ndcg@20 by texts']:.4f}), "
        f"for {cold['lost']:.1%} of the others' ndcg@10"
    )
