"""Resampling by prompt.

Shapes and conventions, stated once. `groups` is an integer per pair, shape (n,): pairs that share a
prompt or a pair of responses have the same one and are drawn together. `strata` is an integer per
pair as well (its domain): groups are drawn with replacement within the stratum of their first
pair, so that every domain keeps its number of groups. Replicate r of seed s is the same whatever
else is drawn, so work can be divided in any way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
BLOCK = 100  # replicates drawn at a time


@dataclass(frozen=True, eq=False)
class Resampling:
    """Draws groups with replacement within strata.

    `group_of` numbers the group of each pair 0..G-1, shape (n,); `strata` lists, per stratum, the
    groups in it.
    """

    group_of: Integers
    strata: tuple[Integers, ...]

    @classmethod
    def of(cls, groups: npt.ArrayLike, strata: npt.ArrayLike) -> Resampling:
        """Prepare the draws.

        Parameters
        ----------
        groups
            Group of each pair, shape (n,).
        strata
            Stratum of each pair, shape (n,).
        """
        _, first, group_of = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
        of_group = np.asarray(strata)[first]
        return cls(
            group_of=group_of.astype(np.int64),
            strata=tuple(np.flatnonzero(of_group == s) for s in np.unique(of_group)),
        )

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return sum(s.size for s in self.strata)

    def counts(self, replicate: int, *, seed: int, times: float = 1.0) -> Array:
        """Return how often each group is drawn in one replicate, shape (G,).

        Parameters
        ----------
        replicate
            Number of the replicate, from 0.
        seed
            Seed of all replicates.
        times
            Draws per group that there is: 1 for the ordinary bootstrap, more if the groups stand
            for a larger set.
        """
        random = np.random.default_rng([seed, replicate])
        out = np.zeros(self.n_groups)
        for members in self.strata:
            drawn = random.integers(0, members.size, size=round(times * members.size))
            out[members] = np.bincount(drawn, minlength=members.size)
        return out

    def count_block(self, random: np.random.Generator, n_replicates: int) -> Array:
        """Return how often each group is drawn in several replicates at once, shape (R, G).

        Parameters
        ----------
        random
            Source of the draws.
        n_replicates
            R.
        """
        out = np.zeros((n_replicates, self.n_groups))
        offset = np.arange(n_replicates)[:, None]
        for members in self.strata:
            m = members.size
            drawn = random.integers(0, m, size=(n_replicates, m)) + m * offset
            counts = np.bincount(drawn.ravel(), minlength=n_replicates * m)
            out[:, members] = counts.reshape(n_replicates, m)
        return out

    def pair_weights(self, replicate: int, *, seed: int, times: float = 1.0) -> Array:
        """Return the weight of each pair in one replicate, shape (n,), a whole number.

        Parameters
        ----------
        replicate
            Number of the replicate, from 0.
        seed
            Seed of all replicates.
        times
            Draws per group that there is.
        """
        return self.counts(replicate, seed=seed, times=times)[self.group_of]


def stratum_sums(
    values: Array,
    codes: Integers,
    resampling: Resampling,
    *,
    n_replicates: int,
    seed: int,
) -> tuple[Array, Array]:
    """Return bootstrap replicates of sums by domain (R, D, S), and of numbers of pairs (R, D).

    Parameters
    ----------
    values
        S statistics per pair, shape (n, S).
    codes
        Domain of each pair, numbered 0..D-1, shape (n,).
    resampling
        How groups are drawn.
    n_replicates
        R.
    seed
        Seed of the draws.
    """
    n_domains = int(codes.max()) + 1
    cells, cell_of = np.unique(resampling.group_of * n_domains + codes, return_inverse=True)
    table = np.zeros((cells.size, values.shape[1] + 1))
    np.add.at(table, cell_of, np.column_stack([values, np.ones(codes.size)]))
    group, domain = np.divmod(cells, n_domains)
    sums = np.empty((n_replicates, n_domains, table.shape[1]))
    random = np.random.default_rng([seed, 1])
    for start in range(0, n_replicates, BLOCK):
        block = slice(start, min(start + BLOCK, n_replicates))
        draws = resampling.count_block(random, block.stop - start)
        for d in range(n_domains):
            sums[block, d] = draws[:, group[domain == d]] @ table[domain == d]
    return sums[:, :, :-1], sums[:, :, -1]
