"""Does `palate compare` call equal mechanisms different, and does it find what differs?

    python benchmarks/compare.py                      # everything; about 30 minutes on one core
    python benchmarks/compare.py --part level --replicates 40

Two mechanisms judge the same pairs. Concept values, prompts and the effects of mechanism A are
those of `inference_worlds.py`; B has the same effects, but for the planted differences. Given the
concepts the verdicts of the two hang together: each verdict compares Phi of a normal number with
its own probability, and these numbers have variance parts in common, which leaves every verdict
exactly its probability. `single`: .4 common to the two mechanisms on a pair (a response that is
simply better). `repeated`: .2 common to all verdicts on a prompt, .3 of each mechanism on a prompt,
.2 common on a pair.

Level: equal effects; any difference called supported, at FDR .10 and .05, over replicates. Beside
it the share of p-values of shared differences below .1 and .01, for four ways to an error: `palate`
(t quantiles), the same with a wild bootstrap (Rademacher, studentised, 399 draws), the difference
of the two separate estimates with paired errors, and with errors as if unpaired.

Power: 3 of 30 concepts differ by a lift of 5 to 40 % per step in all domains. The bound has the
standard error of the maximum-likelihood estimate with known support (which weights of A and of B
are not 0), from the Fisher information of each mechanism and the true covariance of their verdicts;
it decides by the rule of Palate, as one test at .05 or over all concepts at FDR .10.

Coverage: mechanisms that differ in everything (the effects of B are another draw of the world), and
such that differ in four concepts in one domain each by 1.5 log-odds. Shares of 90 % intervals that
hold the truth, which of a shared difference is the mean over domains; and the share of false ones
among the concepts said to differ, and among those said to differ everywhere.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from inference_worlds import EFFECTS, Array, Data, World, draw, estimands
from scipy import stats
from scipy.special import expit, ndtr, ndtri

from palate.inference.differences import Differences, differ
from palate.inference.discoveries import Verdict, benjamini_hochberg, supported

LEVEL_WORLDS = (
    "ternary-30-250-planted-single",
    "ternary-30-1000-null-single",
    "ternary-30-1000-planted-single",
    "ternary-30-1000-dense-single",
    "score-30-1000-planted-repeated",
    "judges-30-1000-planted-repeated",
)
LIFTS = (5, 10, 20, 40)
SIZES = (250, 500, 1000, 2000, 4000)
N_PLANTED = 3
COMMON = 0.4
DRAWS = 399


@dataclass(frozen=True, eq=False)
class Two:
    """A replicate: the data of a world, the effects of B (D + 1, C) and both verdicts (n,)."""

    data: Data
    other: Array
    y_a: Array
    y_b: Array
    z_a: Array
    z_b: Array
    planted: Array


def two(name: str, replicate: int, *, lift: float = 0.0, kind: str = "") -> Two:
    """Return a replicate in which B differs from A by a lift (in per cent) in three concepts.

    Of `kind` "everything" B is another draw of the world; of "one domain" four concepts differ in
    one domain each.
    """
    data = draw(World.of(name), replicate)
    random = np.random.default_rng([zlib.crc32(name.encode()), replicate, round(lift), 7])
    other, planted = data.effects.copy(), np.zeros(0, dtype=np.int64)
    if lift:
        often = np.flatnonzero(((data.X != 0).mean(axis=0) >= 0.2) & data.exists[0])
        planted = random.choice(often, size=N_PLANTED, replace=False)
        sign = random.choice([-1.0, 1.0], size=N_PLANTED)
        other[0, planted] -= sign * 2 * np.arctanh(lift / 100)
    if kind == "everything":
        other = EFFECTS[World.of(name).effects](data.X, data.codes, data.exists, random)
    if kind == "one domain":
        often = np.flatnonzero(((data.X != 0).mean(axis=0) >= 0.2) & data.exists[0])
        for j in random.choice(often, size=4, replace=False):
            other[1 + random.integers(len(other) - 1), j] -= 1.5
    z_a, z_b = (log_odds(data, effects) for effects in (data.effects, other))
    groups, n = data.groups, data.codes.size
    together = random.standard_normal(n)
    noise = []
    if np.unique(groups).size == n:
        for _ in "ab":
            own = random.standard_normal(n)
            noise.append(np.sqrt(COMMON) * together + np.sqrt(1 - COMMON) * own)
    else:
        prompt = random.standard_normal(groups.max() + 1)[groups]
        for _ in "ab":
            taste = random.standard_normal(groups.max() + 1)[groups]
            own = random.standard_normal(n)
            parts = ((0.2, prompt), (0.3, taste), (0.2, together), (0.3, own))
            noise.append(sum(np.sqrt(share) * part for share, part in parts))
    y_a, y_b = (
        np.where(ndtr(e) < expit(z), 1.0, -1.0) for e, z in zip(noise, (z_a, z_b), strict=True)
    )
    return Two(data, other, y_a, y_b, z_a, z_b, planted)


def log_odds(data: Data, effects: Array) -> Array:
    """Return the true log-odds of every pair."""
    own = np.where(data.exists[0], effects[0], 0.0) + np.where(data.exists[1:], effects[1:], 0.0)
    return np.einsum("ij,ij->i", data.X, own[data.codes])


def fitted(case: Two) -> Differences:
    """Return what Palate finds."""
    d = case.data
    return differ(d.X, case.y_a, case.y_b, d.codes, d.groups, exists=d.exists)


def other_errors(found: Differences, seed: int) -> dict[str, Array]:
    """Return p-values of the shared differences by other ways, (C,) each."""
    linear = found.difference.linear.shared()
    at = found.difference.linear.posterior.shared
    out = {}
    random = np.random.default_rng(seed)
    signs = random.choice([-1.0, 1.0], size=(DRAWS, linear.noise.shape[0]))
    se = np.sqrt((linear.noise**2).sum(axis=0) + linear.bias)
    drawn = np.abs(signs @ linear.noise) / se
    seen = np.abs(linear.value) / se
    out["wild bootstrap"] = (1 + (drawn >= seen).sum(axis=0)) / (1 + DRAWS)
    a, b = found.a.linear.shared(), found.b.linear.shared()
    apart = a.value - b.value
    paired = np.sqrt(((a.noise - b.noise) ** 2).sum(axis=0))
    out["two estimates, paired"] = 2 * stats.t.sf(np.abs(apart) / paired, np.minimum(a.dof, b.dof))
    unpaired = np.hypot(found.a.shared.se, found.b.shared.se)[at]
    out["two estimates, unpaired"] = 2 * stats.norm.sf(np.abs(apart) / unpaired)
    return out


def share(values: Sequence[float]) -> str:
    """Return a mean in per cent with its Monte-Carlo error."""
    x = 100 * np.asarray(values, dtype=float)
    return f"{x.mean():.1f} ± {x.std() / np.sqrt(max(x.size, 1)):.1f}"


def level_table(worlds: Sequence[str], n_replicates: int) -> list[str]:
    """Return the rows about equal mechanisms."""
    rows = [
        "| world | any difference at FDR .10, % | at .05, % | error | p < .1, % | p < .01, % |",
        "|---|---|---|---|---|---|",
    ]
    for name in worlds:
        any10, any05 = [], []
        small: dict[str, list[tuple[float, float]]] = {}
        for replicate in range(n_replicates):
            found = fitted(two(name, replicate))
            for fdr, into in ((0.1, any10), (0.05, any05)):
                support = supported(found.difference, fdr=fdr)
                said = (support.shared != Verdict.NOT).any() | (support.domain != Verdict.NOT).any()
                into.append(float(said))
            p = found.difference.shared.p_value
            ways = {"palate": p[~np.isnan(p)], **other_errors(found, replicate)}
            for way, values in ways.items():
                small.setdefault(way, []).append(
                    (float((values < 0.1).mean()), float((values < 0.01).mean()))
                )
        first = f"| {name} | {share(any10)} | {share(any05)} "
        for way, pairs in small.items():
            ten, one = zip(*pairs, strict=True)
            rows.append(f"{first}| {way} | {share(ten)} | {share(one)} |")
            first = "| | | "
        print(*rows[-len(small) :], sep="\n", flush=True)
    return rows


def bound(case: Two) -> Array:
    """Return the standard errors of the planted differences with known support, shape (3,)."""
    p_a, p_b = expit(case.z_a), expit(case.z_b)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    limits = [ndtri(p) for p in (p_a, p_b)]
    both = np.zeros(p_a.size)
    for x, weight in zip(nodes, weights, strict=True):
        one, other = (ndtr((at - np.sqrt(COMMON) * x) / np.sqrt(1 - COMMON)) for at in limits)
        both += weight * one * other
    covariance = both - p_a * p_b
    out = []
    for j in case.planted:
        designs = [columns(case.data, effects, j) for effects in (case.data.effects, case.other)]
        inverse = [
            np.linalg.pinv(X.T @ (X * (p * (1 - p))[:, None]))
            for X, p in zip(designs, (p_a, p_b), strict=True)
        ]
        cross = designs[0].T @ (designs[1] * covariance[:, None])
        together = inverse[0][0] @ cross @ inverse[1][:, 0]
        out.append(np.sqrt(inverse[0][0, 0] + inverse[1][0, 0] - 2 * together))
    return np.array(out)


def columns(data: Data, effects: Array, j: int) -> Array:
    """Return the columns of the model with known support, that of concept j first."""
    held = np.where(data.exists, effects, 0.0)
    parts = [data.X[:, j]]
    parts += [data.X[:, k] for k in np.flatnonzero(held[0]) if k != j]
    for d in range(len(held) - 1):
        parts += [data.X[:, k] * (data.codes == d) for k in np.flatnonzero(held[1 + d])]
    return np.column_stack(parts)


def power_table(n_replicates: int) -> list[str]:
    """Return the rows about planted differences."""
    rows = [
        "| pairs | lift, % | one test at .05: Palate | bound | share | FDR .10: Palate | bound | "
        "share | false of found, % | interval covers, % | estimate / truth |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for n in SIZES:
        for lift in LIFTS:
            name = f"ternary-30-{n}-planted-single"
            one, one_bound, all_, all_bound, false, covers, ratio = ([] for _ in range(7))
            for replicate in range(n_replicates):
                case = two(name, replicate, lift=lift)
                found = fitted(case)
                shared = found.difference.shared
                truth = (case.data.effects - case.other)[0]
                support = supported(found.difference, fdr=0.1)
                said = support.shared != Verdict.NOT
                spoken = said | (support.domain != Verdict.NOT).any(axis=0)
                null = np.setdiff1d(np.arange(truth.size), case.planted)
                size = truth[case.planted] / bound(case)
                one += list(shared.p_value[case.planted] < 0.05)
                limit = stats.norm.ppf(0.975)
                one_bound += list(stats.norm.sf(limit - size) + stats.norm.cdf(-limit - size))
                all_ += list(said[case.planted])
                all_bound.append(by_rule(size, truth.size, replicate))
                false.append(spoken[null].sum() / max(spoken.sum(), 1))
                covers.append(((shared.low <= truth) & (truth <= shared.high)).mean())
                ratio.append((shared.value / np.where(truth == 0, 1, truth))[case.planted].mean())
            cells = [
                f"{np.mean(one):.2f} | {np.mean(one_bound):.2f} | {_kept(one, one_bound)}",
                f"{np.mean(all_):.2f} | {np.mean(all_bound):.2f} | {_kept(all_, all_bound)}",
                f"{share(false)} | {share(covers)} | {np.mean(ratio):.2f}",
            ]
            rows.append(f"| {n:,} | {lift} | {' | '.join(cells)} |")
            print(rows[-1], flush=True)
    return rows


def _kept(found: Sequence[float], most: Sequence[float]) -> str:
    return f"{np.mean(found) / np.mean(most):.2f}" if np.mean(most) > 0.5 else ""


def by_rule(size: Array, n_concepts: int, seed: int) -> float:
    """Return the share of planted differences found by the rule, for estimates at the bound.

    With known support the effect in every domain is the shared one, so a family's p-value is twice
    that of the shared difference; the other concepts' p-values are uniform.
    """
    random = np.random.default_rng([seed, 11])
    shares = []
    for _ in range(50):
        z = random.standard_normal(size.size) + size
        p = np.concatenate([2 * stats.norm.sf(np.abs(z)), random.random(n_concepts - size.size)])
        shares.append(benjamini_hochberg(np.minimum(2 * p, 1.0), fdr=0.1)[: size.size].mean())
    return float(np.mean(shares))


COVERAGE_WORLDS = (
    ("ternary-30-300-planted-single", "everything"),
    ("ternary-30-1000-planted-single", "everything"),
    ("ternary-30-1000-dense-single", "everything"),
    ("judges-30-1000-planted-repeated", "everything"),
    ("ternary-30-1000-planted-single", "one domain"),
)


def coverage_table(n_replicates: int) -> list[str]:
    """Return the rows about intervals and false findings of mechanisms that differ."""
    rows = [
        "| world | differ in | shared, not 0, % | shared, 0, % | in a domain, not 0, % | "
        "in a domain, 0, % | false of concepts said to differ, % | of those everywhere, % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, kind in COVERAGE_WORLDS:
        cells: list[list[float]] = [[] for _ in range(6)]
        for replicate in range(n_replicates):
            case = two(name, replicate, kind=kind)
            found = fitted(case).difference
            exists = case.data.exists
            apart = np.where(exists, case.data.effects - case.other, 0.0)
            _, _, total = estimands(apart, exists)
            with np.errstate(invalid="ignore"):
                shared = np.where(exists[0], np.nanmean(total, axis=0), np.nan)
            cases = ((found.shared, shared), (found.total, total))
            for k, (estimates, truth) in enumerate(cases):
                held = (estimates.low <= truth) & (truth <= estimates.high)
                known = ~np.isnan(estimates.value)
                for nonzero in (True, False):
                    at = known & ((truth != 0) == nonzero)
                    if at.any():
                        cells[2 * k + (not nonzero)].append(held[at].mean())
            support = supported(found, fdr=0.1)
            everywhere = support.shared != Verdict.NOT
            said = everywhere | (support.domain != Verdict.NOT).any(axis=0)
            truly = (np.abs(np.nan_to_num(total)) > 0).any(axis=0)
            cells[4].append((said & ~truly).sum() / max(said.sum(), 1))
            common = np.abs(apart[0]) > 0
            cells[5].append((everywhere & ~common).sum() / max(everywhere.sum(), 1))
        shown = " | ".join(share(c) if c else "–" for c in cells)
        rows.append(f"| {name} | {kind} | {shown} |")
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("level", "power", "coverage", "all"), default="all")
    parser.add_argument("--replicates", type=int, default=None)
    parser.add_argument("--world", action="append")
    given = parser.parse_args()
    if given.part in ("level", "all"):
        rows = level_table(given.world or LEVEL_WORLDS, given.replicates or 400)
        print("\nEqual mechanisms\n", *rows, sep="\n")
    if given.part in ("power", "all"):
        rows = power_table(given.replicates or 100)
        print("\nPlanted differences\n", *rows, sep="\n")
    if given.part in ("coverage", "all"):
        rows = coverage_table(given.replicates or 60)
        print("\nMechanisms that differ\n", *rows, sep="\n")


if __name__ == "__main__":
    main()
