"""Shared by the calls that read a catalogue and its events: reading, and reports of losses."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext

from seealso.choices import OnError
from seealso.cluster import connect
from seealso.config import Settings
from seealso.indexer.inputs import Inputs, inputs
from seealso.log import say
from seealso.readers import Problems, parse_id


@contextmanager
def read_inputs(settings: Settings, on_error: OnError) -> Iterator[Inputs]:
    """Give what the settings name to the block, and say at its end what was left out.

    Parameters
    ----------
    settings
        Sections ``catalogue``, ``events`` and ``images`` are used; the cluster is only asked
        where they name an index.
    on_error
        What a broken row does.
    """
    problems = Problems(on_error)
    indexed = settings.catalogue.index or settings.events.index
    with connect(settings) if indexed else nullcontext() as cluster:
        yield inputs(settings, cluster, problems)
    say_skipped(problems)


def say_notes(notes: Iterable[str]) -> None:
    """Say on stderr what was guessed, left out or degraded, a line each."""
    for note in notes:
        say(f"note: {note}")


def say_losses(problems: Problems) -> None:
    """Say on stderr what was left out of each source and why."""
    if summary := problems.summary():
        say(summary)


def say_skipped(problems: Problems) -> None:
    """Say on stderr what was left out of each source and why, and what was guessed."""
    say_losses(problems)
    say_notes(problems.notes)


def item_ids(texts: Iterable[str], settings: Settings) -> list[str]:
    """Return item ids as the catalogue is read, which has ``_id`` as it is; empty ones left out."""
    if settings.catalogue.id == "_id":
        return list(texts)
    return [item_id for text in texts if (item_id := parse_id(text)) is not None]
