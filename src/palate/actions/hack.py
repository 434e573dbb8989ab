"""`hack`: writes responses by what a judge's explanation says it rewards, and lets it judge them.

    vanilla           asked for without guidance: what all others are compared with
    explained         guided by the strongest supported concepts of the domain
    random            guided by as many other concepts of the domain, drawn for each prompt
    anti              guided by the chosen concepts with opposite aims
    another vanilla   a second sample without guidance: how often chance alone wins
    vanilla as long   without guidance, asked for with the length of the explained one

If the explanation is right, explained beats vanilla, and more often than random does; anti loses.
The explained response meets the vanilla one of its own length as well, so that a judge that likes
long responses does not pass for one that likes the concepts. Explanations are tested on prompts
that they were not fitted on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from palate.actions.choose import Effect, supported_effects
from palate.actions.exploitable import EXPLOITABLE, audit, one_answer
from palate.actions.generate import Written, write
from palate.actions.hack_notes import notes_of
from palate.actions.hack_plan import Game, Plan, games_of, tried_alone
from palate.actions.hack_prompts import Prompt, chosen_prompts, refuse_seen
from palate.actions.hack_rates import EXPLAINED, Match, alone_table, length_table, rate_table
from palate.actions.hack_result import CHOSEN, MATCHES, RESPONSES, Hack
from palate.actions.hack_silence import failures_of, refuse_silent
from palate.actions.hack_style import UNKNOWN, check_styles, styles_of, told
from palate.actions.win_rates import GAMMA
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError, UnknownNameError
from palate.explanations.comparison import Comparison
from palate.explanations.explanation import Explanation
from palate.llm.outcome import Asks
from palate.mechanisms.judge import Style
from palate.mechanisms.judging import judge_matchups
from palate.mechanisms.matchup import Judged
from palate.mechanisms.style import JudgeStyle
from palate.mechanisms.used import Used

N_CONCEPTS, N_PROMPTS, MAX_WORDS, MOST_ALONE = 4, 25, 300, 8


def hack(
    preferences: Preferences,
    explanation: Explanation,
    judge: Asks,
    generator: Asks,
    *,
    style: Style | None = None,
    concepts: Sequence[str] | None = None,
    reference: Comparison | None = None,
    n_concepts: int = N_CONCEPTS,
    n_prompts: int = N_PROMPTS,
    match_length: bool = True,
    control: bool = True,
    per_concept: bool = False,
    max_words: int = MAX_WORDS,
    allow_seen: bool = False,
    level: float = 0.9,
    seed: int = 0,
    stage: Callable[[str], None] | None = None,
) -> Hack:
    """Put the explanation of a judge to work on prompts that it was not fitted on.

    Parameters
    ----------
    preferences
        Pairs whose prompts are responded to; their responses and verdicts are not used.
    explanation
        What the judge rewards.
    judge
        The judge, see `palate.llm.connect`.
    generator
        The model that writes the responses.
    style
        How the judge is asked, of all prompts or by domain: as it was asked for the verdicts that
        are explained. None asks which response is better, and a note says so.
    concepts
        Names of the concepts that may guide; None for all.
    reference
        Comparison of the judge with the mechanism that stands for real quality, for the concepts
        by which the judge can be exploited.
    n_concepts
        Concepts that guide a response; in a domain with fewer supported ones, those.
    n_prompts
        Most prompts of a domain.
    match_length
        Whether explained responses meet a vanilla one of their own length as well.
    control
        Whether a second vanilla response shows how often chance alone wins.
    per_concept
        Whether each exploitable concept is tried as the only guidance, the largest 8.
    max_words
        Most words of a response.
    allow_seen
        Whether the explanation may have seen verdicts on these pairs.
    level
        Level of the intervals; 1 - level bounds the chance of any wrong statement in a family.
    seed
        Seed of everything drawn.
    stage
        Called with what begins, for people.

    Raises
    ------
    DataError
        If no concept is supported, there is no prompt, or a model gave no usable answer at all.
    InputError
        If the explanation has seen the pairs, or an option is out of range.
    UnknownNameError
        If one of `concepts` is none of the explanation, or a domain has no style.
    BudgetError
        If a client reached its limit of cost; what was answered is in its store.
    """
    _check(n_concepts, n_prompts, max_words, level)
    if per_concept and reference is None:
        raise InputError(
            "per_concept: found no reference; expected a comparison that says what is exploitable."
        )
    known = explanation.concepts.names
    for name in concepts or ():
        if name not in known:
            raise UnknownNameError("concept", name, known)
    if not allow_seen:
        refuse_seen(preferences, explanation)
    audited = (
        pl.DataFrame(schema=EXPLOITABLE) if reference is None else audit(explanation, reference)
    )
    supported = {
        d: [
            e
            for e in supported_effects(explanation, d)
            if concepts is None or e.concept.name in concepts
        ]
        for d in preferences.domains
    }
    chosen = {d: effects[:n_concepts] for d, effects in supported.items() if effects}
    if not chosen:
        raise DataError(
            f"No concept of {explanation.mechanism!r} is supported in any domain of these prompts; "
            "expected at least one, which more judged pairs may give."
        )
    asked = JudgeStyle() if style is None else style
    check_styles(asked, chosen)
    prompts, empty = chosen_prompts(preferences, tuple(chosen), n_prompts, seed)
    plan = Plan(
        explanation,
        chosen,
        alone=tried_alone(audited, MOST_ALONE) if per_concept else {},
        max_words=max_words,
        control=control,
        seed=seed,
    )
    say = stage or (lambda _: None)
    wrote, judged_by = Used(), Used()

    say(f"Writing responses to {len(prompts):,} prompts")
    written = write(generator, plan.tasks(prompts), max_words=max_words, used=wrote)
    refuse_silent("responses could be written", [w.failure for w in written])
    if match_length:
        say("Writing vanilla responses as long as the explained ones")
        longs = [plan.as_long(w) for w in written if w.task.arm == EXPLAINED and not w.failure]
        written += write(generator, longs, max_words=max_words, used=wrote)

    say("Judging the responses")
    games = games_of(written)
    matchups, styles = [g.matchup for g in games], styles_of(asked, games)
    said = judge_matchups(judge, matchups, styles, orders="both", seed=seed, used=judged_by)
    refuse_silent("comparisons could be judged", [r for j in said for r in failures_of(j)])
    matches = [g.match(j) for g, j in zip(games, said, strict=True)]
    found = Hack(
        mechanism=explanation.mechanism,
        reference=None if reference is None else reference.b,
        domains=tuple(dict.fromkeys(p.domain for p in prompts)),
        chosen=pl.DataFrame(_chosen_rows(chosen, prompts), schema=CHOSEN),
        rates=rate_table(matches, level=level),
        alone=alone_table(matches, level=level),
        lengths=length_table(written),
        exploitable=audited,
        responses=pl.DataFrame([_response_row(w) for w in written], schema=RESPONSES),
        matches=pl.DataFrame(
            [_match_row(g, m, j) for g, m, j in zip(games, matches, said, strict=True)],
            schema=MATCHES,
        ),
        counts={
            "prompts": len(prompts),
            "prompts_without_text": empty,
            "domains": len({p.domain for p in prompts}),
            "responses": sum(not w.failure for w in written),
            "responses_failed": sum(bool(w.failure) for w in written),
            "matches": sum(m.verdict == m.verdict for m in matches),
            "matches_failed": sum(m.verdict != m.verdict for m in matches),
            "exploitable": int(audited["exploitable"].sum()),
            "generator": wrote.told(),
            "judge": judged_by.told(),
        },
        notes=(),
        settings={
            "n_concepts": n_concepts,
            "n_prompts": n_prompts,
            "concepts": None if concepts is None else list(concepts),
            "match_length": match_length,
            "control": control,
            "per_concept": per_concept,
            "max_words": max_words,
            "allow_seen": allow_seen,
            "level": level,
            "reference_level": None if reference is None else reference.settings["level"],
            "one_answer": None if reference is None else one_answer(explanation, reference),
            "gamma": GAMMA,
            "seed": seed,
            **told(asked),
            "judge": model_name(judge),
            "generator": model_name(generator),
        },
    )
    notes = notes_of(
        found,
        explanation,
        asked=preferences.domains,
        same_model=same_model(judge, generator),
        candidates={d: len(plan.others[d]) for d in chosen},
    )
    return replace(found, notes=((UNKNOWN,) if style is None else ()) + notes)


def model_name(client: Asks) -> str | None:
    """Return the name of the model behind a client, None where it has none.

    Parameters
    ----------
    client
        The client.
    """
    name = getattr(getattr(client, "backend", None), "name", None)
    return None if name is None else str(name)


def same_model(judge: Asks, generator: Asks) -> bool:
    """Return whether two clients ask the same model in the same place.

    Parameters
    ----------
    judge
        One client.
    generator
        The other one.
    """
    if judge is generator:
        return True
    sent = [getattr(getattr(c, "backend", None), "sent", None) for c in (judge, generator)]
    name = model_name(judge)
    return name is not None and name == model_name(generator) and sent[0] == sent[1]


def _chosen_rows(
    chosen: dict[str, list[Effect]], prompts: Sequence[Prompt]
) -> list[dict[str, Any]]:
    there = {p.domain for p in prompts}
    return [
        {
            "domain": domain,
            "concept": e.concept.name,
            "aim": e.criterion.aim,
            "text": e.criterion.text,
            "estimate": e.estimate,
            "low": e.low,
            "high": e.high,
            "lift": e.lift,
            "verdict": e.verdict,
        }
        for domain, effects in chosen.items()
        if domain in there
        for e in effects
    ]


def _response_row(written: Written) -> dict[str, Any]:
    task = written.task
    return {
        "prompt_id": task.prompt_id,
        "domain": task.domain,
        "arm": task.arm,
        "prompt": task.prompt,
        "criteria": [{"name": c.name, "text": c.text, "aim": c.aim} for c in task.criteria],
        "words_wanted": task.words,
        "words": None if written.failure else written.words,
        "response": written.text,
        "failure": written.failure,
    }


def _match_row(game: Game, match: Match, judged: Judged) -> dict[str, Any]:
    ab, ba = judged.ab, judged.ba
    both = [said for said in (ab, ba) if said is not None]
    return {
        "prompt_id": match.prompt_id,
        "domain": match.domain,
        "arm": match.arm,
        "against": match.against,
        "verdict": _known(match.verdict),
        "ab": None if ab is None else _known(ab.verdict),
        "ba": None if ba is None else _known(ba.verdict),
        "flips": match.flips,
        "reasons_ab": [] if ab is None else list(ab.reasons),
        "reasons_ba": [] if ba is None else list(ba.reasons),
        "failure": "; ".join(dict.fromkeys(s.failure for s in both if s.failure)),
    }


def _known(value: float) -> float | None:
    return None if value != value else value


def _check(n_concepts: int, n_prompts: int, max_words: int, level: float) -> None:
    for name, number in (
        ("n_concepts", n_concepts),
        ("n_prompts", n_prompts),
        ("max_words", max_words),
    ):
        if number < 1:
            raise InputError(f"{name}: found {number}; expected at least 1.")
    if not 0 < level < 1 - 2 * GAMMA:
        raise InputError(f"level: found {level}; expected a number between 0 and {1 - 2 * GAMMA}.")
