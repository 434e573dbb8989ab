"""Worlds with known truth, for `benchmarks/inference.py`: concept values, prompts, verdicts.

A verdict is +1 with probability sigma(x'(b + s(d))), exactly, in every world. Shapes and
conventions: n pairs, C concepts, D domains; `effects` (D + 1, C) holds b in row 0 and s(d) in row
1 + d; `exists` (D + 1, C) says which of these exist (a concept that is specific to some domains has
no b). What is estimated is defined in one place, `estimands`.

Values. `ternary`: thresholded Gaussians, within blocks of ten concepts autoregressive with
correlation .7, a share of 10-70 % of each concept's values other than 0. `score`: the same
Gaussians as whole numbers in -6..6, a share of 40-100 % relevant. `judges`, `pandalm`: measured
concepts of the real pairs; `annotated`, `demo`: concepts annotated by a language model, with the
domains that they are specific to. Real rows are drawn with replacement within domains, whose shares
stay as they are. Fewer concepts than there are: a random choice of those with a value other than 0
on 5 % of the pairs. More: a third each of products x_j |x_k|, of copies with 30 % of the values set
to 0, and of columns shuffled within domains; none correlates above .95 with one that is there.

Prompts. `single`: one pair each. `repeated`: 1 to 20 pairs a prompt, P(k) ~ 1 / k (mean 5.6). The
first row of a prompt is its base; of the others half equal it (the same responses judged again),
and half keep each value with probability .7 and take the others from a fresh row (other responses).
Their verdicts hang together through a Gaussian copula with correlation .8: Phi of correlated normal
numbers is compared with each pair's own probability, so each pair keeps exactly its probability. At
last the two responses of every pair are exchanged with probability one half.

Effects. `null`: none. `planted`: 5 shared effects (8 from 100 concepts on) of .3 to 1.2 per
standard deviation (root mean square) of the concept, either sign; effects of .5 to 1.5 in a
single domain of 3 (5) other concepts; and in one domain each, a turned sign of 1 (2) and a change
of .4 to 1.2 of 2 (3) of the shared ones. Everything else is exactly 0. `dense`: every b normal with
standard deviation .15 sqrt(30 / C) per standard deviation of the concept, every second concept with
deviations in all domains two thirds as large.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr, ndtri

import palate
from palate.concepts.imported import read_concepts
from palate.concepts.matrix import ConceptMatrix
from palate.data.demo import demo_paths

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SYNTHETIC = ("ternary", "score")
DESIGNS = (*SYNTHETIC, "judges", "pandalm", "annotated", "demo")
N_DOMAINS = 8
MOST = 20  # pairs of a prompt
COPULA = 0.8
ALIKE, KEPT = 0.5, 0.7
LATENT, BLOCK = 0.7, 10


class World(NamedTuple):
    """A kind of data; its name is that of its parts, `ternary-30-400-null-single`."""

    design: str
    n_concepts: int
    n_pairs: int
    effects: str
    prompts: str

    @property
    def name(self) -> str:
        """The name of the world."""
        return "-".join(map(str, self))

    @classmethod
    def of(cls, name: str) -> World:
        """Read a name."""
        design, concepts, pairs, effects, prompts = name.split("-")
        world = cls(design, int(concepts), int(pairs), effects, prompts)
        if (
            design not in DESIGNS
            or effects not in ("null", "planted", "dense")
            or prompts not in ("single", "repeated")
        ):
            raise ValueError(f"World {name!r} is unknown; expected one like {EXAMPLE}.")
        return world


EXAMPLE = "ternary-30-400-null-single"


@dataclass(frozen=True, eq=False)
class Data:
    """What a method sees, and the truth that it does not see."""

    X: Array
    y: Array
    codes: Integers
    groups: Integers
    exists: Booleans
    effects: Array


@dataclass(frozen=True, eq=False)
class Population:
    """Real rows to draw from: values (N, C), domains (N,), structure (D + 1, C)."""

    values: Array
    codes: Integers
    exists: Booleans


def estimands(effects: Array, exists: Booleans) -> tuple[Array, Array, Array]:
    """Return shared effects (..., C), deviations and totals (..., D, C); NaN where absent.

    Shared: b, about which the deviations of domains of this kind are drawn. Total: b + s(d).
    Deviation: the total minus the mean of the totals of the other domains that have the concept,
    in which b cancels.
    """
    held = np.where(exists, effects, 0.0)
    own, s = exists[1:], held[..., 1:, :]
    total = np.where(own, held[..., :1, :] + s, np.nan)
    others = own.sum(axis=0) - 1
    elsewhere = (s.sum(axis=-2, keepdims=True) - s) / np.maximum(others, 1)
    deviation = np.where(own & (others > 0), s - elsewhere, np.nan)
    return np.where(exists[0], held[..., 0, :], np.nan), deviation, total


def draw(world: World, replicate: int) -> Data:
    """Return one replicate of a world, always the same one."""
    random = np.random.default_rng([zlib.crc32(world.name.encode()), replicate])
    values, codes, groups, exists = (
        _synthetic(world, random) if world.design in SYNTHETIC else _real(world, random)
    )
    kept = np.flatnonzero((values != 0).any(axis=0))
    X, exists = values[:, kept], exists[:, kept]
    X = np.where(exists[0] | exists[1 + codes], X, 0.0)
    effects = EFFECTS[world.effects](X, codes, exists, random)
    own = np.where(exists[0], effects[0], 0.0) + np.where(exists[1:], effects[1:], 0.0)
    probability = expit(np.einsum("ij,ij->i", X, own[codes]))
    common = random.standard_normal(groups.max() + 1)[groups]
    noise = np.sqrt(COPULA) * common + np.sqrt(1 - COPULA) * random.standard_normal(groups.size)
    y = np.where(ndtr(noise) < probability, 1.0, -1.0)
    swapped = np.where(random.random(y.size) < 0.5, -1.0, 1.0)
    return Data(X * swapped[:, None], y * swapped, codes, groups, exists, effects)


def group_sizes(n: int, prompts: str, random: np.random.Generator) -> Integers:
    """Return sizes of prompts that add up to n pairs."""
    if prompts == "single":
        return np.ones(n, dtype=np.int64)
    size = np.arange(1, MOST + 1)
    drawn = random.choice(size, size=n, p=(1 / size) / (1 / size).sum())
    count = int(np.searchsorted(np.cumsum(drawn), n)) + 1
    drawn = drawn[:count].astype(np.int64)
    drawn[-1] -= drawn.sum() - n
    return drawn


def _layout(
    sizes: list[int], prompts: str, random: np.random.Generator
) -> tuple[Integers, Integers]:
    """Return the domain and the prompt of each pair, prompts in one piece."""
    codes, groups = [], []
    start = 0
    for d, n in enumerate(sizes):
        of_group = group_sizes(n, prompts, random)
        groups.append(np.repeat(np.arange(start, start + of_group.size), of_group))
        codes.append(np.full(n, d))
        start += of_group.size
    return np.concatenate(codes), np.concatenate(groups)


def _share_within(values: Array, groups: Integers, random: np.random.Generator) -> Array:
    """Return values in which the rows of a prompt are copies and variants of its first row."""
    _, first, at = np.unique(groups, return_index=True, return_inverse=True)
    base = first[at]
    alike = random.random(groups.size) < ALIKE
    kept = alike[:, None] | (random.random(values.shape) < KEPT)
    return np.where(kept, values[base], values)


def _synthetic(
    world: World, random: np.random.Generator
) -> tuple[Array, Integers, Integers, Booleans]:
    n, C = world.n_pairs, world.n_concepts
    sizes = [len(part) for part in np.array_split(np.arange(n), N_DOMAINS)]
    codes, groups = _layout(sizes, world.prompts, random)
    normal = random.standard_normal((n, C))
    for j in range(C):
        if j % BLOCK:
            normal[:, j] = LATENT * normal[:, j - 1] + np.sqrt(1 - LATENT**2) * normal[:, j]
    if world.design == "ternary":
        threshold = -ndtri(random.uniform(0.1, 0.7, size=C) / 2)
        values = np.where(np.abs(normal) > threshold, np.sign(normal), 0.0)
    else:
        relevant = random.random((n, C)) < random.uniform(0.4, 1.0, size=C)
        values = np.where(relevant, np.clip(np.round(2.2 * normal), -6, 6), 0.0)
    exists = np.ones((N_DOMAINS + 1, C), dtype=bool)
    return _share_within(values, groups, random), codes, groups, exists


def _real(world: World, random: np.random.Generator) -> tuple[Array, Integers, Integers, Booleans]:
    population = widened(world.design, world.n_concepts)
    C = population.values.shape[1]
    columns = np.arange(C)
    if world.n_concepts < C:
        often = np.flatnonzero((population.values != 0).mean(axis=0) >= 0.05)
        columns = np.sort(random.choice(often, size=world.n_concepts, replace=False))
    share = np.bincount(population.codes) / population.codes.size
    sizes = np.floor(share * world.n_pairs).astype(int)
    sizes[np.argsort(-(share * world.n_pairs - sizes))[: world.n_pairs - sizes.sum()]] += 1
    codes, groups = _layout(sizes.tolist(), world.prompts, random)
    rows = np.empty(codes.size, dtype=np.int64)
    for d in range(share.size):
        here = np.flatnonzero(population.codes == d)
        rows[codes == d] = random.choice(here, size=int((codes == d).sum()))
    values = population.values[np.ix_(rows, columns)]
    return _share_within(values, groups, random), codes, groups, population.exists[:, columns]


@lru_cache(maxsize=8)
def population_of(design: str) -> Population:
    """Return the real values of a design, columns without a value other than 0 left out."""
    if design == "demo":
        pairs, paths = palate.load_demo(), demo_paths()
        matrix = read_concepts(paths.concepts, paths.values).align(pairs.ids)
    elif design == "annotated":
        pairs = palate.read(DATA / "judges.jsonl.gz")
        matrix = read_concepts(DATA / "judges_concepts.json", DATA / "judges_concepts.jsonl.gz")
        matrix = matrix.align(pairs.ids)
    else:
        pairs = palate.read(DATA / f"{design}.jsonl.gz")
        matrix = palate.measure(pairs, n_jobs=1)
    used = np.isfinite(matrix.values).any(axis=1)
    domains = np.asarray(pairs.pairs["domain"].to_list())[used]
    names, codes = np.unique(domains, return_inverse=True)
    exists = _structure(matrix, names.tolist())
    values = np.nan_to_num(matrix.values[used])
    values = np.where(exists[0] | exists[1 + codes], values, 0.0)
    kept = (values != 0).any(axis=0)
    return Population(values[:, kept], codes.astype(np.int64), exists[:, kept])


def _structure(matrix: ConceptMatrix, names: list[str]) -> Booleans:
    exists = np.ones((len(names) + 1, matrix.n_concepts), dtype=bool)
    for j, concept in enumerate(matrix.concepts):
        if concept.domains is not None:
            exists[:, j] = [False, *(name in concept.domains for name in names)]
    return exists


@lru_cache(maxsize=8)
def widened(design: str, n_concepts: int) -> Population:
    """Return the real values, with made columns added until there are as many as asked for."""
    population = population_of(design)
    columns = list(population.values.T)
    exists = list(population.exists.T)
    random = np.random.default_rng(zlib.crc32(design.encode()))
    everywhere = np.flatnonzero(population.exists[0])
    kind = 0
    while len(columns) < n_concepts:
        j, k = random.choice(everywhere, size=2, replace=False)
        source = population.values[:, j]
        if kind % 3 == 0:
            other = np.abs(population.values[:, k])
            made = source * other / max(other.max(), 1e-9)
        elif kind % 3 == 1:
            made = np.where(random.random(source.size) < 0.7, source, 0.0)
        else:
            made = source.copy()
            for d in range(population.codes.max() + 1):
                here = np.flatnonzero(population.codes == d)
                made[here] = source[random.permutation(here)]
        kind += 1
        if (made != 0).mean() < 0.02 or _too_close(made, columns):
            continue
        columns.append(made)
        exists.append(np.ones(population.exists.shape[0], dtype=bool))
    return Population(np.column_stack(columns), population.codes, np.column_stack(exists))


def _too_close(made: Array, columns: list[Array]) -> bool:
    others = np.column_stack(columns)
    size = np.sqrt((others**2).sum(axis=0) * (made**2).sum())
    return bool((np.abs(others.T @ made) > 0.95 * np.maximum(size, 1e-12)).any())


def _null(X: Array, codes: Integers, exists: Booleans, random: np.random.Generator) -> Array:
    return np.zeros(exists.shape)


def _planted(X: Array, codes: Integers, exists: Booleans, random: np.random.Generator) -> Array:
    """Few shared effects, and deviations in single domains where the concept has values."""
    effects = np.zeros(exists.shape)
    C = X.shape[1]
    n_shared, n_only, n_turned, n_changed = (8, 5, 2, 3) if C >= 100 else (5, 3, 1, 2)
    scale = 1.0 / np.sqrt((X**2).mean(axis=0))
    often = (X != 0).mean(axis=0) >= 0.1
    shared = random.permutation(np.flatnonzero(often & exists[0]))[:n_shared]
    sign = random.choice([-1.0, 1.0], size=C)
    effects[0, shared] = (sign * random.uniform(0.3, 1.2, size=C) * scale)[shared]
    rest = random.permutation(np.setdiff1d(np.flatnonzero(often | ~exists[0]), shared))[:n_only]
    for k, j in enumerate([*rest, *shared[: n_turned + n_changed]]):
        there = np.array(
            [
                d
                for d in range(exists.shape[0] - 1)
                if exists[1 + d, j] and _often_in(X[codes == d, j])
            ]
        )
        if there.size == 0:
            continue
        d = random.choice(there)
        if k < rest.size:
            effects[1 + d, j] = sign[j] * random.uniform(0.5, 1.5) * scale[j]
        elif k < rest.size + n_turned:
            effects[1 + d, j] = -random.uniform(1.5, 2.5) * effects[0, j]
        else:
            change = random.choice([-1.0, 1.0]) * random.uniform(0.4, 1.2)
            effects[1 + d, j] = change * scale[j]
    return effects


def _often_in(values: Array) -> bool:
    return int((values != 0).sum()) >= max(5, 0.1 * values.size)


def _dense(X: Array, codes: Integers, exists: Booleans, random: np.random.Generator) -> Array:
    C = X.shape[1]
    size = 0.15 * np.sqrt(30 / C) / np.sqrt((X**2).mean(axis=0))
    effects = random.standard_normal(exists.shape) * size
    effects[1:, ::2] *= 2 / 3
    effects[1:, 1::2] = 0.0
    return np.where(exists, effects, 0.0)


EFFECTS = {"null": _null, "planted": _planted, "dense": _dense}
