"""``seealso attach``: an index that serves searches already gets vectors and importance."""

from seealso.api.reading import say_notes, say_skipped
from seealso.choices import OnError
from seealso.cluster import connect
from seealso.config import Settings
from seealso.indexer.attach import running as attaching
from seealso.indexer.attach.plan import AttachPlan
from seealso.readers import Problems


def attach(
    settings: Settings,
    index: str,
    *,
    on_error: OnError = "stop",
    copy: bool = False,
    allow_unmatched: bool = False,
) -> attaching.AttachReport:
    """Add vectors and importance to an index that serves searches already.

    Parameters
    ----------
    settings
        What the fields of its documents mean, and the alias that is added.
    index
        The name of an index, or an alias of one.
    on_error
        What a broken document or event does.
    copy
        Make a new copy, with the settings of now.
    allow_unmatched
        Attach even if most events name items that the index lacks.

    Raises
    ------
    MappingMismatch
        The index cannot be attached to.
    """
    problems = Problems(on_error)
    with connect(settings) as cluster:
        report = attaching.attach(
            cluster, settings, index, problems, copy=copy, allow_unmatched=allow_unmatched
        )
    say_skipped(problems)
    say_notes(report.notes)
    return report


def plan_attach(
    settings: Settings,
    index: str,
    *,
    on_error: OnError = "stop",
    copy: bool = False,
    allow_unmatched: bool = False,
) -> AttachPlan:
    """Say what `attach` would do, and what it would meet; nothing is written."""
    problems = Problems(on_error)
    with connect(settings) as cluster:
        plan = attaching.plan_attach(
            cluster, settings, index, problems, copy=copy, allow_unmatched=allow_unmatched
        )
    say_skipped(problems)
    say_notes(plan.notes)
    return plan
