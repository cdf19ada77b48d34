"""``seealso model compare``: which of two bundles ranks better, for whom, beyond chance."""

from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from seealso.cli import tables
from seealso.cli.context import Context, pass_context
from seealso.cli.inputs import on_error, read_inputs, say_skipped
from seealso.encoder import BundleStore
from seealso.errors import NotBetter

if TYPE_CHECKING:
    from seealso.evaluation.comparison import ComparedBundle, Comparison


@click.command()
@click.argument("old")
@click.argument("new")
@on_error
@click.option("--test", "asked", flag_value="test", default="dev", help="Ask test, not dev.")
@click.option(
    "--fail-unless-better",
    is_flag=True,
    help="End with exit code 9 unless NDCG@10 of NEW is higher beyond chance.",
)
@pass_context
def compare(
    context: Context, old: str, new: str, on_error: str, asked: str, fail_unless_better: bool
) -> None:
    """Compare the bundles OLD and NEW on the events that training kept back.

    Both rank the whole catalogue for every dev user; NEW is better where the 95 % bootstrap
    interval of the difference of NDCG@10 lies above zero. Choose by dev; ask test once, at the
    end. It runs without torch.
    """
    from seealso.evaluation.comparison import compare as ask

    store = BundleStore(context.settings.encoder.store)
    source, problems = read_inputs(context, on_error)
    found = ask(
        context.settings,
        source.items,
        source.events,
        store.find(old),
        store.find(new),
        asked=asked,
        images=source.images,
    )
    say_skipped(problems)
    context.show(found, lambda: _table(found))
    if fail_unless_better and not found.better:
        whole = found.segments[0]
        raise NotBetter(
            f"{found.new.name} is not better than {found.old.name}: NDCG@10 "
            f"{whole.old['ndcg@10']:.4f} -> {whole.new['ndcg@10']:.4f}, "
            f"{tables.interval(whole.ndcg)}",
            hint=f"stay with {found.old.name}; more behaviour or other settings may help",
            old=found.old.name,
            new=found.new.name,
        )


def _table(found: "Comparison") -> RenderableType:
    lines = [
        (
            part.name,
            part.users,
            f"{part.old['ndcg@10']:.4f}",
            f"{part.new['ndcg@10']:.4f}",
            tables.interval(part.ndcg),
            f"{part.old['hr@10']:.4f}",
            f"{part.new['hr@10']:.4f}",
            tables.interval(part.hr),
        )
        for part in found.segments
    ]
    columns = (
        f"full ranking, {found.asked}", "users",
        "ndcg@10 old", "new", "new - old (95 %)", "hr@10 old", "new", "new - old (95 %)",
    )  # fmt: skip
    verdict = "better" if found.better else "not better beyond chance"
    return Group(
        tables.facts({"old": _contender(found.old), "new": _contender(found.new)}),
        "",
        tables.rows(columns, lines, numbers="users new") if lines else "",
        Text(f"\n{found.new.name} is {verdict} than {found.old.name}", style="bold"),
    )


def _contender(one: "ComparedBundle") -> str:
    learnt = {
        None: "not fine-tuned",
        True: "fine-tuned on these events, without the questions",
        False: "fine-tuned on other events: they may hold what is asked here",
    }[one.learnt_here]
    return f"{one.name} ({one.fingerprint}), projection: {one.projection}, {learnt}"
