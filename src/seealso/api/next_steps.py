"""What is older than that which it was made of, and the one command that brings most."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seealso.config import Settings
from seealso.encoder import Bundle, BundleStore, find_serving_bundle
from seealso.errors import SeeAlsoError
from seealso.plugin.doctor import attempt
from seealso.wording import format_count

if TYPE_CHECKING:
    from seealso.api.reporting import LiveStatus, SourceStatus


def find_behind(
    settings: Settings,
    live: "LiveStatus | SeeAlsoError | None",
    model: Bundle | SeeAlsoError | None,
    fitted: Bundle | SeeAlsoError | None,
    source: "SourceStatus | SeeAlsoError",
) -> Iterator[str]:
    """Yield what is older than that which it was made of."""
    if not isinstance(source, SeeAlsoError) and source.fit_due:
        yield (
            "events suffice to fit behaviour and texts, and nothing is fitted"
            if fitted is None
            else f"{settings.fit_name} was fitted from other events, items or settings"
        )
    if live is None or isinstance(live, SeeAlsoError):
        return
    if live.half_attached:
        yield f"{live.index} is attached in part: items without a vector yet are in no list"
    if isinstance(live.fit, SeeAlsoError):
        yield f"the bundle of {live.index} cannot be read"
    elif isinstance(model, Bundle) and (isinstance(source, SeeAlsoError) or not source.fit_due):
        # a build fits first, where that is due
        yield from _compare_bundles(live, settings)
    if not isinstance(source, SeeAlsoError):
        yield from _compare_source(live, source)
    if isinstance(live.users, SeeAlsoError):
        yield live.users.message


def _compare_bundles(live: "LiveStatus", settings: Settings) -> Iterator[str]:
    """Yield that a build would use another bundle now."""
    serving = attempt(lambda: find_serving_bundle(settings))
    if isinstance(serving, SeeAlsoError):
        return
    if serving.text is None:
        # a build binds it to the catalogue: then it has another fingerprint
        same = live.fit is None and live.model_fingerprint == serving.model_fingerprint
    else:
        same = live.fingerprint == serving.fingerprint
    if not same:
        yield f"{live.index} was built with {live.bundle}; a build would use {serving.name} now"


def _compare_source(live: "LiveStatus", source: "SourceStatus") -> Iterator[str]:
    """Yield that there are other items, or later events, than the index knows."""
    if source.items != live.documents and not live.attached:
        items = format_count(source.items, "item")
        yield f"the catalogue has {items}, {live.index} {live.documents:,}"
    newest = source.events.last
    if newest is not None and (live.counted is None or newest > live.counted):
        until = "none" if live.counted is None else f"those until {live.counted:%Y-%m-%d %H:%M}"
        yield f"there are events until {newest:%Y-%m-%d %H:%M} UTC, importance counts {until}"


def choose_next(
    settings: Settings,
    reached: object,
    live: "LiveStatus | SeeAlsoError | None",
    model: object,
    source: "SourceStatus | SeeAlsoError",
    behind: tuple[str, ...],
) -> str | None:
    """Return the one command that brings most, or None."""
    if isinstance(reached, SeeAlsoError) and settings.cluster.url is None:
        return "seealso node start"
    if live is not None and not isinstance(live, SeeAlsoError) and live.half_attached:
        return f"seealso attach {settings.index.alias}"
    if isinstance(source, SeeAlsoError) or any(
        isinstance(one, SeeAlsoError) for one in (reached, live, model)
    ):
        return "seealso doctor"
    skip = " --on-error skip" if source.broken_rows else ""
    if live is None or isinstance(live, SeeAlsoError):
        return f"seealso build{skip}"
    if not behind:
        return None
    if isinstance(live.users, SeeAlsoError) and len(behind) == 1:
        return "seealso users build"
    return (
        _choose_next_attached(settings, live, source) if live.attached else f"seealso build{skip}"
    )


def _choose_next_attached(settings: Settings, live: "LiveStatus", source: "SourceStatus") -> str:
    """Return the command for what is behind; attaching fits nothing, and keeps the bundle."""
    skip = " --on-error skip" if source.broken_rows else ""
    if source.fit_due:
        force = " --force" if BundleStore(settings.encoder.store).has(settings.fit_name) else ""
        return f"seealso fit{force}{skip}"
    if any(_compare_bundles(live, settings)):
        return f"seealso attach {settings.index.alias} --copy{skip}"
    if any(_compare_source(live, source)):
        return f"seealso index importance{skip}"
    return f"seealso attach {settings.index.alias}{skip}"
