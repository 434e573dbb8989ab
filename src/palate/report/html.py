"""Explanations -> one self-contained HTML file that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from palate.concepts.annotation.annotation import Annotation
from palate.data.preferences import Preferences
from palate.errors import InputError, OutputError
from palate.explanations.comparison_matrix import ComparisonMatrix
from palate.explanations.explanation import Explanation
from palate.report.annotation import annotation_section
from palate.report.effect_words import SHORT, SYMBOLS, VERDICTS
from palate.report.figures import SETTINGS, fdr_of, level_of
from palate.report.glance import glance
from palate.report.mechanism_matrix import matrix_figure
from palate.report.page import asset, hash_of, page
from palate.report.payload import FEW_MECHANISMS, embed, payload
from palate.report.reach import domain_reach_sentence
from palate.report.sentences import mechanism_sentences, summary_sentences
from palate.report.static import short_effects
from palate.report.tables import concept_rows, facts, run_rows, score_table
from palate.report.visible import one_line, visible
from palate.report.words import listed, shown
from palate.report.yardstick_data import yardstick_sentences

SCRIPTS = ("base", "lift", "heat", "scores", "examples", "main")


def write_report(
    explanations: Sequence[Explanation],
    preferences: Preferences,
    path: str | PathLike[str],
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    skipped: Mapping[str, str] | Sequence[str] | None = None,
    notes: Sequence[str] = (),
    comparison: ComparisonMatrix | None = None,
    annotation: Annotation | None = None,
) -> Path:
    """Write the report of one or more mechanisms as one HTML file and return its path.

    The file holds its style, script and data; a content security policy in it forbids every
    request. Summary, scores, concepts and notes are readable without JavaScript.

    Parameters
    ----------
    explanations
        One per mechanism, at least one, all of these preferences.
    preferences
        The explained pairs.
    path
        The file to write; it is replaced.
    title
        Heading of the report; by default it names the mechanisms.
    run
        Facts about the run (arguments, versions, hashes) for the notes.
    skipped
        Mechanisms that could not be explained: sentences, or a reason per mechanism.
    notes
        Plain sentences about the data that stand first among the notes; the first one also stands
        below the summary.
    comparison
        What `palate.compare_all` found on these mechanisms: their figure stands in the place of
        the table of agreement.
    annotation
        How a language model annotated the concepts, for a section of its own.

    Raises
    ------
    InputError
        If there is no explanation.
    UnknownNameError
        If an explanation names a pair that the preferences do not have.
    OutputError
        If the file cannot be written.
    """
    page = render(
        explanations,
        preferences,
        title=title,
        run=run,
        skipped=skipped,
        notes=notes,
        comparison=comparison,
        annotation=annotation,
    )
    target = Path(path)
    try:
        target.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}).") from error
    return target


def render(
    explanations: Sequence[Explanation],
    preferences: Preferences,
    *,
    title: str | None = None,
    run: Mapping[str, Any] | None = None,
    skipped: Mapping[str, str] | Sequence[str] | None = None,
    notes: Sequence[str] = (),
    comparison: ComparisonMatrix | None = None,
    annotation: Annotation | None = None,
) -> str:
    """Return the report as the text of an HTML file; see `write_report`.

    Parameters
    ----------
    explanations
        One per mechanism, at least one, all of these preferences.
    preferences
        The explained pairs.
    title
        Heading of the report; by default it names the mechanisms.
    run
        Facts about the run (arguments, versions, hashes) for the notes.
    skipped
        Mechanisms that could not be explained: sentences, or a reason per mechanism.
    notes
        Plain sentences about the data that stand first among the notes; the first one also stands
        below the summary.
    comparison
        What `palate.compare_all` found on these mechanisms: their figure stands in the place of
        the table of agreement.
    annotation
        How a language model annotated the concepts, for a section of its own.

    Raises
    ------
    InputError
        If there is no explanation.
    """
    if not explanations:
        raise InputError("A report needs at least one explanation; found none.")
    script = report_script()
    names = [shown(e.mechanism) for e in explanations]
    annotated = None if annotation is None else annotation_section(annotation)
    about = one_line(notes[0], 600) if notes else ""
    if annotated is not None:  # its sentences stand in a section of their own
        notes = [note for note in notes if one_line(note, 600) not in annotated["notes"]]
    many = len(names) > 3
    if isinstance(skipped, Mapping):
        skipped = [f"{name}: {reason}" for name, reason in skipped.items()]
    return page(
        "template.html.j2",
        filters={"visible": visible},
        title=one_line(title, 200)
        if title
        else f"What {f'{len(names)} mechanisms' if many else listed(names)} "
        f"{'rewards' if len(names) == 1 else 'reward'}",
        names=names,
        domains=[shown(d) for d in dict.fromkeys(d for e in explanations for d in e.domains)],
        counts=explanations[0].counts,
        level=level_of(explanations[0]),
        summary=summary_sentences(explanations),
        glance=glance(explanations, top=3 if len(names) <= FEW_MECHANISMS else 1),
        each=[(shown(e.mechanism), mechanism_sentences(e)) for e in explanations],
        short=[(shown(e.mechanism), short_effects(e)) for e in explanations],
        scores=[score_table(explanations, setting=s) for s in SETTINGS],
        yardsticks=[(shown(e.mechanism), yardstick_sentences(e)) for e in explanations],
        verdicts=[(v, SYMBOLS[v], SHORT[v]) for v in VERDICTS],
        marks={v: k for k, v in enumerate(VERDICTS)},
        matrix=matrix_figure(comparison, heading="All mechanisms") if comparison else "",
        fdr=fdr_of(explanations[0]),
        weak=domain_reach_sentence(explanations),
        concepts=concept_rows(explanations),
        annotation=annotated,
        facts=facts(explanations),
        about=about,
        notes=[*((one_line(n, 600), []) for n in notes), *_notes(explanations)],
        skipped=[one_line(s, 400) for s in skipped or ()],
        run=run_rows(run),
        script=script,
        script_hash=hash_of(script),
        data=embed(payload(explanations, preferences)),
    )


def report_script() -> str:
    """Return the script of a report: its parts in one scope."""
    parts = "\n".join(asset(f"script/{name}.js") for name in SCRIPTS)
    return f'\n(() => {{\n"use strict";\n{parts}}})();\n'


def _notes(explanations: Sequence[Explanation]) -> list[tuple[str, list[str]]]:
    """Return the notes, each once, with the mechanisms that it holds for (none = all)."""
    by_note: dict[str, list[str]] = {}
    for explanation in explanations:
        for note in dict.fromkeys(explanation.notes):
            by_note.setdefault(one_line(note, 600), []).append(shown(explanation.mechanism))
    return [(n, [] if len(w) == len(explanations) else w) for n, w in by_note.items()]
