"""Many mechanisms as one figure: agreement and distance in the order of likeness, and a tree.

Above the diagonal stands how often two mechanisms agree, below it how far apart what they reward
is. Every cell holds its sentence as a title and for screen readers; up to twelve mechanisms every
cell can be reached by keyboard, beyond that every row, whose sentence names the nearest.
"""

from __future__ import annotations

import html

import numpy as np

from palate.explanations.comparison_matrix import ComparisonMatrix
from palate.report.visible import one_line

NOTE = (
    "Tree and order: mechanisms that reward alike are neighbours. Above the diagonal: on how many "
    "of the pairs that both judged two gave the same verdict, in per cent. Below it: the distance "
    "between what they reward, in log-odds per typical difference of a concept, without what "
    "noise alone puts between two; 0 cannot be told apart."
)
TABBED = 12
ROW, LABEL, WIDTH = 20, 210, 680  # pixels of the tree
NAME = 60


def matrix_figure(matrix: ComparisonMatrix, *, heading: str = "Mechanisms side by side") -> str:
    """Return the figure as HTML, every text in it escaped; it needs the style of the report only.

    Parameters
    ----------
    matrix
        What `palate.compare_all` found.
    heading
        Caption of the table.
    """
    order = list(matrix.order)
    names = [html.escape(one_line(matrix.mechanisms[i], NAME)) for i in order]
    head = "".join(f'<th scope="col"><span><bdi>{name}</bdi></span></th>' for name in names)
    rows = []
    for r, i in enumerate(order):
        cells = "".join(_cell(matrix, i, j, above=c > r) for c, j in enumerate(order))
        sentence = html.escape(row_sentence(matrix, i))
        tab = ' tabindex="0"' if len(order) > TABBED else ""
        rows.append(
            f'<tr><th scope="row" title="{sentence}"{tab}><span><bdi>{names[r]}</bdi></span>'
            f'<span class="vh">. {sentence}</span></th>{cells}</tr>'
        )
    kind = "upright" if len(order) <= 9 else "turned"
    return (
        f'<p class="note">{html.escape(NOTE)}</p>{tree(matrix)}'
        '<div class="scroll" role="region" tabindex="0" aria-label="Agreement and distance">'
        f'<table class="heat {kind}"><caption class="vh">{html.escape(heading)}</caption>'
        f'<thead><tr><th scope="col">Mechanism</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def cell_sentence(matrix: ComparisonMatrix, i: int, j: int) -> str:
    """Return the sentence that two mechanisms have in the figure.

    Parameters
    ----------
    matrix
        What was found.
    i
        Position of one mechanism.
    j
        Position of the other.
    """
    one, other = (one_line(matrix.mechanisms[k], NAME) for k in (i, j))
    n = int(matrix.judged[i, j])
    if not n:
        return f"{one} and {other} judged no pair in common."
    text = f"{one} and {other} agree on {100 * matrix.agreement[i, j]:.0f} % of {n:,} pairs"
    if not np.isnan(matrix.kappa[i, j]):
        text += f" (kappa {matrix.kappa[i, j]:.2f})"
    distance = matrix.distance[i, j]
    if np.isnan(distance):
        return f"{text}; too little to compare what they reward."
    if distance == 0:
        return f"{text}; what they reward cannot be told apart."
    return f"{text}; distance between what they reward {distance:.2f}."


def row_sentence(matrix: ComparisonMatrix, i: int) -> str:
    """Return the sentence of a row: the mechanisms nearest to this one, and the farthest.

    Parameters
    ----------
    matrix
        What was found.
    i
        Position of the mechanism.
    """
    found = matrix.nearest(matrix.mechanisms[i])
    if not found:
        return "Nothing to compare it with."
    near = ", ".join(f"{one_line(name, NAME)} ({d:.2f})" for name, d in found[:3])
    far, d = found[-1]
    return f"Rewards most alike: {near}; least alike: {one_line(far, NAME)} ({d:.2f})."


def tree(matrix: ComparisonMatrix) -> str:
    """Return the clustering as an SVG tree, leaves from top to bottom in the order of the table.

    Parameters
    ----------
    matrix
        What was found.
    """
    M = len(matrix.mechanisms)
    if M < 3:
        return ""
    place = {leaf: ROW * (r + 0.5) for r, leaf in enumerate(matrix.order)}
    most = max(float(matrix.merges[-1, 2]), 1e-9)
    x = dict.fromkeys(range(M), 0.0)
    lines = []
    for k, (left, right, height, count) in enumerate(matrix.merges):
        one, other, node = int(left), int(right), M + k
        at = float(height) / most
        sentence = f"{int(count)} mechanisms, mean distance {height:.2f}"
        lines.append(
            f'<path class="axis" fill="none" d="M{_x(x[one])} {place[one]:.1f}H{_x(at)}'
            f'V{place[other]:.1f}H{_x(x[other])}"><title>{sentence}</title></path>'
        )
        place[node], x[node] = (place[one] + place[other]) / 2, at
    labels = "".join(
        f'<text class="tick" x="{LABEL - 8}" y="{ROW * (r + 0.5) + 4:.1f}" text-anchor="end">'
        f"{html.escape(one_line(matrix.mechanisms[leaf], 34))}</text>"
        for r, leaf in enumerate(matrix.order)
    )
    label = html.escape(
        f"Tree of {M} mechanisms by the distance between what they reward; the order is that of "
        "the table."
    )
    return (
        '<div class="scroll" role="region" tabindex="0" aria-label="Tree of likeness">'
        f'<svg viewBox="0 0 {WIDTH} {ROW * M}" width="{WIDTH}" height="{ROW * M}" role="img" '
        f'aria-label="{label}">{labels}{"".join(lines)}</svg></div>'
    )


def _x(height: float) -> str:
    return f"{LABEL + (WIDTH - LABEL - 4) * height:.1f}"


def _cell(matrix: ComparisonMatrix, i: int, j: int, *, above: bool) -> str:
    if i == j:
        return '<td class="none"><span aria-hidden="true">–</span></td>'
    sentence = html.escape(cell_sentence(matrix, i, j))
    value = matrix.agreement[i, j] if above else matrix.distance[i, j]
    if np.isnan(value):
        shade, text = "none", "·"
    elif above:
        shade, text = _shade(value - 0.5, 0.5), f"{100 * value:.0f}"
    else:
        most = float(np.nanmax(matrix.distance))
        shade, text = _shade(-value, max(most, 1e-9)), f"{value:.2f}".removeprefix("0")
    tab = ' tabindex="0"' if len(matrix.mechanisms) <= TABBED else ""
    return (
        f'<td class="{shade}" title="{sentence}"{tab}><span aria-hidden="true">{text}</span>'
        f'<span class="vh">{sentence}</span></td>'
    )


def _shade(value: float, most: float) -> str:
    if value == 0:
        return ""
    return f"{'p' if value > 0 else 'm'}{int(np.clip(np.ceil(6 * abs(value) / most), 1, 6))}"
