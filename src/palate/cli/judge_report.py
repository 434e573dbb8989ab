"""How good judges are, from verdicts that are there: printed, and as a page and tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.cli.screen import console, paragraph, styled
from palate.cli.terminal_text import one_line

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from palate.data.preferences import Preferences
    from palate.data.run_directory import RunDirectory
    from palate.mechanisms.matchup import Judged
    from palate.validate.judge_quality_result import JudgeQuality

NAME_WIDTH = 32
LEGEND = {
    "behind": "behind: points behind the best judge on the pairs that both judged, ? = not beyond "
    "noise.",
    "shown first": "shown first: share of verdicts for the response shown first, 50 is no bias.",
    "flips": "flips: pairs on which the two orders disagree.",
    "ties": "ties: verdicts that are 0, those of flipping pairs among them.",
    "samples agree": "samples agree: chance that two answers to the same question agree.",
}
FILES = "judge_report.json, judge_report.csv, run.json"


def write_judge_report(
    preferences: Preferences,
    mechanisms: Sequence[str] | None = None,
    *,
    reference: str | None = None,
    out: Path | None = None,
    level: float = 0.9,
    seed: int = 0,
    quiet: bool = False,
    overwrite: bool = False,
    judged: Mapping[str, Sequence[Judged]] | None = None,
    arguments: Mapping[str, Any] | None = None,
    inputs: Iterable[str | Path] = (),
) -> JudgeQuality:
    """Print how good judges are, write it into a folder, and return it.

    Parameters
    ----------
    preferences
        The pairs with the recorded verdicts.
    mechanisms
        The judges; all but the reference if None.
    reference
        The mechanism that is right by definition; None for no accuracy.
    out
        The folder of `judge_report.html`, `.json`, `.csv` and `run.json`; None to write nothing.
    level
        Level of the intervals.
    seed
        Seed with which the file was read, for the record: nothing is drawn here.
    quiet
        Whether progress is left out.
    overwrite
        Whether files in the folder may be replaced.
    judged
        What judges said, where the metadata do not hold it.
    arguments
        Resolved arguments of the command, for the record.
    inputs
        Input files, for the record.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism or reference.
    InputError
        If there is no judge, the reference is one of them, or the level is not between 0 and 1.
    OutputError
        If the folder cannot be written.
    """
    from contextlib import nullcontext

    from palate.cli.progress import Stages
    from palate.data.staged_run import staged_run
    from palate.validate.judge_quality import judge_quality

    with (
        nullcontext() if out is None else staged_run(out, overwrite=overwrite) as directory,
        Stages(quiet=quiet) as stages,
    ):
        stages.stage(f"Comparing verdicts on {preferences.n_pairs:,} pairs")
        quality = judge_quality(
            preferences, mechanisms, reference=reference, judged=judged, level=level
        )
        if directory is not None:
            stages.stage("Writing the report")
            record = directory.write_run_json(
                arguments={
                    "command": "judge --report",
                    "reference": reference,
                    "judges": list(quality.mechanisms),
                    "level": level,
                    **(arguments or {}),
                },
                inputs=inputs,
                counts=quality.counts,
                seed=seed,
            )
            put_judge_report(quality, directory, run=json.loads(record.read_text(encoding="utf-8")))
    print_judge_quality(quality, out=out)
    return quality


def put_judge_report(
    quality: JudgeQuality, directory: RunDirectory, *, run: Mapping[str, Any] | None = None
) -> None:
    """Write the page and the tables into the folder of a run.

    Parameters
    ----------
    quality
        What was found.
    directory
        The folder.
    run
        Facts about the run.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    from palate.report.judge_page import write_judges

    quality.save(directory.file("judge_report.json"))
    quality.write_csv(directory.file("judge_report.csv"))
    write_judges(quality, directory.file("judge_report.html"), run=run)


def print_judge_quality(quality: JudgeQuality, *, out: Path | None = None) -> None:
    """Print how good judges are on standard output.

    Parameters
    ----------
    quality
        What was found.
    out
        Where the page lies; None if nothing was written.
    """
    from palate.validate.judge_quality_text import method, sentences

    screen = console()
    found = sentences(quality)
    for sentence in found:
        paragraph(screen, sentence)
    if found:
        screen.print()
    grid = _grid(quality)
    screen.print(grid)
    screen.print()
    titles = [str(column.header) for column in grid.columns]
    paragraph(
        screen,
        " ".join(["Per cent, intervals in brackets.", *(LEGEND[t] for t in titles if t in LEGEND)]),
    )
    paragraph(screen, method(quality))
    for note in quality.notes:
        paragraph(screen, note, bullet=True)
    if out is not None:
        screen.print()
        screen.print(styled(f"Report: {out / 'judge_report.html'}", "bold"), soft_wrap=True)
        screen.print(styled(f"Data:   {FILES} in {out}"), soft_wrap=True)


def _grid(quality: JudgeQuality) -> Grid:
    """Return one line per judge, the most accurate first; columns without a number are left out."""
    from rich.table import Table as Grid

    rows = [quality.row(name) for name in quality.ranked()]
    columns = [
        ("judge", [one_line(row["mechanism"], NAME_WIDTH) for row in rows]),
        ("pairs", [f"{row['judged']:,}" for row in rows]),
        ("accuracy", [_share(row, "accuracy") for row in rows]),
        ("behind", [_behind(quality, row) for row in rows]),
        ("rank", [_rank(row) for row in rows]),
        ("both orders", [_both(row) for row in rows]),
        ("shown first", [_share(row, "first_shown") for row in rows]),
        ("flips", [_share(row, "flips", interval=False) for row in rows]),
        ("ties", [_share(row, "ties", interval=False) for row in rows]),
        ("samples agree", [_share(row, "samples_agree", interval=False) for row in rows]),
    ]
    grid = Grid(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    alone = ("behind", "rank") if len(rows) == 1 else ()
    kept = [
        (title, cells)
        for title, cells in columns
        if title not in alone and any(cell != "–" for cell in cells)
    ]
    for title, _ in kept:
        grid.add_column(
            styled(title), justify="left" if title == "judge" else "right", overflow="fold"
        )
    for cells in zip(*(cells for _, cells in kept), strict=True):
        grid.add_row(*(styled(cell) for cell in cells))
    return grid


def _share(row: Mapping[str, Any], name: str, *, interval: bool = True) -> str:
    if row[name] is None:
        return "–"
    text = f"{100 * row[name]:.1f}"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if not interval or low is None:
        return text
    return f"{text} ({100 * low:.0f}-{100 * high:.0f})"


def _both(row: Mapping[str, Any]) -> str:
    """Return how many pairs were judged in both orders, where that is far from all."""
    n = row["both_orders"]
    return f"{n:,}" if n and n < 0.9 * row["judged"] else "–"


def _behind(quality: JudgeQuality, row: Mapping[str, Any]) -> str:
    if row["behind_p"] is None:
        return "–" if row["behind"] is None else "best"
    sure = "" if row["behind_p"] <= 1 - quality.level else " ?"
    return f"{100 * row['behind']:.1f}{sure}"


def _rank(row: Mapping[str, Any]) -> str:
    low, high = row["rank_low"], row["rank_high"]
    return "–" if low is None else f"{low}" if low == high else f"{low}-{high}"
