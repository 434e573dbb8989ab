"""Comparisons of two mechanisms, against independent fits, other packages and known worlds."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score

import palate
from palate.data.preferences import Preferences
from palate.errors import DataError, FileFormatError, InputError, UnknownNameError
from palate.explanations.comparison import ALL, EVERYWHERE, Comparison
from palate.explanations.comparison_agreement import agreement_rows
from palate.inference.differences import differ
from palate.inference.discoveries import Verdict

from .worlds import matrix_of, preferences_of

Array = npt.NDArray[np.float64]


def two_judges(
    n: int,
    weights_a: list[float],
    weights_b: list[float],
    *,
    seed: int = 0,
    n_domains: int = 3,
    common: float = 1.0,
    ties: float = 0.0,
) -> tuple[Preferences, palate.ConceptMatrix]:
    """Draw two judges whose log-odds on a pair have a normal part in common beside the concepts."""
    random = np.random.default_rng(seed)
    values = random.choice([-1.0, 0.0, 1.0], size=(n, len(weights_a)))
    taste = common * random.standard_normal(n)
    verdicts = {}
    for name, weights in (("A", weights_a), ("B", weights_b)):
        p = 1 / (1 + np.exp(-(values @ np.array(weights) + taste)))
        said = np.where(random.random(n) < p, 1.0, -1.0)
        verdicts[name] = np.where(random.random(n) < ties, 0.0, said).tolist()
    domains = [f"domain {d}" for d in random.integers(0, n_domains, n)]
    preferences = preferences_of(verdicts, domains)
    return preferences, matrix_of(values, preferences.ids)


@pytest.fixture(scope="module")
def differing() -> Comparison:
    """A comparison in which the judges differ in c0 only, and agree on c1."""
    preferences, matrix = two_judges(900, [1.0, 0.8, 0.0, 0.0], [0.0, 0.8, 0.0, 0.0], ties=0.05)
    return palate.compare(preferences, "A", "B", matrix, n_bootstrap=50, n_jobs=1)


def test_a_planted_difference_is_found_and_a_common_effect_is_none(differing: Comparison) -> None:
    found = differing.supported()
    assert found["concept"].to_list() == ["c0"]
    assert found["scope"].to_list() == [EVERYWHERE]
    assert found["verdict"].to_list() == [Verdict.EVERYWHERE.value]
    assert found["low"][0] > 0
    common = differing.differences.filter(concept="c1", scope=EVERYWHERE).row(0, named=True)
    assert common["a"] > 0.3
    assert common["b"] > 0.3
    assert common["low"] < 0 < common["high"]


def test_what_tells_the_disagreements_is_what_differs(differing: Comparison) -> None:
    first = differing.disagreements.row(0, named=True)
    assert first["concept"] == "c0"
    assert first["verdict"] == Verdict.EVERYWHERE.value
    # given disagreement the odds of A's side are exp(delta x) with delta = 1, whatever is common
    assert first["low"] < 1 < first["high"]
    assert first["with_a"] > 0.6


def test_the_sentences_name_what_is_supported(differing: Comparison) -> None:
    lead = str(differing).splitlines()[0]
    assert lead.startswith("A rewards c0 (")
    assert "c1" not in lead


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_equal_judges_give_no_finding(seed: int) -> None:
    preferences, matrix = two_judges(300, [0.8, 0.4, 0.0], [0.8, 0.4, 0.0], seed=seed)
    found = palate.compare(preferences, "A", "B", matrix, n_bootstrap=20, n_jobs=1)
    assert found.supported().is_empty()
    assert "beyond what chance gives" in str(found)


def test_differences_are_those_of_two_separate_fits_where_data_are_plenty() -> None:
    # independent: maximum likelihood by scikit-learn without penalty, one fit for each judge
    random = np.random.default_rng(1)
    n = 8_000
    X = random.choice([-1.0, 0.0, 1.0], size=(n, 4))
    y = []
    for weights in ([0.9, 0.5, 0.0, -0.6], [0.2, 0.5, 0.4, -0.6]):
        p = 1 / (1 + np.exp(-X @ np.array(weights)))
        y.append(np.where(random.random(n) < p, 1.0, -1.0))
    zeros = np.zeros(n, dtype=np.int64)
    exists = np.array([[True] * 4, [False] * 4])
    found = differ(X, *y, zeros, np.arange(n), exists=exists).difference.shared
    fits = [LogisticRegression(C=np.inf, fit_intercept=False).fit(X, side).coef_[0] for side in y]
    assert found.value == pytest.approx(fits[0] - fits[1], abs=0.02)
    assert found.se == pytest.approx(np.full(4, found.se.mean()), rel=0.15)
    # for independent judges the variance is the sum of the inverse Fisher informations
    expected = np.zeros(4)
    for fit in fits:
        p = 1 / (1 + np.exp(-X @ fit))
        expected += np.diag(np.linalg.inv(X.T @ (X * (p * (1 - p))[:, None])))
    assert found.se == pytest.approx(np.sqrt(expected), rel=0.05)


def test_exchanging_responses_changes_no_number() -> None:
    preferences, matrix = two_judges(200, [0.9, 0.0], [0.0, 0.6], seed=2)
    random = np.random.default_rng(0)
    turned = random.random(200) < 0.5
    sign = np.where(turned, -1.0, 1.0)
    pairs = preferences.pairs.with_columns(pl.Series("turned", turned)).with_columns(
        response_a=pl.when("turned").then("response_b").otherwise("response_a"),
        response_b=pl.when("turned").then("response_a").otherwise("response_b"),
    )
    swapped = dataclasses.replace(
        preferences,
        pairs=pairs.drop("turned"),
        verdicts=preferences.verdicts.select(pl.all() * pl.Series(sign)),
    )
    values = dataclasses.replace(matrix, values=matrix.values * sign[:, None])
    one = palate.compare(preferences, "A", "B", matrix, n_bootstrap=20, n_jobs=1)
    other = palate.compare(swapped, "A", "B", values, n_bootstrap=20, n_jobs=1)
    assert one.differences.equals(other.differences)
    assert one.agreement.equals(other.agreement)
    assert one.disagreements.equals(other.disagreements)
    assert one.pairs["id"].to_list() == other.pairs["id"].to_list()


def test_exchanging_the_mechanisms_negates_differences() -> None:
    preferences, matrix = two_judges(300, [0.9, 0.0], [0.0, 0.6], seed=2)
    one, other = (
        palate.compare(preferences, *names, matrix, n_bootstrap=20, n_jobs=1).differences
        for names in (("A", "B"), ("B", "A"))
    )
    assert one["difference"].to_numpy() == pytest.approx(-other["difference"].to_numpy(), abs=1e-9)
    assert one["p_value"].to_numpy() == pytest.approx(other["p_value"].to_numpy(), rel=1e-6)
    assert one["verdict"].to_list() == other["verdict"].to_list()


def test_agreement_is_what_other_packages_count() -> None:
    random = np.random.default_rng(0)
    a = random.choice([-1.0, 0.0, 1.0], size=150, p=[0.4, 0.2, 0.4])
    b = np.where(random.random(150) < 0.5, a, random.choice([-1.0, 0.0, 1.0], size=150))
    codes = np.arange(150) % 2
    rows = agreement_rows(
        a, b, codes, np.arange(150), ["x", "y"], level=0.9, n_bootstrap=200, seed=0
    )
    assert [r["domain"] for r in rows] == [ALL, "x", "y"]
    for row, mask in zip(rows, (codes >= 0, codes == 0, codes == 1), strict=True):
        # both orders of every pair: scikit-learn's kappa then knows no first response
        both_orders = [np.concatenate([v[mask], -v[mask]]) for v in (a, b)]
        assert row["kappa"] == pytest.approx(cohen_kappa_score(*both_orders))
        assert row["agreement"] == pytest.approx((a == b)[mask].mean())
        decided = mask & (a != 0) & (b != 0)
        assert row["same_side"] == pytest.approx((a == b)[decided].mean())
        # Gwet 2008, the mean share of every category in the two mechanisms
        share = [np.mean([(v == k).mean() for v in both_orders]) for k in (-1, 0, 1)]
        chance = sum(s * (1 - s) for s in share) / 2
        assert row["ac1"] == pytest.approx((row["agreement"] - chance) / (1 - chance))
        assert row["kappa_low"] < row["kappa"] < row["kappa_high"]


def test_without_ties_kappa_is_twice_the_agreement_minus_one() -> None:
    a = np.array([1.0, 1, -1, 1, -1, 1, 1, -1])
    b = np.array([1.0, -1, -1, 1, 1, 1, 1, -1])
    (row, _) = agreement_rows(
        a, b, np.zeros(8, dtype=np.int64), np.arange(8), ["x"], level=0.9, n_bootstrap=20, seed=0
    )
    assert (row["agreement"], row["kappa"], row["ac1"]) == (0.75, 0.5, 0.5)


def test_pairs_are_those_on_which_the_two_part_and_reasons_speak_for_the_side(
    differing: Comparison,
) -> None:
    pairs = differing.pairs
    assert pairs.height == differing.counts["disagreements"]
    assert (pairs["verdict_a"] * pairs["verdict_b"] < 0).all()
    assert pairs["explained"].is_sorted(descending=True)
    for row in pairs.head(5).iter_rows(named=True):
        assert row["reasons_a"]
        for side in ("a", "b"):
            for reason in row[f"reasons_{side}"]:
                assert reason["contribution"] * row[f"verdict_{side}"] > 0


def test_what_is_saved_is_what_is_loaded(differing: Comparison, tmp_path: Path) -> None:
    differing.save(tmp_path / "c.json")
    again = Comparison.load(tmp_path / "c.json")
    for name in ("differences", "agreement", "disagreements", "pairs"):
        assert getattr(again, name).equals(getattr(differing, name)), name
    assert again.settings == differing.settings
    assert again.counts == differing.counts
    assert (again.a, again.b, again.domains) == ("A", "B", differing.domains)
    differing.write_csv(tmp_path / "c.csv")
    assert pl.read_csv(tmp_path / "c.csv").height == differing.to_frame().height
    (tmp_path / "bad.json").write_text('{"schema": "something"}')
    with pytest.raises(FileFormatError, match="found schema 'something'"):
        Comparison.load(tmp_path / "bad.json")
    with pytest.raises(FileFormatError, match="cannot be read"):
        Comparison.load(tmp_path / "absent.json")


def some(
    n: int, verdicts: dict[str, list[float | None]]
) -> tuple[Preferences, palate.ConceptMatrix]:
    """Pairs in two domains with two random concepts."""
    preferences = preferences_of(verdicts, ["x" if i % 2 else "y" for i in range(n)])
    values = np.random.default_rng(0).standard_normal((n, 2))
    return preferences, matrix_of(values, preferences.ids)


def sides(n: int, seed: int) -> list[float | None]:
    """Random verdicts."""
    return list(np.random.default_rng(seed).choice([-1.0, 1.0], size=n))


def test_mechanisms_without_a_shared_pair_are_refused() -> None:
    half: list[float | None] = [None] * 30
    preferences, matrix = some(60, {"A": sides(30, 0) + half, "B": half + sides(30, 1)})
    with pytest.raises(DataError, match="share no pairs: they judged 30 and 30"):
        palate.compare(preferences, "A", "B", matrix)


def test_fewer_than_twenty_shared_pairs_are_refused() -> None:
    late: list[float | None] = [None] * 41
    preferences, matrix = some(60, {"A": sides(60, 0), "B": late + sides(19, 1)})
    with pytest.raises(DataError, match="took a side on 19 of the 19 pairs that both judged"):
        palate.compare(preferences, "A", "B", matrix)


def test_pairs_with_a_tie_do_not_count_as_decided() -> None:
    ties: list[float | None] = [0.0] * 45
    preferences, matrix = some(60, {"A": sides(60, 0), "B": ties + sides(15, 1)})
    with pytest.raises(DataError, match="took a side on 15 of the 60"):
        palate.compare(preferences, "A", "B", matrix)


def test_unknown_equal_and_silent_mechanisms_and_bad_settings_are_refused() -> None:
    preferences, matrix = some(60, {"A": sides(60, 0), "B": sides(60, 1), "C": [None] * 60})
    with pytest.raises(UnknownNameError, match="Unknown mechanism 'D'"):
        palate.compare(preferences, "A", "D", matrix)
    with pytest.raises(InputError, match="'A' is given twice"):
        palate.compare(preferences, "A", "A", matrix)
    with pytest.raises(DataError, match="'C' judged no pair"):
        palate.compare(preferences, "A", "C", matrix)
    with pytest.raises(InputError, match="fdr: found 2"):
        palate.compare(preferences, "A", "B", matrix, fdr=2)
    with pytest.raises(InputError, match=r"level: found 1\.5"):
        palate.compare(preferences, "A", "B", matrix, level=1.5)


def test_a_domain_that_one_side_lacks_is_a_note() -> None:
    b: list[float | None] = [v if i % 2 else None for i, v in enumerate(sides(80, 1))]
    preferences, matrix = some(80, {"A": sides(80, 0), "B": b})
    found = palate.compare(preferences, "A", "B", matrix, n_bootstrap=20, n_jobs=1)
    assert found.domains == ("x",)
    assert any("Only 'A' judged pairs of y" in note for note in found.notes)
    assert found.agreement["domain"].to_list() == [ALL, "x"]


def test_a_concept_that_differs_in_one_domain_only_has_no_effect_everywhere() -> None:
    preferences, matrix = two_judges(300, [1.0, 0.5], [0.0, 0.5], seed=4, n_domains=2)
    first = np.array(preferences.pairs["domain"].to_list()) == "domain 0"
    values = matrix.values.copy()
    values[~first, 0] = 0.0
    found = palate.compare(
        preferences,
        "A",
        "B",
        dataclasses.replace(matrix, values=values),
        n_bootstrap=20,
        n_jobs=1,
    )
    assert found.differences.filter(concept="c0")["scope"].to_list() == ["domain 0"]


def test_identical_mechanisms_differ_in_nothing() -> None:
    verdicts = sides(60, 0)
    preferences, matrix = some(60, {"A": verdicts, "B": verdicts})
    found = palate.compare(preferences, "A", "B", matrix, n_bootstrap=20, n_jobs=1)
    assert found.supported().is_empty()
    assert found.differences["difference"].abs().max() == pytest.approx(0, abs=1e-12)
    assert found.pairs.is_empty()
    row = found.agreement_in()
    assert row is not None
    assert row["kappa"] == 1


def test_a_judge_that_must_hold_in_both_orders_is_said_to_be_sharper() -> None:
    """Equal weights: what both reward looks like a difference, and a note says why."""
    preferences, matrix = two_judges(900, [1.2, 0.0], [1.2, 0.0], common=0.0)
    p = 1 / (1 + np.exp(-1.2 * matrix.values[:, 0]))
    said = np.where(np.random.default_rng(5).random((2, 900)) < p, 1, -1)
    verdict = np.where(said[0] == said[1], said[0], 0).astype(float)
    letters = np.where(said > 0, "a", "b")
    orders = [json.dumps({"B": f"{x}{y}"}) for x, y in letters.T]
    preferences = dataclasses.replace(
        preferences,
        verdicts=preferences.verdicts.with_columns(B=pl.Series(verdict)),
        metadata=pl.DataFrame({"orders": orders}),
        json_metadata=frozenset({"orders"}),
    )
    found = palate.compare(preferences, "A", "B", matrix, n_bootstrap=20, n_jobs=1)
    flips = 100 * np.mean(said[0] != said[1])
    (note,) = [note for note in found.notes if "both orders" in note or "two orders" in note]
    assert f"'B' count only where its two orders agree, which they do not on {flips:.0f} %" in note
    assert found.supported()["concept"].to_list()[:1] == ["c0"]  # sharper, not different
    plain = dataclasses.replace(preferences, metadata=pl.DataFrame(), json_metadata=frozenset())
    again = palate.compare(plain, "A", "B", matrix, n_bootstrap=20, n_jobs=1)
    assert not any("two orders" in note for note in again.notes)
