"""Changes to HMDR that might predict better and leave every weight readable, on held-out pairs.

| name | change |
|---|---|
| adaptive | every penalty is multiplied by |w|^-.5 of a ridge fit, normalised to mean 1 |
| elastic net | a ridge term of the same size as the L1 penalty is added |
| refit | the weights that HMDR keeps are fitted again with a hundredth of a ridge penalty |
| group | the deviations of a concept in all domains are penalised together, by their length |
| known signs | weights of concepts whose definition names a virtue are at least 0 |
| alpha = 1, 4 | the loss of the shared part alone counts 1 or 4 instead of 1 / number of domains |

All but the last are fitted on the augmented design by accelerated proximal gradient with restarts,
the unchanged HMDR as well, so that only the penalty differs. The last is fitted by Palate's solver,
with lambda_shared in proportion to 1 + alpha, in domain and on left-out domains. `palate` is
unchanged by what is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import config_context

from palate.concepts.matrix import ConceptMatrix
from palate.data.preferences import Preferences
from palate.explanations.evaluation import (
    IN_DOMAIN,
    NEW_DOMAIN,
    OURS,
    left_out_log_odds,
    transfer_losses,
)
from palate.explanations.problem import Frame, Problem
from palate.explanations.protocol_fits import Protocol, chosen, grid, inner_folds
from palate.explanations.protocol_scores import Tested, score_rows
from palate.explanations.protocol_splits import repeated_splits
from palate.explanations.resampling import build
from palate.models.design import Config, Design
from palate.models.folds import pair_losses
from palate.models.selection import fit_on

Array = npt.NDArray[np.float64]
GAMMA = 0.5
ALPHAS = (1.0, 4.0)
STEPS, TOL = 400, 1e-6
VIRTUES = (  # annotated concepts whose definition says that more of it is better
    *("Answer correctness", "Factual accuracy", "Question match", "Literal compliance"),
    *("Completeness", "Requested form", "Coherence", "Task engagement", "Source fidelity"),
    *("Register fit", "Length compliance", "Missing-input handling", "Catch detection"),
    *("Ambiguity handling", "Code validity", "Harm avoidance", "Word fit"),
)


@dataclass(frozen=True, eq=False)
class Rows:
    """Signed rows (R, P) of a training part with weights (R,), and what the columns (P,) are."""

    A: Array
    c: Array
    domain: npt.NDArray[np.int64]
    concept: npt.NDArray[np.int64]
    step: float

    @classmethod
    def of(cls, design: Design, dense: Array, train: npt.NDArray[np.bool_], alpha: float) -> Rows:
        """Take the examples of the training pairs, their shared rows after their domain rows."""
        E = design.pair.size
        keep = np.flatnonzero(train[design.pair])
        c = design.weight[keep] / design.weight[keep].sum()
        A = dense[np.concatenate([keep, E + keep])]
        c = np.concatenate([c, alpha * c])
        v = np.ones(A.shape[1])
        for _ in range(15):  # the largest eigenvalue of A'CA bounds the curvature
            v = A.T @ (c * (A @ v))
            size = float(np.linalg.norm(v))
            v /= size
        return cls(A, c, design.column_domain, design.column_concept, 3.6 / size)

    def penalties(self, config: Config) -> Array:
        """Return lambda_shared or lambda_domain for every column."""
        return np.where(self.domain < 0, config.lambda_shared, config.lambda_domain)


@dataclass(frozen=True, eq=False)
class Penalty:
    """L1 and ridge per column; groups (-1 for none) under an L2 norm; columns that stay >= 0."""

    l1: Array
    ridge: Array
    group: npt.NDArray[np.int64] | None = None
    group_l2: float = 0.0
    positive: npt.NDArray[np.bool_] | None = None

    def prox(self, w: Array, step: float) -> Array:
        """Return argmin_u |u - w|^2 / 2 + step * penalty(u)."""
        if self.positive is not None:
            w = np.where(self.positive, np.maximum(w, 0.0), w)
        out = np.sign(w) * np.maximum(np.abs(w) - step * self.l1, 0.0)
        if self.group is not None:
            inside = self.group >= 0
            length = np.sqrt(np.bincount(self.group[inside], out[inside] ** 2))
            shrink = np.maximum(0.0, 1.0 - step * self.group_l2 / np.maximum(length, 1e-12))
            out[inside] *= shrink[self.group[inside]]
        return np.asarray(out / (1.0 + step * self.ridge))


def minimise(rows: Rows, penalty: Penalty, start: Array) -> Array:
    """Return the minimiser of the mean loss and a penalty: FISTA with restarts."""
    w, point, t = start, start, 1.0
    for _ in range(STEPS):
        u = 1.0 / (1.0 + np.exp(rows.A @ point))
        new = penalty.prox(point + rows.step * (rows.A.T @ (rows.c * u)), rows.step)
        move = new - w
        if float(np.abs(move).max()) <= TOL * (1.0 + float(np.abs(new).max())):
            return new
        if float((point - new) @ move) > 0.0:  # it overshot
            t = 1.0
        after = (1.0 + np.sqrt(1.0 + 4.0 * t * t)) / 2.0
        point, w, t = new + (t - 1.0) / after * move, new, after
    return w


Fitter = Callable[[Rows, Config, Array, npt.NDArray[np.bool_]], Array]


def plain(rows: Rows, config: Config, start: Array, virtue: npt.NDArray[np.bool_]) -> Array:
    """Fit HMDR."""
    return minimise(rows, Penalty(rows.penalties(config), np.zeros(start.size)), start)


def adaptive(rows: Rows, config: Config, start: Array, virtue: npt.NDArray[np.bool_]) -> Array:
    """Fit with penalties weighted by the size of ridge weights to the power -.5."""
    p, none = rows.penalties(config), np.zeros(start.size)
    ridge = minimise(rows, Penalty(none, p), none)
    factor = (np.abs(ridge) + 0.05 * np.abs(ridge).max() + 1e-12) ** -GAMMA
    return minimise(rows, Penalty(p * factor / factor.mean(), none), start)


def elastic_net(rows: Rows, config: Config, start: Array, virtue: npt.NDArray[np.bool_]) -> Array:
    """Fit with an L1 and a ridge penalty of the same size."""
    p = rows.penalties(config)
    return minimise(rows, Penalty(p, p), start)


def refit(rows: Rows, config: Config, start: Array, virtue: npt.NDArray[np.bool_]) -> Array:
    """Fit HMDR, then its support with hardly any penalty."""
    w = plain(rows, config, start, virtue)
    p = rows.penalties(config)
    return minimise(rows, Penalty(np.where(w == 0.0, 1e6, 0.0), 0.01 * p), w)


def group(rows: Rows, config: Config, start: Array, virtue: npt.NDArray[np.bool_]) -> Array:
    """Fit with the deviations of each concept under one norm, times sqrt(2) for the loss of L1."""
    zero = np.zeros(start.size)
    l1 = np.where(rows.domain < 0, config.lambda_shared, 0.0)
    of = np.where(rows.domain < 0, -1, rows.concept)
    strength = config.lambda_domain * np.sqrt(2.0)
    return minimise(rows, Penalty(l1, zero, of, strength), start)


def known_signs(rows: Rows, config: Config, start: Array, virtue: npt.NDArray[np.bool_]) -> Array:
    """Fit HMDR with weights of virtues at least 0."""
    zero = np.zeros(start.size)
    positive = virtue[rows.concept]
    return minimise(rows, Penalty(rows.penalties(config), zero, positive=positive), start)


FITTERS: dict[str, Fitter] = {
    OURS: plain,
    "adaptive": adaptive,
    "elastic net": elastic_net,
    "refit": refit,
    "group": group,
    "known signs": known_signs,
}


def tried(
    preferences: Preferences,
    concepts: ConceptMatrix,
    mechanism: str,
    *,
    virtues: Sequence[str] = (),
    n_splits: int = 8,
    n_folds: int = 5,
    seed: int = 0,
) -> tuple[Tested, Frame]:
    """Return held-out scores of every change in domain, in the protocol of `palate evaluate`."""
    frame = Frame.of(preferences, concepts, missing="zero", cluster=None)
    problem = Problem.of(frame, mechanism, preferences.verdict(mechanism))
    names = [n for n in FITTERS if n != "known signs" or virtues]
    virtue = np.isin(problem.names, list(virtues))
    design = build(problem)
    dense = design.rows.toarray()
    tests = repeated_splits(
        problem.groups, problem.codes, n_splits=n_splits, test_share=1 / 8, seed=seed
    )
    protocol = Protocol(n_folds=n_folds, seed=seed)
    configs = grid(design, OURS, configs=9)
    log_odds = np.full((len(names), *tests.shape), np.nan)
    for s, test in enumerate(tests):
        folds = inner_folds(problem, ~test, protocol, stream=(1, s))
        losses = np.zeros((len(names), len(configs)))
        for k in range(int(folds.max()) + 1):
            rows = Rows.of(design, dense, (folds >= 0) & (folds != k), configs[0].alpha)
            for m, name in enumerate(names):
                w = np.zeros(dense.shape[1])
                for j, config in enumerate(configs):
                    w = FITTERS[name](rows, config, w, virtue)
                    z = predicted(design, w, folds == k)
                    losses[m, j] += float(pair_losses(z, design.y[folds == k]).sum())
        rows = Rows.of(design, dense, ~test, configs[0].alpha)
        for m, name in enumerate(names):
            best = configs[int(np.argmin(losses[m]))]
            w = FITTERS[name](rows, best, np.zeros(dense.shape[1]), virtue)
            log_odds[m, s, test] = predicted(design, w, test)
    tested = Tested.of(problem, "in domain", names, log_odds, least=8)
    if tested is None:
        raise ValueError(f"{mechanism}: nothing could be scored.")
    return tested, frame


def alphas(
    preferences: Preferences,
    concepts: ConceptMatrix,
    mechanism: str,
    *,
    n_splits: int = 8,
    n_folds: int = 3,
    seed: int = 0,
) -> tuple[list[Tested], Frame]:
    """Return held-out scores of HMDR by its alpha, in domain and on left-out domains."""
    frame = Frame.of(preferences, concepts, missing="zero", cluster=None)
    problem = Problem.of(frame, mechanism, preferences.verdict(mechanism))
    design = build(problem)
    base = grid(design, OURS, configs=9)
    own = base[0].alpha
    grids = {OURS: base} | {
        f"alpha = {a:g}": [
            Config(a, c.lambda_shared * (1 + a) / (1 + own), c.lambda_domain) for c in base
        ]
        for a in ALPHAS
    }
    protocol = Protocol(n_folds=n_folds, seed=seed)
    tests = repeated_splits(
        problem.groups, problem.codes, n_splits=n_splits, test_share=1 / 8, seed=seed
    )
    inside = np.full((len(grids), *tests.shape), np.nan)
    outside = np.full((len(grids), 1, problem.n_pairs), np.nan)
    quick = config_context(assume_finite=True, skip_parameter_validation=True)
    with quick:
        for s, test in enumerate(tests):
            folds = inner_folds(problem, ~test, protocol, stream=(1, s))
            for m, configs in enumerate(grids.values()):
                best = chosen(design, configs, folds, seed=seed)
                fit = fit_on(design, best, ~test, seed=seed)
                inside[m, s, test] = fit.log_odds(design.X[test], design.codes[test])
        whole = inner_folds(problem, np.ones(problem.n_pairs, dtype=bool), protocol, stream=(2,))
        for m, configs in enumerate(grids.values()):
            losses = transfer_losses(problem, design, configs, whole, seed=seed)
            outside[m, 0] = left_out_log_odds(problem, design, configs, losses, seed=seed)
    both = [
        Tested.of(problem, setting, list(grids), z, least=8)
        for setting, z in ((IN_DOMAIN, inside), (NEW_DOMAIN, outside))
    ]
    return [t for t in both if t is not None], frame


def predicted(design: Design, w: Array, pairs: npt.NDArray[np.bool_]) -> Array:
    """Return the log-odds of some pairs by the weights of the augmented columns."""
    effects = np.zeros(design.structure.shape)
    effects[design.column_domain + 1, design.column_concept] = w
    return np.asarray(
        np.einsum("ij,ij->i", design.X[pairs], (effects[0] + effects[1:])[design.codes[pairs]])
    )


def compared(tested: Sequence[Tested], frame: Frame) -> list[dict[str, Any]]:
    """Return one row per setting and model: the mean of domains, and of mechanisms if several."""
    rows = score_rows(tested, frame.group_of, frame.codes, level=0.9, seed=0)
    last = rows[-1]["mechanism"]
    return [r for r in rows if r["mechanism"] == last and r["domain"] == "(mean)"]


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table: by how much each change is better than HMDR, in pairs."""
    lines = [
        "| setting | change | accuracy, % | better than HMDR by | log-loss | better than HMDR by |",
        "|---|---|---|---|---|---|",
    ]
    for r in rows:
        cells = [r["setting"], r["model"], f"{100 * r['accuracy']:.1f}"]
        for name, times, digits in (("gain", 100, 1), ("log_loss_gain", 1, 4)):
            if name == "log_loss_gain":
                cells.append(f"{r['log_loss']:.4f}")
            if r["model"] == OURS:
                cells.append("")
                continue
            value, low, high = (
                round(-times * r[f"{name}{end}"], digits) + 0.0 for end in ("", "_high", "_low")
            )
            sign = " *" if low > 0 or high < 0 else ""
            cells.append(f"{value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]{sign}")
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]
