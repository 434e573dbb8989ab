"""The alternative annotator test: may a model stand in for one of several people?

Calderon, Reichart and Dror 2025 (arXiv 2501.10970). Each person j is left out in turn. On the items
that j, the model and somebody else labelled, the model and j are compared by how well each of them
aligns with the others' labels:

    S(x, i)     accuracy: share of the others whose label is x;  rmse: -root mean squared distance
    W_f = [S(f, i) >= S(j, i)]      W_h = [S(j, i) >= S(f, i)]      both 1 where they are level
    rho_f, rho_h                    their means, the advantage probabilities

The model beats j where  rho_f > rho_h - epsilon  is supported by a one-sided test, with the false
discovery rate over people held at q by Benjamini and Yekutieli's step-up (2001), which allows for
any dependence. The winning rate omega is the share of people that are beaten; the model passes at
omega >= 1/2. The average advantage probability, the mean of rho_f, compares models.

epsilon is what people cost more: .2 for experts, .15 for skilled annotators, .1 for a crowd.

The test of one person. d = W_h - W_f is -1, 0 or 1, and "d is epsilon on average" is the null
hypothesis of non-inferiority of matched pairs. The paper takes Student's t ("t" here), and
Wilcoxon's test below 30 items. Both say too much where d is rarely different from 0: on the border
of the null hypothesis, t at a level of 5 % rejects in up to 18 % of samples of 30 items and 12 % of
100, because a sample without a lost item has little variance too; Wilcoxon's test, which is about
symmetry and not about the mean, in up to 87 % of 20. So the test is Tango's score test (1998), with
the variance that the null hypothesis implies and t quantiles, unless "t" is asked for: at most
5.8 % in the same samples (exact; `tests/validate/test_alternative_size.py`).

Items of one group are one observation: the variance is multiplied by the design effect, that of d's
mean over groups to that over items, if it exceeds 1, and degrees of freedom count groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from palate.errors import DataError, InputError, UnknownNameError
from palate.validate.agreement import LEVEL
from palate.validate.clustered import Interval, by_group, interval
from palate.validate.ratings import Array, Ratings

Align = Literal["accuracy", "rmse"]
Test = Literal["score", "t"]
EPSILON = {"experts": 0.2, "skilled": 0.15, "crowd": 0.1}
LEAST_ITEMS = 30
Q = 0.05
PASSES = 0.5
_TINY = 1e-12


@dataclass(frozen=True)
class Rival:
    """One person and the model, compared by how well they align with the other people.

    Parameters
    ----------
    person
        The person's name.
    n_items
        Items that the person, the model and somebody else labelled.
    n_groups
        Groups of them.
    advantage
        rho_f: share of items on which the model aligns at least as well.
    person_advantage
        rho_h: share on which the person does.
    p_value
        One-sided p-value of "rho_f <= rho_h - epsilon"; NaN where there are too few items.
    beaten
        Whether the hypothesis is rejected at the false discovery rate.
    """

    person: str
    n_items: int
    n_groups: int
    advantage: float
    person_advantage: float
    p_value: float
    beaten: bool


@dataclass(frozen=True)
class AlternativeTest:
    """Outcome of the alternative annotator test for one model.

    Parameters
    ----------
    annotator
        The model's name.
    rivals
        One row per person.
    winning_rate
        Share of the tested people that are beaten; NaN if nobody could be tested.
    advantage
        Mean over the tested people of the advantage probability, with its interval.
    epsilon
        What people cost more.
    q
        The false discovery rate.
    align
        How alignment is measured.
    test
        The test of one person.
    """

    annotator: str
    rivals: tuple[Rival, ...]
    winning_rate: float
    advantage: Interval
    epsilon: float
    q: float
    align: Align
    test: Test

    @property
    def passes(self) -> bool | None:
        """Whether at least half of the people are beaten; None if nobody could be tested."""
        return None if np.isnan(self.winning_rate) else self.winning_rate >= PASSES

    @property
    def n_tested(self) -> int:
        """Number of people with enough items."""
        return sum(not np.isnan(r.p_value) for r in self.rivals)


def alternative_test(
    people: Ratings,
    values: npt.ArrayLike,
    *,
    annotator: str = "model",
    epsilon: float = EPSILON["crowd"],
    q: float = Q,
    align: Align | None = None,
    test: Test = "score",
    least_items: int = LEAST_ITEMS,
    level: float = LEVEL,
) -> AlternativeTest:
    """Test whether a model may stand in for one of these people.

    Parameters
    ----------
    people
        Labels of two people or more; three are better, as with two the test says only whom of
        them the model is nearer to.
    values
        The model's labels, shape (n,), NaN where there is none.
    annotator
        The model's name.
    epsilon
        What people cost more, in [0, 1).
    q
        False discovery rate over people.
    align
        "accuracy" or "rmse"; None takes accuracy for comparative and nominal labels, else rmse.
    test
        "score", or "t" as in the paper.
    least_items
        Items below which a person is not tested.
    level
        Level of the interval of the average advantage probability.

    Raises
    ------
    InputError
        If `epsilon` or `q` is outside its range or the shapes disagree.
    UnknownNameError
        If `align` or `test` is unknown.
    DataError
        If there are fewer than two people.
    """
    model = np.asarray(values, dtype=np.float64)
    if model.shape != (people.n_items,):
        raise InputError(f"values: found shape {model.shape}; expected ({people.n_items},).")
    if not (0 <= epsilon < 1 and 0 < q < 1):
        raise InputError(
            f"alternative_test: found epsilon={epsilon:g}, q={q:g}; expected 0 <= epsilon < 1 and "
            "0 < q < 1."
        )
    if align not in (None, "accuracy", "rmse"):
        raise UnknownNameError("alignment", str(align), ("accuracy", "rmse"))
    if test not in ("score", "t"):
        raise UnknownNameError("test", str(test), ("score", "t"))
    if len(people.raters) < 2:
        raise DataError(
            f"Alternative annotator test: found {len(people.raters)} people; expected at least 2, "
            "as each is compared with the others."
        )
    how = align or ("accuracy" if people.kind in ("comparative", "nominal") else "rmse")
    p, columns, counted = [], [], []
    for j in range(len(people.raters)):
        used, wins, losses = compared(people.values, j, model, how)
        groups = people.groups[used]
        counted.append((int(used.sum()), np.unique(groups).size, wins[used], losses[used]))
        tested = counted[-1][0] >= max(least_items, 2)
        difference = losses[used] - wins[used]
        p.append(p_value(difference, groups, epsilon, test=test) if tested else np.nan)
        if tested:
            columns += [np.where(used, wins, 0.0), used.astype(np.float64)]
    beaten = benjamini_yekutieli(np.array(p), q=q)
    rivals = tuple(
        Rival(name, n, int(g), _mean(w), _mean(h), float(p[j]), bool(beaten[j]))
        for j, (name, (n, g, w, h)) in enumerate(zip(people.raters, counted, strict=True))
    )
    n_tested = len(columns) // 2
    advantage = Interval(np.nan, np.nan, np.nan)
    if n_tested:
        sums = by_group(np.column_stack(columns), people.groups)
        advantage = interval(sums, lambda s: _shares(s).mean(axis=1), level=level, least=0.0)
    rate = float(beaten.sum() / n_tested) if n_tested else np.nan
    return AlternativeTest(annotator, rivals, rate, advantage, epsilon, q, how, test)


def compared(
    values: Array, j: int, model: Array, align: str
) -> tuple[npt.NDArray[np.bool_], Array, Array]:
    """Return which items compare a person with the model, W_f and W_h, each of shape (n,).

    Parameters
    ----------
    values
        Labels of all people, shape (n, m).
    j
        Which of them is left out.
    model
        The model's labels, shape (n,).
    align
        "accuracy" or "rmse".
    """
    others = np.delete(values, j, axis=1)
    held = ~np.isnan(others)
    used = held.any(axis=1) & ~np.isnan(values[:, j]) & ~np.isnan(model)
    n = np.maximum(held.sum(axis=1), 1)

    def score(labels: Array) -> Array:
        if align == "accuracy":
            share: Array = (others == labels[:, None]).sum(axis=1) / n
            return share
        distance = np.where(held, others - labels[:, None], 0.0) ** 2
        root: Array = -np.sqrt(distance.sum(axis=1) / n)
        return root

    ours, theirs = score(model), score(values[:, j])
    return used, (ours >= theirs - _TINY).astype(float), (theirs >= ours - _TINY).astype(float)


def p_value(
    difference: Array, groups: npt.NDArray[Any], epsilon: float, *, test: Test = "score"
) -> float:
    """Return the one-sided p-value of "the mean difference is at least epsilon".

    Parameters
    ----------
    difference
        W_h - W_f of each item, -1, 0 or 1, shape (n,).
    groups
        Group of each item, shape (n,).
    epsilon
        The margin.
    test
        "score" or "t".
    """
    from scipy import stats

    n = difference.size
    mean = float(difference.mean())
    centred = by_group(np.column_stack([difference - mean, np.ones(n)]), groups)
    g = len(centred)
    if g < 2:
        return float("nan")
    over_groups = g / (g - 1) * float((centred[:, 0] ** 2).sum()) / n**2
    over_items = float(difference.var(ddof=1)) / n
    if test == "t":
        if over_groups < _TINY:
            return 0.0 if mean < epsilon else 1.0
        return float(stats.t.cdf((mean - epsilon) / np.sqrt(over_groups), g - 1))
    lost, won = int((difference > 0).sum()), int((difference < 0).sum())
    variance = score_variance(lost, won, n, epsilon)
    # items that all say the same show no dependence: as if each group were one item
    effect = over_groups / over_items if over_items > _TINY else n / g
    variance *= max(effect, 1.0)
    if variance < _TINY:  # epsilon 0 and no item on which the two differ
        return 0.5 if mean == epsilon else float(mean > epsilon)
    return float(stats.t.cdf((mean - epsilon) / np.sqrt(variance), g - 1))


def score_variance(lost: int, won: int, n: int, epsilon: float) -> float:
    """Return the variance of the mean difference that the hypothesis implies (Tango 1998).

    Parameters
    ----------
    lost
        Items on which only the person aligns as well as the other.
    won
        Items on which only the model does.
    n
        All items.
    epsilon
        The difference of their probabilities.
    """
    b = (2 * n - lost + won) * epsilon - lost - won
    c = -won * epsilon * (1 - epsilon)
    q = (np.sqrt(b * b - 8 * n * c) - b) / (4 * n)  # probability of "won" under the hypothesis
    return float((2 * q + epsilon * (1 - epsilon)) / n)


def benjamini_yekutieli(p: Array, *, q: float) -> npt.NDArray[np.bool_]:
    """Return which p-values are rejected at a false discovery rate under any dependence.

    Benjamini and Yekutieli 2001: Benjamini and Hochberg's step-up at q / (1 + 1/2 + ... + 1/m).

    Parameters
    ----------
    p
        p-values, shape (m,); NaN is never rejected and not counted.
    q
        The rate.
    """
    from palate.inference.discoveries import benjamini_hochberg

    m = int((~np.isnan(p)).sum())
    harmonic = float((1 / np.arange(1, m + 1)).sum()) if m else 1.0
    return benjamini_hochberg(p, fdr=q / harmonic)


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")


def _shares(sums: Array) -> Array:
    n = sums[:, 1::2]
    out: Array = sums[:, 0::2] / np.where(n > 0, n, np.nan)
    return out
