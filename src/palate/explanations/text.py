"""Explanations as plain text, for `print` and the interactive prompt."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from palate.explanations.lifts import at_even
from palate.inference.discoveries import Verdict

if TYPE_CHECKING:
    from palate.explanations.explanation import Band, Explanation
    from palate.explanations.local import Contribution, LocalExplanation

BLOCKS = " ▏▎▍▌▋▊▉█"
BESIDE = ("majority", "longer response", "formatting only", "pooled", "per domain")


def bar(value: float, largest: float, width: int) -> str:
    """Return a bar of eighth blocks, `width` characters for `largest`, padded to `width`."""
    share = 0.0 if largest <= 0 or not math.isfinite(value) else min(abs(value) / largest, 1.0)
    eighths = round(share * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (BLOCKS[rest] if rest else "")).ljust(width)


def fit(text: str, width: int) -> str:
    """Return text cut or padded to a width, line breaks and control characters as blanks."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    return (clean if len(clean) <= width else clean[: width - 1] + "…").ljust(width)


def amount(step: float, unit: str) -> str:
    """Return what one step is ("40 words"), or an empty text for a comparative scale."""
    return f"{step:.3g} {unit}".strip() if math.isfinite(step) and unit else ""


def score(explanation: Explanation, setting: str, model: str) -> dict[str, float | None] | None:
    """Return the mean-of-domains score of a model in a setting, else over all pairs, else None."""
    rows = {
        row["domain"]: row
        for row in explanation.scores.iter_rows(named=True)
        if row["setting"] == setting and row["model"] == model
    }
    for domain in ("(mean)", "(all pairs)"):
        if domain in rows and rows[domain]["accuracy"] is not None:
            return rows[domain]
    return None


def describe(explanation: Explanation, *, top: int = 10) -> str:
    """Return the summary that `repr` shows: what is supported, and the scores."""
    counts, settings = explanation.counts, explanation.settings
    level = round(100 * float(settings.get("level", 0.9)))
    fdr = round(100 * float(settings.get("fdr", 0.1)))
    lines = [
        f"Explanation of {fit(explanation.mechanism, 60).rstrip()}: "
        f"{counts.get('used', 0):,} verdicts, {len(explanation.domains)} domains, "
        f"{explanation.concepts.n_concepts} concepts"
    ]
    shared = explanation.shared
    held = np.flatnonzero(shared.verdict == Verdict.EVERYWHERE.value).tolist()
    held.sort(key=lambda j: -abs(float(shared.estimate[j])))
    within = _own(explanation)
    if not held and not within:
        lines += ["", f"nothing is supported at a false discovery rate of {fdr} %"]
    if held:
        lines += ["", f"supported everywhere: lift in % per step [{level} % interval]"]
        largest = float(np.abs(at_even(shared.estimate[held])).max())
    for j in held[:top]:
        concept = explanation.concepts.concepts[j]
        value = float(at_even(shared.estimate[j]))
        lines.append(
            f"  {fit(concept.name, 30)} {value:+6.1f} {bar(value, largest, 16)} "
            f"{_interval(shared, j):>14}  "
            f"{amount(explanation.concepts.step[j], concept.unit)}".rstrip()
        )
    if len(held) > top:
        lines.append(f"  and {len(held) - top} more")
    if within:
        lines += ["", f"supported in single domains: lift there [{level} % interval]"]
    for d, j in within[:top]:
        total = explanation.total
        lines.append(
            f"  {fit(explanation.domains[d], 18)} {fit(explanation.concepts.names[j], 24)} "
            f"{at_even(total.estimate[d, j]):+6.1f} {_interval(total, (d, j)):>14}  "
            f"{total.verdict[d, j]}"
        )
    if len(within) > top:
        lines.append(f"  and {len(within) - top} more")
    lines += ["", *score_lines(explanation)]
    if held or within:
        lines.append(f"of what is called supported, at most {fdr} % is expected to be false")
    return "\n".join(lines)


def _own(explanation: Explanation) -> list[tuple[int, int]]:
    """Return domain and concept of what is supported of a domain itself, smallest p first."""
    own = np.isin(explanation.total.verdict, [Verdict.HERE.value, Verdict.DIFFERS.value])
    p = np.where(
        explanation.total.verdict == Verdict.DIFFERS.value,
        explanation.domain.p_value,
        explanation.total.p_value,
    )
    found = [(int(d), int(j)) for d, j in zip(*np.nonzero(own), strict=True)]
    return sorted(found, key=lambda at: (float(p[at]), at))


def _interval(band: Band, at: int | tuple[int, int]) -> str:
    return f"[{at_even(band.low[at]):+.0f}, {at_even(band.high[at]):+.0f}]"


def score_lines(explanation: Explanation) -> list[str]:
    """Return the held-out scores as sentences."""
    lines = []
    for setting, words in (("in domain", "new prompts"), ("new domain", "a new domain")):
        ours = score(explanation, setting, "HMDR")
        if ours is None or ours["accuracy"] is None:
            continue
        low, high = ours["accuracy_low"], ours["accuracy_high"]
        interval = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
        others = []
        for model in BESIDE:
            row = score(explanation, setting, model)
            if row is not None and row["accuracy"] is not None:
                others.append(f"{model} {100 * row['accuracy']:.1f}")
        beside = f" (beside: {', '.join(others)})" if others else ""
        lines.append(
            f"predicts {100 * ours['accuracy']:.1f} %{interval} of verdicts on {words}{beside}"
        )
    return lines or ["no held-out score could be computed"]


def describe_local(local: LocalExplanation, *, top: int = 8) -> str:
    """Return what `str` shows of a local explanation."""
    verdict = {None: "did not judge", 0.0: "tie"}.get(local.verdict, "")
    if not verdict and local.verdict is not None:
        verdict = f"prefers {'a' if local.verdict > 0 else 'b'}"
    where = f" ({fit(local.domain, 30).rstrip()})" if local.domain else ""
    lines = [
        f"Pair {fit(local.pair_id, 40).rstrip()}{where}, "
        f"{fit(local.mechanism, 40).rstrip()}: {verdict}; "
        f"model: P(a) = {local.probability:.2f}, log-odds {local.log_odds:+.2f}"
        + (
            ""
            if local.held_out_probability is None
            else f", unseen {local.held_out_probability:.2f}"
        )
    ]
    if not local.known_domain:
        lines.append("  (the model was not fitted on this domain: shared weights only)")
    if local.contradicts:
        lines.append("  ! the model contradicts the verdict")
    shown: list[Contribution] = [c for c in local.contributions if c.contribution != 0][:top]
    largest = max((abs(c.contribution) for c in shown), default=0.0)
    for c in shown:
        half = bar(c.contribution, largest, 10)
        sides = f"{'':10}|{half}" if c.contribution > 0 else f"{half.rstrip():>10}|{'':10}"
        lines.append(
            f"  {fit(c.concept, 30)} {c.value:+6.2f} steps x {c.weight:+5.2f} = "
            f"{c.contribution:+6.2f}  b {sides} a"
        )
    if not shown:
        lines += _equal(local)
    rest = [c.contribution for c in local.contributions if c.contribution != 0][top:]
    if rest:
        lines.append(f"  {len(rest)} smaller contributions: {math.fsum(rest):+.2f}")
    if local.flips:
        changes = " and ".join(
            f"{fit(f.concept, 30).rstrip()} "
            + ("levelled" if f.change == "level" else "reversed")
            + f" ({f.value:+.2f} to {f.becomes:+.2f})"
            for f in local.flips
        )
        lines.append(f"  would flip with: {changes}")
    return "\n".join(lines)


def _equal(local: LocalExplanation, *, top: int = 5) -> list[str]:
    """Return why nothing contributes, where that is because the responses do not differ."""
    weighted = [c for c in local.contributions if c.weight != 0]
    equal = [fit(c.concept, 30).rstrip() for c in weighted if c.measured]
    if not equal:
        return []
    n = len(weighted)
    known = f"all {n}" if len(equal) == n else f"{len(equal)} of the {n}"
    concepts = "the only concept that has" if n == 1 else f"{known} concepts that have"
    more = f", and {len(equal) - top} more" if len(equal) > top else ""
    names = ", ".join(equal[:top])
    return [f"  the responses are equal on {concepts} a weight here: {names}{more}"]
