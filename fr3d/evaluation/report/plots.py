"""Line and bar charts as SVG text; no plotting package, nothing fetched when the page is read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 460, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 14, 46
INK, GRID, SHADE = "#333a44", "#e3e6ea", "#f3efe4"


@dataclass(frozen=True)
class Axis:
    """One direction of a chart.

    Attributes:
        label: what it shows.
        low: value at its start; positive on a logarithmic axis.
        high: value at its end.
        log: logarithmic.
    """

    label: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0 at the start and 1 at the end; values beyond are clipped."""
        if self.log:
            value = math.log10(max(value, self.low) / self.low) / math.log10(self.high / self.low)
        else:
            value = (value - self.low) / (self.high - self.low)
        return min(max(value, 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Round values along the axis."""
        if self.log:
            first = math.ceil(math.log10(self.low) - 1e-9)
            last = math.floor(math.log10(self.high) + 1e-9)
            return [10.0**k for k in range(first, last + 1)]
        step = 10 ** math.floor(math.log10(self.high - self.low))
        step *= next(s for s in (0.1, 0.2, 0.5, 1, 2) if (self.high - self.low) / (s * step) <= 6)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]


@dataclass(frozen=True)
class Series:
    """One line or one set of bars.

    Attributes:
        name: for the legend; empty for none.
        colour: as in CSS.
        x: values along the x axis; for bars the edges, one more than `y`.
        y: values along the y axis.
        dashed: draw a broken line.
    """

    name: str
    colour: str
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart: axes, series and what to mark.

    Attributes:
        title: read out by screen readers.
        x: horizontal axis.
        y: vertical axis.
        lines: drawn as lines.
        bars: drawn as translucent bars.
        unresolved: x values below it are shaded, because the data cannot show them; or None.
        marks: x positions of vertical lines, with a word each.
        legend_top: put the legend to the top left instead of the bottom right.
    """

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Series] = ()
    bars: Sequence[Series] = ()
    unresolved: float | None = None
    marks: Sequence[tuple[float, str]] = field(default=())
    legend_top: bool = False


def draw(chart: Chart) -> str:
    """The chart as an SVG element.

    Args:
        chart: what to draw.
    """
    parts = [
        *_shade(chart),
        *_grid(chart),
        *(_bars(chart, series) for series in chart.bars),
        *(_line(chart, series) for series in chart.lines),
        *_marks(chart),
        *_legend(chart),
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">'
        f"{''.join(parts)}</svg>"
    )


def _x(chart: Chart, value: float) -> float:
    return _LEFT + chart.x.place(value) * (WIDTH - _LEFT - _RIGHT)


def _y(chart: Chart, value: float) -> float:
    return HEIGHT - _BOTTOM - chart.y.place(value) * (HEIGHT - _TOP - _BOTTOM)


def _text(x: float, y: float, text: str, anchor: str = "middle", extra: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}"{extra}>'
        f"{escape(text)}</text>"
    )


def tick_text(value: float) -> str:
    """A tick's label: powers of ten as such, other values short."""
    if value and (abs(value) < 0.001 or abs(value) >= 10000):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.4g}".replace("-0", "0") if abs(value) < 1e-12 else f"{value:.4g}"


def _grid(chart: Chart) -> list[str]:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = []
    for value in chart.x.ticks():
        x = _x(chart, value)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{bottom}" stroke="{GRID}"/>')
        parts.append(_text(x, bottom + 16, tick_text(value)))
    for value in chart.y.ticks():
        y = _y(chart, value)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="{GRID}"/>')
        parts.append(_text(_LEFT - 6, y + 4, tick_text(value), "end"))
    parts.append(f'<path d="M{_LEFT} {_TOP}V{bottom}H{right}" stroke="{INK}" fill="none"/>')
    parts.append(_text((_LEFT + right) / 2, HEIGHT - 8, chart.x.label))
    middle = (_TOP + bottom) / 2
    turned = f' transform="rotate(-90 13 {middle:.1f})"'
    return [*parts, _text(13, middle, chart.y.label, extra=turned)]


def _shade(chart: Chart) -> list[str]:
    if chart.unresolved is None or chart.unresolved <= chart.x.low:
        return []
    width = _x(chart, chart.unresolved) - _LEFT
    height = HEIGHT - _BOTTOM - _TOP
    box = f'<rect x="{_LEFT}" y="{_TOP}" width="{width:.1f}" height="{height}" fill="{SHADE}"/>'
    if width < 90:
        return [box]
    return [box, _text(_LEFT + width / 2, HEIGHT - _BOTTOM - 8, "not resolvable")]


def _line(chart: Chart, series: Series) -> str:
    points = " ".join(
        f"{_x(chart, x):.1f},{_y(chart, y):.1f}" for x, y in zip(series.x, series.y, strict=True)
    )
    dash = ' stroke-dasharray="5 4"' if series.dashed else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{series.colour}" stroke-width="2"{dash}/>'
    )


def _bars(chart: Chart, series: Series) -> str:
    bottom = HEIGHT - _BOTTOM
    path = [f"M{_x(chart, series.x[0]):.1f} {bottom}"]
    for right, value in zip(series.x[1:], series.y, strict=True):
        path.append(f"V{_y(chart, value):.1f}H{_x(chart, right):.1f}")
    style = f'fill="{series.colour}" fill-opacity="0.35" stroke="{series.colour}"'
    return f'<path d="{"".join(path)}V{bottom}Z" {style}/>'


def _marks(chart: Chart) -> list[str]:
    parts = []
    for row, (value, word) in enumerate(chart.marks):
        x = _x(chart, value)
        path = f'd="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}"'
        parts.append(f'<path {path} stroke="{INK}" stroke-dasharray="2 3"/>')
        anchor, side = ("end", -4) if chart.x.place(value) > 0.6 else ("start", 4)
        parts.append(_text(x + side, _TOP + 12 + 15 * row, word, anchor))
    return parts


def _legend(chart: Chart) -> list[str]:
    named = [series for series in (*chart.bars, *chart.lines) if series.name]
    height = _TOP if chart.legend_top else HEIGHT - _BOTTOM - 12 - 18 * len(named)
    x = _LEFT + 12 if chart.legend_top else WIDTH - _RIGHT - 150
    parts = []
    for row, series in enumerate(named, start=1):
        y = height + 18 * row
        dash = ' stroke-dasharray="5 4"' if series.dashed else ""
        path = f'<path d="M{x} {y - 4}h22" stroke="{series.colour}" stroke-width="3"{dash}/>'
        parts += [path, _text(x + 28, y, series.name, "start")]
    return parts
