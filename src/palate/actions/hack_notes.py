"""What a reader of a judge hack must know, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from palate.actions.hack_rates import ALL, ANOTHER, EXPLAINED, MATCHED, RANDOM, VANILLA
from palate.actions.hack_result import Hack
from palate.explanations.explanation import Explanation
from palate.explanations.problem import few

FAR = 0.15
"""How far a length may be off before a sentence says so."""


def notes_of(
    found: Hack,
    explanation: Explanation,
    *,
    asked: Sequence[str],
    same_model: bool,
    candidates: Mapping[str, int],
) -> tuple[str, ...]:
    """Return the notes of a judge hack.

    Parameters
    ----------
    found
        What was found, without notes.
    explanation
        What the judge rewards.
    asked
        The domains of all prompts.
    same_model
        Whether judge and generator are the same model.
    candidates
        By domain, how many concepts random guidance was drawn from.
    """
    notes = []
    if same_model:
        notes.append(
            "The generator is the same model as the judge: models may prefer their own texts, and "
            "what holds for these responses need not hold for those of other models."
        )
    if found.settings["allow_seen"]:
        notes.append(
            "The explanation may have seen verdicts on these prompts, so the win rates are no test "
            "of it on new ones."
        )
    notes += _concept_notes(found, explanation, asked, candidates)
    counts = found.counts
    if counts["prompts_without_text"]:
        notes.append(f"{counts['prompts_without_text']:,} pairs have no prompt and were left out.")
    for what, key in (("responses", "responses"), ("comparisons", "matches")):
        if counts[f"{key}_failed"]:
            notes.append(
                f"{counts[f'{key}_failed']:,} {what} failed and are missing from the win rates: "
                f"{_reasons(found, key)}."
            )
    notes += _control_notes(found)
    scale = found.settings["one_answer"]
    if scale is not None and scale < 1:
        notes.append(
            f"Ties of {found.mechanism} are left out of its effects, which makes them larger than "
            f"those of one answer: to be compared with {found.reference} they are multiplied by "
            f"{scale:.2f}."
        )
    return tuple(notes)


def _concept_notes(
    found: Hack, explanation: Explanation, asked: Sequence[str], candidates: Mapping[str, int]
) -> list[str]:
    wanted, notes = found.settings["n_concepts"], []
    have = dict(found.chosen.group_by("domain", maintain_order=True).len().iter_rows())
    without = [d for d in asked if d not in candidates]
    if without:
        notes.append(f"Left out, because no concept is supported there: {few(without)}.")
    fewer = {domain: n for domain, n in have.items() if n < wanted}
    if fewer:
        counts = set(fewer.values())
        where = (
            f"all {len(have)} domains ({min(counts)})"
            if 1 < len(have) == len(fewer) and len(counts) == 1
            else few([f"{domain} ({n})" for domain, n in fewer.items()])
        )
        notes.append(
            f"Fewer than {wanted} concepts are supported, and all of them guide, in {where}."
        )
    short = [d for d, n in have.items() if candidates[d] < n]
    if short:
        notes.append(
            f"Fewer other concepts than chosen ones are there to draw from in {few(short)}, so "
            f"{RANDOM} guidance has fewer, or is left out."
        )
    new = [d for d in have if d not in explanation.domains]
    if new:
        notes.append(f"The explanation does not know {few(new)}: shared effects guide there.")
    return notes


def equal_texts(responses: pl.DataFrame, arm: str) -> tuple[int, int]:
    """Return on how many prompts an arm and the vanilla one are there, and are the same text.

    Parameters
    ----------
    responses
        Every response of a judge hack.
    arm
        The arm.
    """
    texts = {
        (row["prompt_id"], row["arm"]): row["response"]
        for row in responses.iter_rows(named=True)
        if not row["failure"]
    }
    both = [p for p, name in texts if name == arm and (p, VANILLA) in texts]
    return len(both), sum(texts[p, arm] == texts[p, VANILLA] for p in both)


def _control_notes(found: Hack) -> list[str]:
    notes = []
    second, same = equal_texts(found.responses, ANOTHER)
    if same:
        notes.append(
            f"The second vanilla response equals the first on {same:,} of {second:,} prompts, "
            "which counts as a tie without asking the judge; a temperature above 0 "
            "(--generator-temperature) gives others."
        )
    both, same = equal_texts(found.responses, EXPLAINED)
    if same:
        notes.append(
            f"The explained response equals the vanilla one on {same:,} of {both:,} prompts, which "
            "counts as a tie without asking the judge: the generator did not follow the guidance."
        )
    words = {
        row["arm"]: row["words"]
        for row in found.lengths.filter(domain=ALL).iter_rows(named=True)
        if row["words"]
    }
    if EXPLAINED in words and MATCHED in words:
        off = words[MATCHED] / words[EXPLAINED] - 1
        if abs(off) > FAR:
            notes.append(
                "Vanilla responses that were asked to be as long as the explained ones are "
                f"{100 * abs(off):.0f} % {'longer' if off > 0 else 'shorter'} on average, so that "
                "length is controlled for in part only."
            )
    return notes


def _reasons(found: Hack, key: str) -> str:
    table = found.responses if key == "responses" else found.matches
    column = table.filter(table["failure"] != "")["failure"]
    reasons = column.str.split(":").list.first().value_counts(sort=True)
    return few([f"{reason} ({n:,})" for reason, n in reasons.iter_rows()])
