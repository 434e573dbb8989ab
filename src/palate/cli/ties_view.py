"""Broken ties in the terminal: sentences, the strategies, the concepts, what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.cli.screen import console, counted, paragraph, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from palate.actions.ties_result import TieBreaks

NAME_WIDTH, MOST = 30, 8
TIED = 0.5  # score of a pair that stays a tie
CLEAR = 0.05  # adjusted p-value below which a gain is called one


def print_ties(
    found: TieBreaks,
    *,
    notes: Iterable[str] = (),
    closing: str = "",
    out: Path,
    command: str,
) -> None:
    """Print what became of a judge's ties on standard output.

    Parameters
    ----------
    found
        The result.
    notes
        Sentences about the concepts.
    closing
        The line about what was spent; empty where no model was asked.
    out
        Where it was written.
    command
        The command to run next.
    """
    screen = console()
    for sentence in sentences(found):
        paragraph(screen, sentence)
    _strategies(screen, found)
    _curve(screen, found)
    _concepts(screen, found)
    screen.print()
    for note in (*notes, *found.notes):
        paragraph(screen, note, bullet=True)
    screen.print()
    if closing:
        screen.print(styled(closing), soft_wrap=True)
    names = ", ".join(found.mechanism(s) for s in found.strategies["strategy"].to_list())
    screen.print(styled(f"Verdicts: {names} in {out / 'preferences.jsonl'}"), soft_wrap=True)
    screen.print(
        styled(f"Data:     ties.json, ties.csv, pairs.jsonl, run.json in {out}"), soft_wrap=True
    )
    screen.print(styled(f"Next:     {command}"), soft_wrap=True)


def sentences(found: TieBreaks) -> list[str]:
    """Return what was found, in words.

    Parameters
    ----------
    found
        The result.
    """
    rows = found.strategies.to_dicts()
    how = (
        "asked again" if found.settings["asked"] else "decided by explained models, no model asked"
    )
    told = [f"{found.judge} left {counted(rows[0]['n_tied'], 'tie')}: {how}."]
    if not rows[0]["n_scored"]:
        return told
    clear = [r for r in rows if r["p_adjusted"] is not None and r["p_adjusted"] < CLEAR]
    better = [row["strategy"] for row in clear if row["accuracy"] > TIED]
    worse = [row["strategy"] for row in clear if row["accuracy"] < TIED]
    told.append(
        f"Of the ties, {_joined(better)} decide{'s' * (len(better) == 1)} more as "
        f"{found.reference} does than a coin would."
        if better
        else f"No strategy is shown to decide more as {found.reference} does than a coin would."
    )
    if worse:
        told.append(f"Worse than a coin: {_joined(worse)}.")
    best = max(rows, key=lambda row: row["accuracy"])
    if best["strategy"] in better:
        told.append(
            f"The best is {best['strategy']}: {_signed(best['gain'])} points over leaving them, "
            f"and {_points(best['all_before'])} to {_points(best['all_after'])} % on all pairs "
            "that were judged."
        )
    return told


def _strategies(screen: Console, found: TieBreaks) -> None:
    from rich.table import Table

    scored = found.reference is not None
    level = f"{100 * found.settings['level']:g} %"
    screen.print()
    title = (
        f"Per cent as {found.reference}, ties one half ({level} intervals)" if scored else "Ties"
    )
    screen.print(styled(one_line(title, 90), "bold"))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    heads = ["strategy", "broken"]
    if scored:
        heads += ["tied pairs", "p (Holm)", "of broken", "over random", "all pairs"]
    for k, head in enumerate(heads):
        grid.add_column(head, justify="right" if k else "left")
    rows = found.strategies.to_dicts()
    for row in rows:
        cells = [row["strategy"], f"{row['n_broken']:,} of {row['n_tied']:,}"]
        if scored:
            cells += [
                _points(row["accuracy"]) + _between(row, "accuracy"),
                _small(row["p_adjusted"]),
                _points(row["accuracy_broken"]),
                _signed(row["over_random"]) + _between(row, "over_random", signed=True),
                _points(row["all_after"]),
            ]
        grid.add_row(*(styled(cell) for cell in cells))
    if scored:
        grid.add_row("ties left", "0", "50.0", "–", "–", "–", _points(rows[0]["all_before"]))
    screen.print(grid)


def _curve(screen: Console, found: TieBreaks) -> None:
    from rich.table import Table

    shares = (0.2, 0.4, 0.6, 0.8, 1.0)
    rows = [r for r in found.curve.to_dicts() if any(abs(r["allowed"] - s) < 1e-9 for s in shares)]
    if not rows:
        return
    screen.print()
    screen.print(styled("Per cent on the tied pairs if only the surest are broken", "bold"))
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    grid.add_column("broken at most")
    for share in shares:
        grid.add_column(f"{100 * share:.0f} %", justify="right")
    for strategy in found.strategies["strategy"].to_list():
        cells = [_points(r["accuracy"]) for r in rows if r["strategy"] == strategy]
        grid.add_row(*(styled(cell) for cell in (strategy, *cells)))
    screen.print(grid)


def _concepts(screen: Console, found: TieBreaks) -> None:
    """Name the concepts that decide in most domains and parts; a whole model has too many."""
    if found.settings["by"] == "all":
        return
    screen.print()
    screen.print(styled("Concepts that decide, in how many domains and parts", "bold"))
    for strategy in found.strategies["strategy"].to_list():
        counts: dict[str, int] = {}
        for row in found.concepts.filter(strategy=strategy).to_dicts():
            sign = "+" if row["aim"] == "more" else "−"
            name = f"{sign}{one_line(row['concept'], NAME_WIDTH)}"
            counts[name] = counts.get(name, 0) + 1
        most = sorted(counts.items(), key=lambda item: -item[1])
        words = ", ".join(f"{name} ({n})" for name, n in most[:MOST])
        more = f", and {len(most) - MOST} more" if len(most) > MOST else ""
        paragraph(screen, f"{strategy}: {words or 'none'}{more}", bullet=True)


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _signed(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:+.1f}".replace("-", "−")


def _between(row: dict[str, Any], name: str, *, signed: bool = False) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return ""
    show = _signed if signed else _points
    return f" ({show(low)} to {show(high)})"


def _small(p: float | None) -> str:
    if p is None:
        return "–"
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
