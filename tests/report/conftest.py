"""Explanations made of planted numbers, for tests of what a report says and draws."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from palate.concepts.concept import Concept
from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.explanations.explanation import Band, Explanation
from palate.inference.discoveries import Verdict

SCORE_COLUMNS = (
    *("setting", "model", "domain", "accuracy", "accuracy_low", "accuracy_high"),
    *("log_loss", "log_loss_low", "log_loss_high", "n_pairs"),
    *("gain", "gain_low", "gain_high"),
)
Make = Callable[..., tuple[list[Explanation], Preferences]]


def planted(
    *,
    n_mechanisms: int = 3,
    n_domains: int = 3,
    n_concepts: int = 6,
    n_pairs: int = 40,
    seed: int = 0,
    text: Callable[[str], str] = lambda what: f"The {what}.",
    name: Callable[[str], str] = lambda what: what,
    accuracy: float = 0.8,
) -> tuple[list[Explanation], Preferences]:
    """Return explanations with random effects, each with an interval of +-0.3 around it.

    Weights are half the estimates. A shared effect is supported where its interval excludes zero;
    then a domain differs where its deviation exceeds 0.6, else an effect there is supported where
    it exceeds 0.9. In the last domain nothing is known of the concept before the last.
    """
    rng = np.random.default_rng(seed)
    domains = [name(f"domain {d}") for d in range(n_domains)]
    of_pair = [domains[i % n_domains] for i in range(n_pairs)]
    mechanisms = [name(f"judge {m}") for m in range(n_mechanisms)]
    verdicts = rng.choice([-1.0, 1.0], size=(n_pairs, n_mechanisms))
    preferences = Preferences(
        pl.DataFrame(
            {
                "id": [name(f"pair {i}") for i in range(n_pairs)],
                "domain": of_pair,
                "prompt": [text(f"prompt {i}") for i in range(n_pairs)],
                "response_a": [text(f"first answer {i}") for i in range(n_pairs)],
                "response_b": [text(f"second answer {i}") for i in range(n_pairs)],
            }
        ),
        pl.DataFrame({m: verdicts[:, k] for k, m in enumerate(mechanisms)}),
    )
    specific = [None] * (n_concepts - 1) + [(domains[0],)]
    concepts = tuple(
        Concept(name(f"concept {j}"), text(f"definition {j}"), domains=d, unit="words")
        for j, d in enumerate(specific)
    )
    matrix = ConceptMatrix(
        ids=tuple(preferences.ids),
        concepts=concepts,
        values=rng.normal(size=(n_pairs, n_concepts)),
        scales=("measured",) * n_concepts,
        step=np.full(n_concepts, 40.0),
    ).masked(of_pair)
    explanations = [
        _explanation(m, k, preferences, matrix, tuple(domains), rng, accuracy)
        for k, m in enumerate(mechanisms)
    ]
    return explanations, preferences


def _explanation(
    mechanism: str,
    k: int,
    preferences: Preferences,
    matrix: ConceptMatrix,
    domains: tuple[str, ...],
    rng: np.random.Generator,
    accuracy: float,
) -> Explanation:
    n_domains, n_concepts = len(domains), matrix.n_concepts
    exists = np.ones((n_domains + 1, n_concepts), dtype=bool)
    exists[:, -1] = False
    exists[1, -1] = True
    weights = rng.normal(size=(n_domains + 1, n_concepts)) * 0.5
    weights[np.abs(weights) < 0.05] = 0.0

    def band(estimate: Any, where: Any, verdict: Any) -> Band:
        parts = (estimate / 2, estimate, estimate - 0.3, estimate + 0.3, np.exp(-abs(estimate) * 9))
        numbers = [np.where(where, p, np.nan) for p in parts]
        return Band(*numbers, np.where(where, verdict, ""), np.where(where, 1.0, np.nan))

    everywhere, here, differs, no, _ = (v.value for v in Verdict)
    held = np.where(np.abs(weights[0]) > 0.3, everywhere, no)
    shared = band(weights[0], exists[0], held)
    total_weight = np.where(exists[0], weights[0], 0.0) + weights[1:]
    of_domain = np.where(
        exists[0] & (held == everywhere),
        np.where(np.abs(weights[1:]) > 0.6, differs, everywhere),
        np.where(np.abs(total_weight) > 0.9, here, no),
    )
    total = band(total_weight, exists[0] | exists[1:], of_domain)
    domain = band(weights[1:], exists[0] | exists[1:], of_domain)
    if n_concepts > 2:
        for part in (total, domain):
            for values in (part.estimate, part.low, part.high, part.p_value):
                values[-1, -2] = np.nan
            part.verdict[-1, -2] = no if held[-2] == no else everywhere
    verdict = preferences.verdicts[mechanism]
    probability = pl.Series(rng.uniform(0.02, 0.98, size=preferences.n_pairs))
    rows = [
        (
            *(setting, model, domain, a, a - 0.05, a + 0.05, 0.5, 0.4, 0.6, 10),
            *((None,) * 3 if model == "HMDR" else (accuracy - a + x for x in (0, -0.04, 0.04))),
        )
        for setting in ("in domain", "new domain")
        for model, a in (("HMDR", accuracy), ("majority", 0.51), ("longer response", 0.54))
        for domain in (*domains, "(mean)", "(all pairs)")
    ]
    share = np.linspace(0.2, 1.0, n_concepts)
    return Explanation(
        mechanism=mechanism,
        concepts=matrix,
        domains=domains,
        shared=shared,
        domain=domain,
        total=total,
        exact_shared=np.tanh(shared.weight / 2) * 100,
        exact_total=np.tanh(total.weight / 2) * 100,
        pairs=pl.DataFrame(
            {
                "id": preferences.ids,
                "domain": preferences.pairs["domain"],
                "verdict": verdict,
                "probability": probability,
                "held_out_probability": probability,
            }
        ),
        scores=pl.DataFrame(rows, schema=list(SCORE_COLUMNS), orient="row"),
        coverage=pl.DataFrame(
            {"concept": matrix.names, "measured": share, "nonzero": share / 2},
        ),
        settings={
            "alpha": 0.5,
            "lambda_shared": 0.01 * (k + 1),
            "level": 0.9,
            "fdr": 0.1,
            "seed": 0,
        },
        counts={"pairs": preferences.n_pairs, "judged": preferences.n_pairs, "ties": k},
        notes=("One note for all.", f"A note of mechanism {k}."),
    )


@pytest.fixture(scope="session")
def make() -> Make:
    """A factory of explanations with planted weights and the preferences that they are of."""
    return planted


@pytest.fixture
def with_shared(make: Make) -> Callable[..., Explanation]:
    """One explanation whose shared estimates and intervals are given, without deviations.

    An effect is supported everywhere where its interval excludes zero, or as `verdict` says.
    """

    def build(
        estimate: list[float],
        low: list[float],
        high: list[float],
        verdict: list[str] | None = None,
        **changes: Any,
    ) -> Explanation:
        n = len(estimate)
        explanation = make(n_mechanisms=1, n_concepts=n + 1)[0][0]
        ends = zip(low, high, strict=True)
        said = verdict or [
            Verdict.EVERYWHERE.value if a > 0 or b < 0 else Verdict.NOT.value for a, b in ends
        ]
        columns = (estimate, estimate, low, high, [0.01] * n)
        numbers = [np.array([*x, np.nan]) for x in columns]
        shared = Band(*numbers, np.array([*said, ""]), np.array([1.0] * n + [np.nan]))
        d = len(explanation.domains)
        exists = ~np.isnan(explanation.domain.weight)
        zero = np.where(exists, 0.0, np.nan)
        words = np.where(exists, np.tile(np.array([*said, Verdict.NOT.value]), (d, 1)), "").astype(
            "<U40"
        )

        def tiled(values: Any) -> Any:
            return np.where(exists, np.tile(np.nan_to_num(values), (d, 1)), np.nan)

        total = Band(*(tiled(x) for x in numbers), words, tiled(shared.selected))
        return dataclasses.replace(
            explanation,
            mechanism="checker",
            shared=shared,
            domain=Band(zero, zero, zero, zero, zero + 1.0, words, zero),
            total=total,
            **changes,
        )

    return build
