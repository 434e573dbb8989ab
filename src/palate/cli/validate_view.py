"""A validation in the terminal: sentences, agreement, the test person by person, the concepts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import polars as pl

from palate.cli.screen import console, counted, paragraph, styled
from palate.cli.terminal_text import one_line
from palate.validate.coefficients import AC1, ALPHA, COHEN, FLEISS, RAW

if TYPE_CHECKING:
    from rich.console import Console

    from palate.cli.validate_inputs import Drawn
    from palate.validate.validation import Validation

NAME = 30
MANY_LABELS = 400


def print_sample(drawn: Drawn, *, file: str, given: Sequence[tuple[str, object]]) -> None:
    """Print what was drawn and what to do with it.

    Parameters
    ----------
    drawn
        The sample and its files.
    file
        Where the pairs came from.
    given
        Options to repeat when the copies are back, with their values.
    """
    screen = console()
    n, columns = len(drawn.key.pairs), len(drawn.key.columns)
    asked = f" x {counted(columns, 'concept')}" if drawn.key.concepts else ""
    paragraph(
        screen,
        f"{counted(n, 'pair')}{asked} of {counted(drawn.n_domains, 'domain')}, without verdicts "
        "and names of models, in random order.",
        style="bold",
    )
    if n * columns > MANY_LABELS:
        paragraph(
            screen,
            f"That is {n * columns:,} labels for each person; --concept NAME, which may be "
            "repeated, asks about some concepts only.",
        )
    screen.print()
    for what, path in (
        ("Sheet, a copy for each person", drawn.sheet),
        ("What to tell them", drawn.instructions),
        ("Key, to be kept from them", drawn.key_file),
    ):
        screen.print(styled(f"{what}: {path}"), soft_wrap=True)
    more = "".join(f" {option} {quote(str(value))}" for option, value in given if value)
    again = (
        f"palate validate {quote(file)} --labels FOLDER --key {quote(str(drawn.key_file))}{more}"
    )
    screen.print(styled(f"When the copies are back: {again}"), soft_wrap=True)


def print_validation(found: Validation, *, out: Path | None) -> None:
    """Print what was found.

    Parameters
    ----------
    found
        The validation.
    out
        Where it was written; None if nowhere.
    """
    screen = console()
    for k, sentence in enumerate(found.sentences):
        paragraph(screen, sentence, style="bold" if k == 0 else "")
    main = found.questions[0]
    _agreement(screen, found.agreement.filter(question=main))
    tests = found.alternative.filter(question=main)
    if tests.height:
        _people(screen, tests, found.settings["epsilon"])
    if len(found.questions) > 1:
        _concepts(screen, found)
    screen.print()
    legend = (
        f"In brackets {100 * found.settings['level']:g} % intervals over groups of pairs that have "
        "a prompt in common."
    )
    if tests.height:
        legend += (
            " Advantage: share of items on which the model, or the person, agrees at least as well "
            "with the other people. p: of the hypothesis that the model is worse by epsilon or "
            "more, before the correction over people."
        )
    paragraph(screen, legend)
    for note in found.notes:
        paragraph(screen, note, bullet=True)
    if out is not None:
        screen.print()
        screen.print(styled(f"Tables: {out}"), soft_wrap=True)


def _agreement(screen: Console, rows: pl.DataFrame) -> None:
    grid = _grid(("agreement of", "items", "raw", "kappa", "AC1", "alpha"), 1)
    shown = rows.filter(pl.col("between") != "model and person")
    for (between, a, b), part in shown.group_by(["between", "a", "b"], maintain_order=True):
        by = {row["measure"]: row for row in part.iter_rows(named=True)}
        alone = between == "two people"
        cells = (
            "all people" if between == "people" else f"{_short(a, 22)} ~ {_short(b, 16)}",
            f"{by[RAW]['n_items']:,}",
            _alone(by[RAW]) if alone else _with_ends(by[RAW]),
            _alone(by.get(COHEN, by[FLEISS])),
            _alone(by[AC1]),
            _alone(by[ALPHA]) if alone else _with_ends(by[ALPHA]),
        )
        grid.add_row(*(styled(c) for c in cells))
    screen.print()
    screen.print(grid)


def _people(screen: Console, rows: pl.DataFrame, epsilon: float) -> None:
    head = ("model", "person", "items", "groups", "advantage", "the person's", "p", "")
    grid = _grid(head, 2)
    for row in rows.filter(pl.col("person").is_not_null()).iter_rows(named=True):
        p = row["p_value"]
        outcome = "not tested" if p is None else ("beaten" if row["beaten"] else "not beaten")
        cells = (
            _short(row["model"]),
            _short(row["person"]),
            f"{row['n_items']:,}",
            f"{row['n_groups']:,}",
            _number(row["advantage"]),
            _number(row["person_advantage"]),
            "–" if p is None else ("< .001" if p < 0.001 else f"{p:.3f}"),
            outcome,
        )
        grid.add_row(*(styled(c) for c in cells))
    screen.print()
    screen.print(styled(f"Alternative annotator test, epsilon {epsilon:g}", "bold"))
    screen.print(grid)


def _concepts(screen: Console, found: Validation) -> None:
    head = ["concept", "items", "people: raw", "alpha"]
    models = list(found.settings["models"])
    several = len(models) > 1
    head += ["model"] * several + ["raw", "kappa", "advantage", "test"] * bool(models)
    grid = _grid(tuple(head), 1)
    for question in found.questions[1:]:
        rows = found.agreement.filter(question=question)
        people = {r["measure"]: r for r in rows.filter(between="people").iter_rows(named=True)}
        first = [
            _short(question, 26),
            f"{people[RAW]['n_items']:,}",
            _alone(people[RAW]),
            _with_ends(people[ALPHA]),
        ]
        if not models:
            grid.add_row(*(styled(c) for c in first))
        for model in models:
            most = rows.filter((pl.col("between") == "model and majority") & (pl.col("a") == model))
            by = {r["measure"]: r for r in most.iter_rows(named=True)}
            test = found.alternative.filter(
                (pl.col("question") == question)
                & (pl.col("model") == model)
                & pl.col("person").is_null()
            ).row(0, named=True)
            more = [
                *([_short(model, 16)] if several else []),
                _alone(by.get(RAW)),
                _alone(by.get(COHEN)),
                _number(test["advantage"]),
                _outcome(test),
            ]
            grid.add_row(*(styled(c) for c in (*first, *more)))
            first = [""] * len(first)
    screen.print()
    beside = f"; {_short(models[0])} beside the majority" if len(models) == 1 else ""
    screen.print(styled(f"Concept by concept{beside}", "bold"))
    screen.print(grid)


def _grid(head: tuple[str, ...], n_left: int) -> Any:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for k, name in enumerate(head):
        left = k < n_left or (k == len(head) - 1 and name in ("", "test")) or name == "model"
        grid.add_column(styled(name), justify="left" if left else "right", no_wrap=k > 0)
    return grid


def _outcome(row: dict[str, Any]) -> str:
    if row["passes"] is None:
        return "not tested"
    word = "passes" if row["passes"] else "fails"
    return f"{word}, {row['n_beaten']} of {row['n_tested']}"


def _short(name: str, limit: int = NAME) -> str:
    return one_line(name, limit)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _alone(row: dict[str, Any] | None) -> str:
    return "–" if row is None else _number(row["value"])


def _with_ends(row: dict[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return "–"
    ends = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
    return f"{row['value']:.2f}{ends}"
