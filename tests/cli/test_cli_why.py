"""`palate why`: one pair explained from its texts, from a file, with and without a model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import palate as package
from palate.concepts.imported import read_concepts
from palate.data.demo import demo_paths
from palate.errors import InputError, UnknownNameError
from palate.explanations.why import is_measured, measured_values, weighted, why

from .session import Palate

PAIR = "cooking/005"
FAST = {"n_bootstrap": 2, "n_folds": 3, "n_jobs": 1}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An explanation by measured concepts."""
    folder = tmp_path_factory.mktemp("measured")
    pairs = package.load_demo()
    concepts = package.measure(pairs, families=["length", "layout", "stance"], n_jobs=1)
    package.explain(pairs, concepts, mechanism="skimmer", **FAST).save(folder)
    return folder


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An explanation by the recorded annotations."""
    folder = tmp_path_factory.mktemp("annotated")
    concepts = read_concepts(demo_paths().concepts, demo_paths().values)
    package.explain(package.load_demo(), concepts, mechanism="checker", **FAST).save(folder)
    return folder


def texts_of(pair: str) -> tuple[str, str, str, str]:
    pairs = package.load_demo()
    row = pairs.pairs.row(pairs.row(pair), named=True)
    return row["domain"], row["prompt"], row["response_a"], row["response_b"]


def test_measured_values_of_a_known_pair_give_its_own_explanation(measured: Path) -> None:
    explanation = package.Explanation.load(measured)
    domain, *texts = texts_of(PAIR)
    values = measured_values(explanation, *texts, domain=domain)
    assert set(values) == {c.name for c in weighted(explanation, domain=domain)}
    new, known = why(explanation, values, domain=domain), explanation.local(PAIR)
    assert new.log_odds == pytest.approx(known.log_odds, abs=1e-12)
    assert new.flips == known.flips
    assert new.verdict is None
    assert new.known_domain
    swapped = measured_values(explanation, texts[0], texts[2], texts[1], domain=domain)
    assert swapped == {name: pytest.approx(-v, abs=1e-12) for name, v in values.items()}


def test_an_unknown_domain_counts_shared_weights_alone(measured: Path) -> None:
    explanation = package.Explanation.load(measured)
    for domain in (None, "gardening"):
        names = {c.name for c in weighted(explanation, domain=domain)}
        shared = np.nan_to_num(explanation.shared.weight)
        assert names == {explanation.concepts.names[j] for j in np.flatnonzero(shared)}
        local = why(explanation, dict.fromkeys(names, 1.0), domain=domain)
        assert not local.known_domain
        assert local.log_odds == pytest.approx(float(shared.sum()))


def test_values_must_be_of_known_concepts_and_finite(measured: Path) -> None:
    explanation = package.Explanation.load(measured)
    with pytest.raises(UnknownNameError, match="Gravity"):
        why(explanation, {"Gravity": 1.0})
    with pytest.raises(InputError, match="found inf"):
        why(explanation, {explanation.concepts.names[0]: float("inf")})


def test_a_pair_of_texts_or_files_needs_no_model(
    palate: Palate, measured: Path, tmp_path: Path
) -> None:
    domain, prompt, a, b = texts_of(PAIR)
    file = tmp_path / "a.txt"
    file.write_text(a, encoding="utf-8")
    known = package.Explanation.load(measured).local(PAIR)
    shown = palate("why", prompt, str(file), b, "-e", str(measured), "--domain", domain)
    assert shown.code == 0
    assert f"log-odds {known.log_odds:+.2f}" in shown.out
    assert "would flip with" in shown.out
    assert "did not judge" in shown.out
    far = palate("why", prompt, a, b, "-e", str(measured))
    assert "was not fitted on this domain" in far.out


def test_a_pair_of_a_file_is_read_from_the_explanation(palate: Palate, annotated: Path) -> None:
    shown = palate("why", str(demo_paths().pairs), "--pair", PAIR, "-e", str(annotated))
    assert shown.code == 0
    assert shown.out.strip() == str(package.Explanation.load(annotated).local(PAIR))


def test_a_model_is_asked_about_concepts_with_a_weight_only(
    palate: Palate, annotated: Path
) -> None:
    explanation = package.Explanation.load(annotated)
    asked = [c for c in weighted(explanation, domain="cooking") if not is_measured(c)]
    assert 0 < len(asked) < explanation.concepts.n_concepts
    known = explanation.local(PAIR)
    shown = palate(
        *("why", str(demo_paths().pairs), "--pair", PAIR, "-e", str(annotated)),
        *("--llm", "scripted:demo", "--no-store"),
    )
    assert shown.code == 0
    assert "2 calls (0 stored)" in shown.out
    assert f"log-odds {known.log_odds:+.2f}" in shown.out
    side = "a" if known.verdict and known.verdict > 0 else "b"
    assert f"prefers {side}" in shown.out


def test_equal_responses_and_a_verdict_that_is_not_there_are_told(
    palate: Palate, annotated: Path, tmp_path: Path
) -> None:
    explanation = package.Explanation.load(annotated)
    first, *_, last = names = [c.name for c in weighted(explanation, domain="cooking")]
    equal = why(explanation, dict.fromkeys(names, 0.0), domain="cooking")
    assert f"equal on all {len(names)} concepts that have a weight here: {first}, " in str(equal)
    assert f", and {len(names) - 5} more" in str(equal)
    assert f"equal on 1 of the {len(names)} concepts" in str(why(explanation, {last: 0.0}))
    assert "are equal" not in str(why(explanation, {}))
    assert "are equal" not in str(why(explanation, {first: 1.0}, domain="cooking"))
    file = tmp_path / "new.jsonl"
    row = {"id": "n", "domain": "cooking", "prompt": "p", "response_a": "a", "response_b": "b"}
    for verdict, said in (("checker", "checker: prefers a"), ("other", "no verdict of 'checker'.")):
        file.write_text(json.dumps({**row, "verdicts": {verdict: 1}}) + "\n")
        shown = palate(
            *("why", str(file), "--pair", "n", "-e", str(annotated)),
            *("--llm", "scripted:demo", "--no-store"),
        )
        assert shown.code == 0, shown.err
        assert said in shown.out
        assert "the responses are equal on all" in shown.out


def test_a_dry_run_sends_nothing_and_needs_no_key(palate: Palate, annotated: Path) -> None:
    shown = palate(
        *("why", "What is 2 + 2?", "4", "5", "-e", str(annotated)),
        *("--llm", "openai:gpt-5-mini", "--dry-run"),
    )
    assert shown.code == 0
    assert shown.out.startswith("Nothing was sent. It would take 2 calls")
    assert len(shown.out.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("What?", "yes", "no"), "--explanation: found none"),
        (("What?", "yes"), "found fewer than two responses"),
        (("What?", "yes", "no"), "--llm: found no model; expected one, because"),
        (("PAIRS", "--pair", "nowhere"), "Unknown pair 'nowhere'"),
        (("PAIRS", "a", "--pair", PAIR), "--pair: found responses as well"),
        (("What?", "yes", "no", "-m", "nobody"), "Unknown mechanism 'nobody'"),
        (("What?", "yes", "no", "--dry-run"), "--dry-run: found no --llm"),
    ],
)
def test_mistakes_are_one_sentence(
    palate: Palate, annotated: Path, arguments: tuple[str, ...], said: str
) -> None:
    given = [str(demo_paths().pairs) if a == "PAIRS" else a for a in arguments]
    where = () if "--explanation" in said else ("-e", str(annotated))
    shown = palate("why", *given, *where)
    assert shown.code == 2
    assert said in shown.err
    assert "Traceback" not in shown.err


def test_a_folder_without_an_explanation_is_refused(palate: Palate, tmp_path: Path) -> None:
    shown = palate("why", "a", "b", "c", "-e", str(tmp_path))
    assert shown.code == 2
    assert "there is no such file" in shown.err
