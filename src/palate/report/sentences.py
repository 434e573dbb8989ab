"""What was found, in plain sentences made from the numbers alone.

Rules: only supported statements are made, the surest large effects first (by the end of the
interval nearer to no effect), and the false discovery rate is said once; where nothing is
supported, the sentences say that nothing was found and which lift could have been.
Used by the report, the notebook view, the Markdown summary and the terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from palate.explanations.explanation import Explanation
from palate.report.effect_words import effect_sentence
from palate.report.effects import (
    Effect,
    anything_supported,
    domain_statements,
    supported_effects,
)
from palate.report.figures import fdr_of, level_of
from palate.report.reach import reach_sentence
from palate.report.score_words import FEW, score_sentence, scores_of_several
from palate.report.words import interval_words, listed, shown, size, size_interval

ALSO = 3  # further concepts that a sentence names


def summary_sentences(explanations: Sequence[Explanation]) -> list[str]:
    """Return the summary: what is rewarded, how well it holds, what differs, the error rate.

    The first sentence says what is rewarded and the second how well held-out verdicts are
    predicted; further ones name penalties, opposed mechanisms and domains.

    Parameters
    ----------
    explanations
        One explanation per mechanism, on the same pairs.
    """
    if not explanations:
        return ["No mechanism could be explained."]
    if len(explanations) == 1:
        return [*mechanism_sentences(explanations[0]), *fdr_sentences(explanations)]
    if not anything_supported(explanations):
        return [nothing_sentence(explanations), scores_of_several(explanations)]
    several = _one_by_one if len(explanations) <= FEW else _in_total
    extra = [_opposed(explanations), _domains_of_several(explanations)]
    return [
        several(explanations),
        scores_of_several(explanations),
        *(s for s in extra if s),
        *fdr_sentences(explanations),
    ]


def mechanism_sentences(explanation: Explanation) -> list[str]:
    """Return the summary of one mechanism: reward, score, penalty, what is supported in domains.

    Parameters
    ----------
    explanation
        The explained mechanism.
    """
    if not anything_supported([explanation]):
        return [nothing_sentence([explanation]), score_sentence(explanation)]
    name = shown(explanation.mechanism)
    found = supported_effects(explanation)
    rewarded = [e for e in found if e.estimate > 0]
    punished = [e for e in found if e.estimate < 0]
    sentences = []
    if not found:
        sentences.append(f"Nothing is supported that {name} rewards or penalises everywhere.")
    if rewarded:
        sentences.append(
            f"{name} rewards {shown(rewarded[0].concept)}: one step more raises the chance of a "
            f"response by {moved(rewarded[0], explanation)}.{_also('rewards', rewarded)}"
        )
    if punished:
        sentences.append(
            f"{name} penalises {shown(punished[0].concept)}: one step more lowers the chance of a "
            f"response by {moved(punished[0], explanation)}.{_also('penalises', punished)}"
        )
    sentences.insert(1, score_sentence(explanation))
    return [*sentences, *_in_domains(explanation)]


def nothing_sentence(explanations: Sequence[Explanation]) -> str:
    """Return that nothing was found, and which lift could have been.

    Parameters
    ----------
    explanations
        Explanations without any supported effect.
    """
    names = [shown(e.mechanism) for e in explanations]
    who = listed(names, last="or") if len(names) <= FEW else f"any of the {len(names)} mechanisms"
    n = len({c for e in explanations for c in e.concepts.names})
    many = any(len(e.domains) > 1 for e in explanations)
    text = (
        f"Nothing was found: of {n:,} concept{'' if n == 1 else 's'}, none is supported as "
        f"something that {who} rewards or penalises, "
        f"{'neither everywhere nor in a single domain, ' if many else ''}at a false discovery rate "
        f"of {fdr_of(explanations[0])} %."
    )
    said = reach_sentence(explanations[0]) if len(explanations) == 1 else ""
    return f"{text} {said}".strip()


def fdr_sentences(explanations: Sequence[Explanation]) -> list[str]:
    """Return the sentence on how much of what is supported is expected to be false, if anything is.

    Parameters
    ----------
    explanations
        One per mechanism.
    """
    if not anything_supported(explanations):
        return []
    each = "" if len(explanations) == 1 else " for a mechanism"
    return [
        f"Of what is called supported{each}, at most {fdr_of(explanations[0])} % is expected to "
        "be false."
    ]


def moved(effect: Effect, explanation: Explanation) -> str:
    """Return "6 % (90 % interval 2 to 10)", the size of a lift.

    Parameters
    ----------
    effect
        The effect.
    explanation
        The explanation that it comes from.
    """
    ends = size_interval if effect.one_sided else interval_words
    return (
        f"{size(effect.estimate)} % ({level_of(explanation)} % interval "
        f"{ends(effect.low, effect.high)})"
    )


def _also(verb: str, found: Sequence[Effect]) -> str:
    others = [shown(e.concept) for e in found[1 : 1 + ALSO]]
    more = len(found) - 1 - len(others)
    if more > 0:
        others.append(f"{more} more concept{'' if more == 1 else 's'}")
    return f" It also {verb} {listed(others)}." if others else ""


def _in_domains(explanation: Explanation) -> list[str]:
    found = domain_statements(explanation)
    if not found:
        if len(explanation.domains) < 2:
            return []
        return ["No effect that is limited to a domain, or different in one, is supported."]
    sentences = [effect_sentence(found[0], explanation)]
    more = len(found) - 1
    if more:
        domains = len({e.domain for e in found})
        sentences.append(
            f"{more} more statement{'' if more == 1 else 's'} about single domains "
            f"{'is' if more == 1 else 'are'} supported, in {domains} of {len(explanation.domains)} "
            "domains together."
        )
    return sentences


def _one_by_one(explanations: Sequence[Explanation]) -> str:
    tops: dict[str, list[tuple[Effect, Explanation]]] = {}
    silent: list[str] = []
    for explanation in explanations:
        top = next((e for e in supported_effects(explanation) if e.estimate > 0), None)
        if top is None:
            silent.append(shown(explanation.mechanism))
        else:
            tops.setdefault(top.concept, []).append((top, explanation))
    text = ""
    if tops:
        clauses = [
            f"{listed([shown(e.mechanism) for _, e in found])} "
            f"{'reward' if len(found) > 1 else 'rewards'} {shown(concept)}"
            f"{' most surely' if not k and len(tops) > 1 else ''}"
            for k, (concept, found) in enumerate(tops.items())
        ]
        every = sorted((x for found in tops.values() for x in found), key=lambda x: x[0].estimate)
        text = f"{'; '.join(clauses)}: one step more raises the chance of a response by "
        if len(every) == 1:
            text += f"{moved(*every[0])}. "
        else:
            text += _with_interval(*every[0], level=True)
            text += f" up to {_with_interval(*every[-1], level=False)}. "
    if silent:
        text += (
            f"Nothing is supported that {listed(silent, last='or')} "
            f"reward{'s' if len(silent) == 1 else ''} everywhere."
        )
    return text.strip()


def _with_interval(effect: Effect, explanation: Explanation, *, level: bool) -> str:
    words = f"{level_of(explanation)} % interval " if level else ""
    ends = size_interval if effect.one_sided else interval_words
    return (
        f"{size(effect.estimate)} % ({shown(explanation.mechanism)}, {words}"
        f"{ends(effect.low, effect.high)})"
    )


def _in_total(explanations: Sequence[Explanation]) -> str:
    n = len(explanations)
    for_, against = Counter[str](), Counter[str]()
    for explanation in explanations:
        for effect in supported_effects(explanation):
            (for_ if effect.estimate > 0 else against)[effect.concept] += 1
    parts = []
    for verb, counter in (("reward", for_), ("penalise", against)):
        if counter:
            concept, times = counter.most_common(1)[0]
            parts.append(f"most often {verb} {shown(concept)} ({times} of {n})")
    none = sum(not anything_supported([e]) for e in explanations)
    rest = f" Nothing was found for {none} of them." if none else ""
    if not parts:
        return f"For none of the {n} mechanisms is anything supported everywhere.{rest}"
    return f"Counting only what is supported, the {n} mechanisms {' and '.join(parts)}.{rest}"


def _opposed(explanations: Sequence[Explanation]) -> str:
    """Return the concept on which two mechanisms are opposed most, both effects supported."""
    by_concept: dict[str, list[tuple[float, str]]] = {}
    for explanation in explanations:
        for effect in supported_effects(explanation):
            sure = max(effect.bound, 0.0) * (1 if effect.estimate > 0 else -1)
            by_concept.setdefault(effect.concept, []).append((sure, shown(explanation.mechanism)))
    best: tuple[float, str, str, str] | None = None
    for concept, found in by_concept.items():
        low, high = min(found), max(found)
        gap = min(high[0], -low[0])
        if gap > 0 and (best is None or gap > best[0]):
            best = (gap, shown(concept), high[1], low[1])
    return f"{best[2]} rewards {best[1]}, while {best[3]} penalises it." if best else ""


def _domains_of_several(explanations: Sequence[Explanation]) -> str:
    """Return the surest statement about a single domain, or that there is none."""
    found = [(e, x) for x in explanations for e in domain_statements(x)]
    if not found:
        many = any(len(e.domains) > 1 for e in explanations)
        none = "No effect that is limited to a domain, or different in one, is supported."
        return none if many else ""
    top, explanation = max(found, key=lambda pair: pair[0].bound)
    rest = len(found) - 1
    more = f" {rest:,} more such statements are supported." if rest > 1 else ""
    return effect_sentence(top, explanation) + more
