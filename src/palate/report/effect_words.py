"""The sentence that a bar stands for, and what is said below it.

The page fills the same templates from the same numbers when a reader points at a bar or moves to
it; every other view calls the functions. A test compares both.
"""

from __future__ import annotations

from palate.explanations.explanation import Explanation
from palate.inference.discoveries import Verdict
from palate.report.effects import Effect, chance, lift
from palate.report.figures import level_of
from palate.report.words import (
    interval_words,
    lift_words,
    plain,
    shown,
    signed,
    size,
    size_interval,
    step_words,
)

VERDICTS = tuple(v.value for v in Verdict)
SYMBOLS = dict(zip(VERDICTS, "●■◆○×", strict=True))
"""The mark of each verdict, in charts, tables and the terminal."""
SHORT = dict(
    zip(VERDICTS, ("everywhere", "in this domain", "differs here", "no", "unreliable"), strict=True)
)
TEMPLATES = {
    "everywhere": "Everywhere",
    "domain": "In {domain}",
    "raises": "{where}, one step more of {concept} raises the chance that {mechanism} prefers a "
    "response by {size} % ({level} % interval {interval})",
    "lowers": "{where}, one step more of {concept} lowers the chance that {mechanism} prefers a "
    "response by {size} % ({level} % interval {interval})",
    "changes": "{where}, one step more of {concept} is estimated to change the chance that "
    "{mechanism} prefers a response by {size} % ({level} % interval {interval})",
    "unknown": "{where}, too few pairs differ in {concept} to say what it does to the chance that "
    "{mechanism} prefers a response.",
    "more": ", {points} points more than elsewhere",
    "less": ", {points} points less than elsewhere",
    "against": ", against {elsewhere} % elsewhere",
    Verdict.EVERYWHERE.value: "; supported everywhere.",
    Verdict.HERE.value: "; supported in this domain.",
    Verdict.DIFFERS.value: "; differs in this domain.",
    Verdict.NOT.value: "; not supported: the interval includes no effect.",
    Verdict.UNRELIABLE.value: "; nothing can be said: annotated again, it got other values.",
    "follows": "; supported everywhere ({shared} %), no difference from it was found here.",
    "by chance": "; not supported: among so many concepts, chance alone gives such intervals.",
    "step": "One step: {step}.",
    "even": "It takes an even choice from 50 to {chance} %.",
    "elsewhere": "Elsewhere {elsewhere} %: a difference of {points} points, interval {interval}.",
    "fit": "p = {p}. Weight in the predicting model (drawn towards zero): lift {weight} %, kept "
    "in {kept} % of refits.",
}


def effect_sentence(effect: Effect, explanation: Explanation) -> str:
    """Return the full sentence of one effect: size, interval, difference, verdict.

    Parameters
    ----------
    effect
        The effect.
    explanation
        The explanation that it comes from.
    """
    say = TEMPLATES
    parts = {
        "where": say["everywhere"]
        if effect.domain is None
        else say["domain"].format(domain=shown(effect.domain)),
        "concept": shown(effect.concept),
        "mechanism": shown(explanation.mechanism),
        "level": level_of(explanation),
    }
    if not effect.known:
        return say["unknown"].format(**parts)
    kind = _kind(effect)
    if kind == "changes":
        parts |= {"size": lift_words(effect.estimate)}
        parts |= {"interval": interval_words(effect.low, effect.high)}
    else:
        parts |= {"size": size(effect.estimate)}
        parts |= {"interval": size_interval(effect.low, effect.high)}
    return say[kind].format(**parts) + _than_elsewhere(effect, kind) + _ending(effect)


def effect_details(effect: Effect, explanation: Explanation) -> str:
    """Return what stands below the sentence: step, even choice, elsewhere, p and weight.

    Parameters
    ----------
    effect
        The effect.
    explanation
        The explanation that it comes from.
    """
    say = TEMPLATES
    said = [say["step"].format(step=step_words(explanation, effect.index))]
    if not effect.known:
        return said[0]
    said.append(say["even"].format(chance=chance_words(effect.estimate)))
    part = effect.difference
    if part is not None:
        elsewhere = effect.estimate - part.estimate
        low, high = (lift(elsewhere + x) - lift(elsewhere) for x in (part.low, part.high))
        said.append(
            say["elsewhere"].format(
                elsewhere=lift_words(elsewhere),
                points=signed(lift(effect.estimate) - lift(elsewhere)),
                interval=f"{signed(low)} to {signed(high)}",
            )
        )
    said.append(
        say["fit"].format(
            p=p_words(effect.p_value),
            weight=lift_words(effect.weight),
            kept=round(100 * effect.selected),
        )
    )
    return " ".join(said)


def p_words(p: float) -> str:
    """Return a p-value with three digits behind the point, or "under 0.001".

    Parameters
    ----------
    p
        Between 0 and 1.
    """
    return "under 0.001" if p < 0.0005 else f"{p:.3f}"


def chance_words(weight: float) -> str:
    """Return what one step makes of an even choice, in per cent: "73" or "over 99".

    Parameters
    ----------
    weight
        Log-odds per step.
    """
    value = chance(weight)
    return "over 99" if value > 99.5 else "under 1" if value < 0.5 else f"{value:.0f}"


def _kind(effect: Effect) -> str:
    if not (effect.supported and effect.one_sided):
        return "changes"
    return "raises" if effect.estimate > 0 else "lowers"


def _than_elsewhere(effect: Effect, kind: str) -> str:
    part = effect.difference
    if effect.verdict != Verdict.DIFFERS or part is None:
        return ""
    elsewhere = effect.estimate - part.estimate
    points = abs(lift(effect.estimate)) - abs(lift(elsewhere))
    if kind == "changes" or elsewhere * effect.estimate < 0:
        return TEMPLATES["against"].format(elsewhere=lift_words(elsewhere))
    return TEMPLATES["more" if points > 0 else "less"].format(points=plain(points))


def _ending(effect: Effect) -> str:
    if effect.domain is not None and effect.verdict == Verdict.EVERYWHERE:
        return TEMPLATES["follows"].format(shared=lift_words(effect.shared))
    if effect.verdict == Verdict.NOT and effect.one_sided:
        return TEMPLATES["by chance"]
    return TEMPLATES[effect.verdict]
