"""The plots of the report, as plotly draws them: on no background, so that they suit any page."""

from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Any, Final

from plotly import graph_objects as go

from seealso.datasets.intervals import Estimate
from seealso.evaluation.changes import Move
from seealso.evaluation.report.tables import systems
from seealso.evaluation.report.wording import FEW_SHOT, Sides
from seealso.evaluation.results import ProtocolResult

OURS: Final = ("#e8590c", "#f2a20c")
OTHERS: Final = (
    "#4c6ef5", "#12a878", "#868e96", "#9c5fd6", "#15aabf", "#d6508a", "#7fa82a",
)  # fmt: skip
THIRDS: Final[Mapping[str, str]] = MappingProxyType(
    {"head": "#868e96", "middle": "#4c6ef5", "tail": "#12a878"}
)
STANDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {"better": "#15803d", "worse": "#b91c1c", "alike": "#868e96"}
)
GRID: Final = "rgba(128, 128, 128, 0.25)"
LINE: Final = 34
"""Pixels of a bar that lies, with the gap beside it."""


def scores(protocol: ProtocolResult) -> go.Figure:
    """Draw the headline metric of every system, the best on top."""
    metric = protocol.headline
    order = sorted(systems(protocol), key=lambda name: protocol.score(name).metrics[metric].mean)
    found = [protocol.score(name).metrics[metric] for name in order]
    tints = colours(protocol)
    bars = go.Bar(
        x=[one.mean for one in found],
        y=[_plain(name) for name in order],
        orientation="h",
        marker={"color": [tints[name] for name in order]},
        error_x=_error(found),
        hovertemplate="%{y}: %{x:.4f}<extra></extra>",
    )
    return _figure([bars], height=LINE * len(order) + 80, across=metric.upper())


def by_part(protocol: ProtocolResult, found: Mapping[str, int]) -> go.Figure:
    """Draw the headline metric of every system for the parts `found` of the users."""
    # bars that lie leave room for names on a phone; the first one stands on top
    names = [f"{_plain(part)}<br>{users:,} users" for part, users in found.items()][::-1]
    bars = []
    for name in systems(protocol)[::-1]:
        own = [protocol.score(name, part).metrics[protocol.headline] for part in found][::-1]
        bars.append(
            go.Bar(
                name=_plain(name),
                x=[one.mean for one in own],
                y=names,
                orientation="h",
                error_x=_error(own),
                hovertemplate="%{y}: %{x:.4f}",
                **_appearance(protocol, name),
            )
        )
    figure = _figure(bars, height=LINE * 2 * len(found) + 120, across=protocol.headline.upper())
    return figure.update_layout(legend={"traceorder": "reversed"})


def moves(rows: Sequence[tuple[str, Move]], metric: str) -> go.Figure:
    """Draw after minus before with its interval, a line for each name, the first on top."""
    found = [move.differences[metric] for _, move in rows][::-1]
    dots = go.Scatter(
        x=[one.mean for one in found],
        y=[f"{_plain(label)} ({move.users:,})" for label, move in rows][::-1],
        mode="markers",
        marker={"color": [STANDINGS[one.standing] for one in found], "size": 10},
        error_x=_error(found),
        hovertemplate="%{y}: %{x:+.4f}<extra></extra>",
    )
    figure = _figure([dots], height=LINE * len(rows) + 80, across="after - before")
    return figure.update_xaxes(
        rangemode="tozero", nticks=6, zeroline=True, zerolinewidth=2, zerolinecolor="#868e96"
    )


def by_length(protocols: Sequence[ProtocolResult]) -> go.Figure:
    """Draw the headline metric of every system over the length of the histories."""
    (first, *_) = protocols
    lines = [
        go.Scatter(
            name=_plain(name),
            x=[one.name.removeprefix(FEW_SHOT) for one in protocols],
            y=[one.score(name).metrics[one.headline].mean for one in protocols],
            error_y=_error([one.score(name).metrics[one.headline] for one in protocols]),
            mode="lines+markers",
            line={"color": colours(first)[name]},
            visible=_appearance(first, name)["visible"],
        )
        for name in systems(first)
    ]
    words = "items known of each user"
    figure = _figure(lines, height=380, across=words, up=first.headline.upper())
    return figure.update_xaxes(type="category")


def thirds(protocol: ProtocolResult) -> go.Figure:
    """Draw which share of the places the most, the middling and the least chosen items got."""
    beyond_accuracy = [one for one in protocol.beyond_accuracy if one.exposure][::-1]
    bars = [
        go.Bar(
            name=f"{third} items",
            y=[_plain(one.system) for one in beyond_accuracy],
            x=[one.exposure.get(third, 0.0) for one in beyond_accuracy],
            orientation="h",
            marker={"color": colour},
            hovertemplate="%{x:.1%}",
        )
        for third, colour in THIRDS.items()
    ]
    figure = _figure(bars, height=LINE * len(beyond_accuracy) + 120, across="share of the places")
    return figure.update_layout(barmode="stack").update_xaxes(tickformat=".0%", range=[0, 1])


def by_attribute(protocol: ProtocolResult) -> go.Figure:
    """Draw which share of the places each value of the attribute got."""
    values = attribute_values(protocol)[::-1]
    bars = [
        go.Bar(
            name=_plain(one.system),
            y=[_plain(value) for value in values],
            x=[one.exposure.get(value, 0.0) for value in values],
            orientation="h",
            hovertemplate="%{x:.1%}",
            **_appearance(protocol, one.system),
        )
        for one in protocol.beyond_accuracy
    ]
    figure = _figure(bars, height=LINE * len(values) + 120, across="share of the places")
    return figure.update_xaxes(tickformat=".0%")


def attribute_values(protocol: ProtocolResult) -> list[str]:
    """Return the values of the attribute that splits exposure, most exposed first."""
    found = dict.fromkeys(group for one in protocol.beyond_accuracy for group in one.exposure)
    most = {
        group: max(one.exposure.get(group, 0.0) for one in protocol.beyond_accuracy)
        for group in found
    }
    return sorted((one for one in found if one not in THIRDS), key=lambda one: -most[one])


def reliability(protocol: ProtocolResult) -> go.Figure:
    """Draw how often what was shown was chosen, over the probability that it was shown with."""
    lines = [
        go.Scatter(
            name=_plain(one.system),
            x=[each.predicted for each in one.bins],
            y=[each.observed for each in one.bins],
            customdata=[each.count for each in one.bins],
            mode="lines+markers",
            line={"color": colours(protocol)[one.system]},
            hovertemplate="predicted %{x:.4f}, chosen %{y:.4f}, %{customdata:,} items shown",
        )
        for one in protocol.reliability
    ]
    most = max(
        max(each.predicted, each.observed) for one in protocol.reliability for each in one.bins
    )
    right = go.Scatter(
        name="what would be right",
        x=[0, most],
        y=[0, most],
        mode="lines",
        line={"color": "#868e96", "dash": "dot"},
        hoverinfo="skip",
    )
    return _figure([right, *lines], height=400, across="probability shown", up="share chosen")


def colours(protocol: ProtocolResult) -> Mapping[str, str]:
    """Return a colour for each system: warm ones for the product."""
    own = dict(zip(protocol.ours, OURS * len(protocol.ours), strict=False))
    others = [name for name in systems(protocol) if name not in own]
    return own | dict(zip(others, OTHERS * len(others), strict=False))


def _appearance(protocol: ProtocolResult, name: str) -> dict[str, Any]:
    """Return colour of a system's bars, and that only who is compared is shown at first."""
    compared = name in Sides.of(protocol).systems
    return {
        "marker": {"color": colours(protocol)[name]},
        "visible": True if compared else "legendonly",
    }


def _error(found: Sequence[Estimate]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [one.high - one.mean for one in found],
        "arrayminus": [one.mean - one.low for one in found],
        "thickness": 1.5,
        "width": 4,
    }


def _figure(traces: Sequence[Any], *, height: int, across: str = "", up: str = "") -> go.Figure:
    figure = go.Figure(list(traces))
    figure.update_layout(
        template="none",
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        hovermode="closest",
        bargap=0.25,
    )
    figure.update_xaxes(title=across, gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    figure.update_yaxes(
        title=up, gridcolor=GRID, zerolinecolor=GRID, automargin=True, ticklabelstandoff=6
    )
    return figure


def _plain(text: str) -> str:
    """Return text that plotly shows as it is: it takes a few tags and links for markup."""
    return escape(text, quote=False)
