"""From measurements to medians, a table in Markdown and plots in SVG."""

import math
from html import escape


def percentile(values, percent):
    """The least of the values that so many percent of them are not above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def median(values):
    return percentile(values, 50)


def number(value):
    """As short as it may be without hiding a difference of a hundredth."""
    if value >= 1e6:
        return f"{value / 1e3:,.0f}k"
    if value >= 1e4:
        return f"{value / 1e3:.1f}k"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


class Figure:
    """The rounds of one thing that was measured."""

    def __init__(self, values):
        self.values = values

    def words(self):
        middle = number(median(self.values))
        if len(self.values) == 1:
            return middle
        return f"{middle} ({number(min(self.values))} .. {number(max(self.values))})"


def collect(measurements, value_of):
    """{contestant: Figure, or the reason there is none} of the measurements of one row; value_of picks a number or None."""
    values, reasons = {}, {}
    for each in measurements:
        value = value_of(each)
        if value is not None:
            values.setdefault(each["contestant"], []).append(value)
        elif "unable" in each:
            reasons.setdefault(each["contestant"], "-")
        elif "failed" in each:
            reasons.setdefault(each["contestant"], "failed")
        elif each.get("sustained") is False:
            reasons.setdefault(each["contestant"], "not sustained")
    return {**reasons, **{contestant: Figure(numbers) for contestant, numbers in values.items()}}


def table(heading, rows, contestants):
    """Markdown; rows are (name, what collect gives)."""
    lines = [f"| {heading} | " + " | ".join(contestants) + " |", "|---|" + "---:|" * len(contestants)]
    for name, cells in rows:
        shown = [cells.get(each, "") for each in contestants]
        lines.append(f"| {name} | " + " | ".join(each.words() if isinstance(each, Figure) else each for each in shown) + " |")
    return "\n".join(lines) + "\n"


COLOURS = ["#0b6e4f", "#3aa17e", "#1f4e8c", "#c8553d", "#8d3b72", "#e0a030", "#6b6b6b", "#9aa5b1", "#4c4c9d", "#222222"]
WIDTH, LEFT, BAR, GAP = 1080, 420, 14, 16


def plot(title, unit, rows, contestants, logarithmic=False):
    """Bars in SVG: a group for each row, a bar for each contestant, a line from the least to the most. Each group has its own scale when it is not
    logarithmic, as rows differ more than contestants do."""
    parts, y = [], 50
    for name, cells in rows:
        shown = [(each, cells[each]) for each in contestants if isinstance(cells.get(each), Figure)]
        if not shown:
            continue
        parts.append(f'<text x="{LEFT - 10}" y="{y + len(shown) * BAR / 2 + 4}" text-anchor="end">{escape(name)}</text>')
        most = max(max(figure.values) for _, figure in shown)
        for contestant, figure in shown:
            parts += bar(contestant, figure, y, scale(most, logarithmic), COLOURS[contestants.index(contestant) % len(COLOURS)])
            y += BAR
        y += GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="white"/><text x="20" y="24" font-size="15">{escape(title)}</text>'
            f'<text x="20" y="40" fill="#666">{escape(unit)}; medians, with the least and the most{"; logarithmic" * logarithmic}</text>'
            + "".join(parts) + "</svg>\n")


def scale(most, logarithmic):
    """From a value to pixels."""
    room = WIDTH - LEFT - 230
    if logarithmic:
        return lambda value: room * math.log10(max(value, 1) + 1) / math.log10(max(most, 1) + 1)
    return lambda value: room * value / most if most else 0


def bar(contestant, figure, y, pixels, colour):
    middle = pixels(median(figure.values))
    least, most = pixels(min(figure.values)), pixels(max(figure.values))
    return [f'<rect x="{LEFT}" y="{y}" width="{middle:.1f}" height="{BAR - 2}" fill="{colour}"/>',
            f'<line x1="{LEFT + least:.1f}" x2="{LEFT + most:.1f}" y1="{y + BAR / 2 - 1}" y2="{y + BAR / 2 - 1}" stroke="black"/>',
            f'<text x="{LEFT + max(middle, most) + 6:.1f}" y="{y + BAR - 4}">{escape(contestant)} {number(median(figure.values))}</text>']
