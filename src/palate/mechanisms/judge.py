"""`judge`: preferences and a style in, a `Judgement` out.

    with connect("openai:gpt-5-mini") as client:
        judgement = palate.judge(preferences, client, JudgeStyle("cot"), name="judge/cot")
    preferences = judgement.add_to(preferences)

Everything random is drawn from the ids of the pairs and the seed, and every answer lies in the
client's store, so asking again, after an interruption or for the same pairs in another file,
costs nothing and gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeAlias

from palate.data.injection import flags_of
from palate.data.preferences import Preferences
from palate.data.shown import MAX_CHARS, show
from palate.errors import DataError, InputError, UnknownNameError
from palate.llm.dry import DryClient
from palate.llm.outcome import Asks
from palate.mechanisms.examples import Demonstration, draw_examples
from palate.mechanisms.judgement import Judgement
from palate.mechanisms.judging import BLOCK, Orders, judge_matchups, prompt_of
from palate.mechanisms.matchup import Judged, Matchup
from palate.mechanisms.style import JudgeStyle
from palate.mechanisms.used import Used

Style: TypeAlias = JudgeStyle | Mapping[str, JudgeStyle]
N_EXAMPLES = 4
PROBES = 3  # questions after which a model without probabilities is refused


def judge(
    preferences: Preferences,
    client: Asks,
    style: Style = JudgeStyle(),  # noqa: B008 - frozen
    *,
    name: str,
    orders: Orders = "both",
    samples: int = 1,
    soft: bool = False,
    examples_of: str | None = None,
    n_examples: int = N_EXAMPLES,
    seed: int = 0,
    max_chars: int = MAX_CHARS,
    block: int = BLOCK,
    provenance: Mapping[str, Any] | None = None,
) -> Judgement:
    """Ask a language model which response of each pair is better.

    Parameters
    ----------
    preferences
        The pairs; verdicts are not looked at, but for those of `examples_of`.
    client
        Who answers, see `palate.llm.connect`.
    style
        How it is asked, of all pairs or by domain.
    name
        Name of the column of verdicts.
    orders
        "both" asks with a first and with b first, "ab" and "ba" with one of them, "random" with
        one that the id and the seed decide.
    samples
        How often each order is asked; more than once says something at a temperature above 0 only.
    soft
        Whether verdicts are 2p - 1, with p the probability of a in the answers, mean over orders.
    examples_of
        Mechanism whose verdicts are the right answers of demonstrations, which makes the judge a
        k-shot one.
    n_examples
        Demonstrations of a pair.
    seed
        Seed of the demonstrations and of the order "random".
    max_chars
        Longest prompt or response that is shown whole.
    block
        Questions handed to the client at a time.
    provenance
        What is recorded beside, for instance the name of the model.

    Raises
    ------
    DataError
        If not a single question was answered, or there are no demonstrations.
    InputError
        If there are no pairs, a domain has no style, choices contradict each other, or the model
        gives no probabilities where verdicts are soft.
    UnknownNameError
        If there is no such mechanism for demonstrations, or no such choice of orders.
    BudgetError
        If the client reached its limit of cost; what was answered is in its store.
    """
    if not preferences.n_pairs:
        raise InputError("judge: found no pairs; expected at least one.")
    styles = _by_domain(preferences, style)
    shots: dict[str, tuple[Demonstration, ...]] = {}
    if examples_of is not None:
        if any(one.mode != "zero-shot" or one.question != "better" for one in styles.values()):
            raise InputError(
                "judge: found demonstrations for a judge that is not asked at once which response "
                "is better; expected the mode 'zero-shot', which they make a k-shot one."
            )
        shots = draw_examples(preferences, examples_of, n=n_examples, seed=seed)
    ids, domains = preferences.ids, preferences.pairs["domain"].to_list()
    domain_of = dict(zip(ids, domains, strict=True))
    matchups = [
        Matchup(*row)
        for row in preferences.pairs.select("id", "prompt", "response_a", "response_b").rows()
    ]

    def style_of(matchup: Matchup) -> JudgeStyle:
        own = styles[domain_of[matchup.id]]
        if not shots:
            return own
        examples = tuple(shot.example for shot in shots[matchup.id])
        return replace(own, mode="k-shot", examples=examples)

    if soft and not isinstance(client, DryClient):
        _check_probabilities(client, matchups, style_of, orders, seed=seed, max_chars=max_chars)
    used = Used()
    judged = judge_matchups(
        client,
        matchups,
        style_of,
        orders=orders,
        samples=samples,
        seed=seed,
        max_chars=max_chars,
        soft=soft,
        block=block,
        used=used,
    )
    _refuse_nothing(judged)
    shown = [show(m.id, m.prompt, m.a, m.b, max_chars=max_chars) for m in matchups]
    prompt = prompt_of(style_of(matchups[0]))
    return Judgement(
        name=name,
        ids=tuple(ids),
        domains=tuple(domains),
        judged=tuple(judged),
        style=_told(styles) | ({"mode": "k-shot", "examples_of": examples_of} if shots else {}),
        orders=orders,
        samples=samples,
        soft_verdicts=soft,
        seed=seed,
        max_chars=max_chars,
        prompts={prompt.name: prompt.hash},
        examples={pair: tuple(shot.id for shot in own) for pair, own in shots.items()},
        truncated={pair.id: pair.cut for pair in shown if pair.cut},
        flagged={m.id: flags for m in matchups if (flags := flags_of(m.prompt, m.a, m.b))},
        cleaned=sum(pair.cleaned for pair in shown),
        used=used.told(),
        provenance=dict(provenance or {}),
    )


def _by_domain(preferences: Preferences, style: Style) -> dict[str, JudgeStyle]:
    if isinstance(style, JudgeStyle):
        return dict.fromkeys(preferences.domains, style)
    for domain in preferences.domains:
        if domain not in style:
            raise UnknownNameError("domain of a judge's style", domain, style)
    found = {domain: style[domain] for domain in preferences.domains}
    if len({(one.mode, one.question) for one in found.values()}) > 1:
        raise InputError("judge: found several modes; expected one mode for all domains.")
    return found


def _check_probabilities(
    client: Asks,
    matchups: Sequence[Matchup],
    style_of: Any,
    orders: Orders,
    *,
    seed: int,
    max_chars: int,
) -> None:
    """Ask a few questions first, so that a model without probabilities is not paid for the rest."""
    probes = [m for m in matchups if m.a != m.b][:PROBES]
    one: Orders = "ab" if orders == "both" else orders
    found = judge_matchups(
        client, probes, style_of, orders=one, seed=seed, max_chars=max_chars, soft=True
    )
    said = [order for pair in found for order in (pair.ab, pair.ba) if order and order.samples]
    if said and all(order.soft is None for order in said):
        raise InputError(
            "judge: found no usable probabilities in the answers of the model; expected a model or "
            "an endpoint that gives them, or verdicts that are not soft."
        )


def _refuse_nothing(judged: Sequence[Judged]) -> None:
    said = [order for pair in judged for order in (pair.ab, pair.ba) if order is not None]
    failed = [order.failure for order in said if order.failure]
    if failed and not any(order.samples for order in said):
        raise DataError(
            f"None of the {len(judged):,} pairs could be judged; the first question failed with "
            f"{failed[0].rstrip('.')}."
        )


def _told(styles: Mapping[str, JudgeStyle]) -> dict[str, Any]:
    """How it is asked, as data; by domain where that differs."""
    told = {domain: _as_data(style) for domain, style in styles.items()}
    one = next(iter(told.values()))
    if all(other == one for other in told.values()):
        return one
    return {"mode": one["mode"], "question": one["question"], "by_domain": told}


def _as_data(style: JudgeStyle) -> dict[str, Any]:
    told = asdict(style)
    del told["examples"]
    return told | {"criteria": [asdict(criterion) for criterion in style.criteria]}
