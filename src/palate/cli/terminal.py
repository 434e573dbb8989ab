"""The summary that a run prints: what each mechanism rewards, where domains differ, how well.

Colours and the width of the window are used in a terminal only; a file or a pipe gets plain text
of a fixed width. Every name goes through `clean` and none is read as markup.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from palate.cli.screen import console, paragraph, styled
from palate.explanations.evaluation import IN_DOMAIN, NEW_DOMAIN, OURS
from palate.explanations.yardsticks import NULLS, best_null
from palate.report.effect_words import SYMBOLS
from palate.report.effects import Effect, domain_statements, lift, supported_effects
from palate.report.figures import headline_score, level_of, scores_of
from palate.report.reach import domain_reach_sentence
from palate.report.score_words import score_sentence
from palate.report.sentences import fdr_sentences, nothing_sentence, summary_sentences
from palate.report.words import interval_words, lift_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from palate.explanations.explanation import Explanation

BAR = 12
MANY = 6  # mechanisms above this number are summarised more briefly
MODELS = {
    "longer response": "the longer response",
    "first response": "the first response",
    "majority": "the more frequent side",
    "pooled": "one regression for all domains",
    "per domain": "one regression per domain",
}
COLOURS = {"●": "blue", "■": "green", "◆": "dark_orange"}


def print_summary(
    explanations: Sequence[Explanation],
    *,
    opening: Iterable[str] = (),
    notes: Iterable[str] = (),
    out: Path | None = None,
) -> None:
    """Print the summary of a run on standard output.

    Parameters
    ----------
    explanations
        What was found, one per mechanism.
    opening
        Sentences to begin with.
    notes
        Sentences that a reader must know and that belong to no single mechanism.
    out
        Where the report and the data lie; None if nothing was written.
    """
    screen = console()
    first, second, *rest = [*summary_sentences(explanations), ""]
    for sentence in (first, second):
        paragraph(screen, sentence, style="bold")
    if len(explanations) > 1:
        for sentence in rest:
            paragraph(screen, sentence)
    else:
        for sentence in fdr_sentences(explanations):
            paragraph(screen, sentence)
    screen.print()
    for sentence in opening:
        paragraph(screen, sentence)
        screen.print()
    many = len(explanations) > MANY
    for explanation in explanations:
        _print_mechanism(screen, explanation, many=many)
    weak = domain_reach_sentence(explanations)
    remarks = dict.fromkeys(
        [*notes, *([weak] if weak else ()), *(_common(explanations) if many else ())]
    )
    if remarks:
        screen.print(styled("Notes", "bold"))
        for note in remarks:
            paragraph(screen, note, bullet=True)
        screen.print()
    level = level_of(explanations[0])
    paragraph(
        screen,
        "Lift: what one step of a concept does to the chance of a response in an even choice "
        f"(+20 %: from 50 to 60), estimated without shrinkage, with its {level} % interval. ● "
        "supported everywhere, ■ supported in this domain, ◆ different in this domain; what is not "
        "supported is in the report. These are associations in these data, not causes.",
    )
    if out is not None:
        screen.print()
        screen.print(styled(f"Report: {out / 'report.html'}", "bold"), soft_wrap=True)
        names = "explanation.json, pairs.parquet, weights.csv, run.json"
        screen.print(styled(f"Data:   {names} in {out}"), soft_wrap=True)


def _print_mechanism(screen: Console, explanation: Explanation, *, many: bool) -> None:
    counts = explanation.counts
    ties = f", {counts['ties']:,} ties left out" if counts.get("ties") else ""
    screen.rule(styled(explanation.mechanism, "bold"), align="left", characters="─")
    everywhere, within = supported_effects(explanation), domain_statements(explanation)
    n = explanation.concepts.n_concepts
    paragraph(
        screen,
        f"{counts['judged']:,} verdicts{ties}; {len(everywhere)} of {n} "
        f"concept{'' if n == 1 else 's'} supported everywhere, {len(within)} "
        f"statement{'' if len(within) == 1 else 's'} about single domains.",
    )
    for sentence in held_out(explanation):
        paragraph(screen, sentence)
    if not everywhere and not within:
        paragraph(screen, nothing_sentence([explanation]))
    largest = max((abs(lift(e.estimate)) for e in (*everywhere, *within)), default=0.0)
    _print_everywhere(screen, explanation, everywhere, largest, top=5 if many else 8)
    _print_domains(screen, explanation, within, largest, top=4 if many else 8)
    if not many:
        for note in explanation.notes:
            paragraph(screen, note, bullet=True)
    screen.print()


def _print_everywhere(
    screen: Console, explanation: Explanation, found: Sequence[Effect], largest: float, *, top: int
) -> None:
    if not found:
        return
    steps = _steps(explanation)
    table = _table(["supported everywhere"], "one step" if steps else "", level_of(explanation))
    for effect in found[:top]:
        last = (styled(steps[effect.index]),) if steps else ()
        table.add_row(_mark(effect), styled(effect.concept), *_numbers(effect, largest), *last)
    screen.print()
    screen.print(table)
    if len(found) > top:
        screen.print(styled(f"  and {len(found) - top} more in the report", "dim"))


def _print_domains(
    screen: Console, explanation: Explanation, found: Sequence[Effect], largest: float, *, top: int
) -> None:
    if not found:
        return
    table = _table(["in a domain", "concept"], "elsewhere", level_of(explanation))
    for effect in found[:top]:
        part = effect.difference
        elsewhere = math.nan if part is None else effect.estimate - part.estimate
        table.add_row(
            _mark(effect),
            styled(effect.domain or ""),
            styled(effect.concept),
            *_numbers(effect, largest),
            styled("–" if math.isnan(elsewhere) else f"{lift_words(elsewhere)} %"),
        )
    screen.print()
    screen.print(table)
    if len(found) > top:
        screen.print(styled(f"  and {len(found) - top} more in the report", "dim"))


def held_out(explanation: Explanation) -> list[str]:
    """Return the held-out scores beside every baseline in plain words.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    sentences = [score_sentence(explanation)]
    models = dict.fromkeys(s.model for s in scores_of(explanation))
    best = best_null(explanation)
    said_already = {OURS, best.model} if best else {OURS}
    for setting, words in (
        (IN_DOMAIN, "Beside it: {}."),
        (NEW_DOMAIN, "On a domain left out of the fit: {}."),
    ):
        said = []
        for model in models:
            score = headline_score(explanation, model=model, setting=setting)
            if score is None or (setting == IN_DOMAIN and model in said_already):
                continue
            if setting == NEW_DOMAIN and model in NULLS and model != "longer response":
                continue
            name = "this explanation" if model == OURS else MODELS.get(model, model)
            interval = (
                f" ({100 * score.low:.0f} to {100 * score.high:.0f})"
                if model == OURS and score.low is not None and score.high is not None
                else ""
            )
            said.append(f"{name} {100 * score.accuracy:.0f} %{interval}")
        if said:
            sentences.append(words.format(", ".join(said)))
    return sentences


def _table(first: Sequence[str], last: str, level: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", width=1, no_wrap=True)
    for title, width in zip(first, (28,) if len(first) == 1 else (14, 21), strict=True):
        table.add_column(styled(title), width=width, overflow="ellipsis", no_wrap=True)
    table.add_column(styled("lift"), width=BAR, no_wrap=True)
    for title, width in (("", 7), (f"{level} % interval", 14)):
        table.add_column(styled(title), justify="right", min_width=width, no_wrap=True)
    if last:
        room = 22 if len(first) == 1 else 12
        table.add_column(
            styled(last), justify="right", max_width=room, overflow="ellipsis", no_wrap=True
        )
    return table


def _mark(effect: Effect) -> Text:
    symbol = SYMBOLS[effect.verdict]
    return styled(symbol, COLOURS.get(symbol, ""))


def _numbers(effect: Effect, largest: float) -> tuple[Text, ...]:
    return (
        _bar(lift(effect.estimate), largest),
        styled(f"{lift_words(effect.estimate)} %"),
        styled(f"[{interval_words(effect.low, effect.high).replace(' to ', ', ')}]"),
    )


def _bar(value: float, largest: float) -> Text:
    """A bar for a lift: full blocks for more, shaded ones for less."""
    from rich.text import Text

    eighths = round(8 * BAR * abs(value) / largest) if largest else 0
    if value < 0:
        return Text("░" * max(1, round(eighths / 8)), style="magenta")
    blocks = "█" * (eighths // 8) + ("", *"▏▎▍▌▋▊▉")[eighths % 8]
    return Text(blocks or "▏", style="green")


def _steps(explanation: Explanation) -> list[str]:
    """What one step of each concept is; empty where every concept only compares."""
    matrix = explanation.concepts
    if np.isnan(matrix.step).all():
        return []
    return [
        "the other's" if math.isnan(step) else f"+{step:.3g} {concept.unit}".strip()
        for concept, step in zip(matrix.concepts, matrix.step, strict=True)
    ]


def _common(explanations: Sequence[Explanation]) -> list[str]:
    """Notes of a run over many mechanisms, each once, with the mechanisms it holds for."""
    holders: dict[str, list[str]] = {}
    for explanation in explanations:
        for note in explanation.notes:
            holders.setdefault(note, []).append(explanation.mechanism)
    found = []
    for note, names in holders.items():
        if len(names) == len(explanations):
            found.append(note)
        elif len(names) == 1:
            found.append(f"{names[0]}: {note}")
        else:
            found.append(f"{len(names)} mechanisms: {note}")
    return found[:12] + (
        [f"{len(found) - 12} more notes are in the report."] if len(found) > 12 else []
    )
