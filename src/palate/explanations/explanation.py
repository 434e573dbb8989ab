"""`Explanation`: what one mechanism rewards, as data.

Shapes and conventions, stated once. C concepts, D domains, N pairs (all pairs of the file, whether
this mechanism judged them or not). Weights are log-odds per step of a concept; the weight in
domain d is `shared[j] + domain[d, j]`. A weight that does not exist by structure (a specific
concept outside its domains; the shared part of a specific concept) is NaN, not 0. Estimates are of
the same kind, but the deviation in a domain is the effect there minus the effect in the other
domains, so that it does not depend on the domain itself (`palate.inference.effects`).
The lift is 100 tanh(weight / 2), what one step does to an even choice, in per cent; to first order
it is 50 * weight (METHOD section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.concepts.matrix import ConceptMatrix
from palate.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from palate.explanations.local import LocalExplanation

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Band:
    """Weights of the model and estimates of the effects, arrays of one shape.

    `weight` is the penalised weight of HMDR, which predicts; `estimate` the effect without
    shrinkage, with its confidence interval `low` to `high`, its two-sided `p_value` and what can
    be said of it, `verdict` (a word of `palate.inference.discoveries.Verdict`; "" where there is
    no effect by structure). `selected` is the share of bootstrap refits that kept the weight.
    The estimate is NaN where the concept differs in too few groups to say anything.
    """

    weight: Array
    estimate: Array
    low: Array
    high: Array
    p_value: Array
    verdict: npt.NDArray[np.str_]
    selected: Array


@dataclass(frozen=True, eq=False)
class Explanation:
    """What one mechanism rewards, everywhere and in each domain, and how well that holds.

    Parameters
    ----------
    mechanism
        Whose verdicts are explained.
    concepts
        Values on all N pairs, aligned with the preferences, specific concepts masked.
    domains
        The D domains that the model was fitted on.
    shared
        Weights b and shared effects, of shape (C,).
    domain
        Weights s(d) and differences of a domain from the others, of shape (D, C).
    total
        Weights b + s(d) and effects in the domains, of shape (D, C).
    exact_shared
        Mean exact lift of the shared part, shape (C,), per cent per step.
    exact_total
        Mean exact lift in each domain, shape (D, C).
    pairs
        One row per pair: verdict and probabilities.
    scores
        Held-out scores of the model and of every baseline.
    coverage
        One row per concept: share of pairs measured, and with a value other than 0.
    settings
        Hyperparameters and certificate of the fit, and how it was made.
    counts
        How many pairs, verdicts, prompts, concepts and weights.
    ceiling
        How well the verdicts can be predicted at best, from replicates; empty where there are none.
    reliability
        One row per concept annotated twice; empty where none is.
    notes
        Plain sentences that a reader must know.
    calibration
        Held-out probabilities against outcomes: bins, error and slope by setting.
    """

    mechanism: str
    concepts: ConceptMatrix  # (N, C), aligned with the preferences, specific concepts masked
    domains: tuple[str, ...]  # the D domains that the model was fitted on
    shared: Band  # (C,)
    domain: Band  # (D, C): deviation s(d) from the shared part
    total: Band  # (D, C): b + s(d), the effect in the domain
    exact_shared: Array  # (C,) mean exact lift over the judged pairs, per cent per step
    exact_total: Array  # (D, C)
    # one row per pair (N): id, domain, verdict (null = not judged), probability (fitted P(a)),
    # held_out_probability (out-of-fold P(a), null where not judged or tied)
    pairs: pl.DataFrame
    # tidy scores: setting ("in domain" | "new domain"), model ("HMDR", "majority",
    # "longer response", "pooled", "per domain", ...), domain (a name, "(mean)" or "(all pairs)"),
    # accuracy, accuracy_low, accuracy_high, log_loss, log_loss_low, log_loss_high, n_pairs, and
    # gain, gain_low, gain_high (accuracy of HMDR minus this model's, paired; null for HMDR);
    # accuracy in [0, 1], intervals over prompts, null where it cannot be computed
    scores: pl.DataFrame
    # one row per concept: concept, measured (share of pairs with a value), nonzero (share)
    coverage: pl.DataFrame
    settings: Mapping[str, Any]  # alpha, lambda_shared, lambda_domain, at_edge, dual_gap,
    #   relative_gap, folds, n_bootstrap, level, seed, ...
    counts: Mapping[str, int]  # pairs, judged, ties, used, prompts, clusters, domains, concepts,
    #   nonzero_shared, nonzero_domain
    # what palate.explanations.ceiling.Share holds, as data, and its `sentence`; empty where no
    # verdict is replicated
    ceiling: Mapping[str, Any] = field(default_factory=dict)
    # one row per concept annotated twice (palate.concepts.reliability); empty where none is
    reliability: pl.DataFrame = field(default_factory=pl.DataFrame)
    notes: tuple[str, ...] = field(default=())  # plain sentences: what a reader must know
    # rows by setting and bin ("1", ..., "(all)"): palate.explanations.calibration
    calibration: pl.DataFrame = field(default_factory=pl.DataFrame)

    # -- one pair -------------------------------------------------------------------------------

    def row(self, pair_id: str) -> int:
        """Return the row of the pair with this id.

        Raises
        ------
        UnknownNameError
            If there is no such pair.
        """
        cache: dict[str, int] = self.__dict__.setdefault("_row_cache", {})
        if not cache:
            cache.update({name: i for i, name in enumerate(self.concepts.ids)})
        if pair_id not in cache:
            raise UnknownNameError("pair", pair_id, self.concepts.ids)
        return cache[pair_id]

    def local(self, pair_id: str, *, swapped: bool = False) -> LocalExplanation:
        """Explain one pair: contributions that sum to its log-odds, lifts, and what would flip it.

        Parameters
        ----------
        pair_id
            Id of a pair of the explained preferences, judged by the mechanism or not.
        swapped
            Explain the pair with its two responses exchanged: everything changes sign.

        Raises
        ------
        UnknownNameError
            If there is no such pair.
        """
        from palate.explanations.local import explain_pair

        return explain_pair(self, pair_id, swapped=swapped)

    # -- tables and files -----------------------------------------------------------------------

    def to_frame(self) -> pl.DataFrame:
        """Return one row per concept and scope ("everywhere" or a domain) with its effect there.

        Columns: `mechanism, concept, family, origin, scope`; `verdict` (what is supported);
        `lift, lift_low, lift_high` (the estimated effect and its interval, of an even choice, per
        cent per step); `estimate, low, high, p_value` (the same in log-odds per step; the shared
        effect everywhere, the whole effect in a domain); `difference, difference_low,
        difference_high, difference_p_value` (a domain minus the other domains, null everywhere);
        `weight, selected` and `domain_weight, domain_selected` (HMDR and its refits),
        `first_order_lift` (50 x weight), `exact_lift` (of the weight, mean over the judged pairs);
        `unit, step`. Effects that do not exist by structure have no row.
        """
        from palate.explanations.tables import weights_frame

        return weights_frame(self)

    def save(self, directory: str | PathLike[str]) -> None:
        """Write `explanation.json` and `pairs.parquet` into a directory, which is made if absent.

        Parameters
        ----------
        directory
            Where to write; files of these names in it are replaced.

        Raises
        ------
        OutputError
            If the directory cannot be written.
        """
        from palate.explanations.files import save_explanations

        save_explanations([self], directory)

    @classmethod
    def load(cls, directory: str | PathLike[str], *, mechanism: str | None = None) -> Explanation:
        """Read an explanation that `save` or `palate explain` wrote.

        Parameters
        ----------
        directory
            The directory that holds `explanation.json` and `pairs.parquet`.
        mechanism
            Which one, where the directory holds explanations of several mechanisms.

        Raises
        ------
        FileFormatError
            If the files are absent, damaged or of another schema.
        InputError
            If there are several and none is named.
        UnknownNameError
            If there is no explanation of that mechanism.
        """
        from palate.explanations.files import load_explanations

        found = {e.mechanism: e for e in load_explanations(directory)}
        if mechanism is None and len(found) == 1:
            return next(iter(found.values()))
        if mechanism is None:
            raise InputError(
                f"{directory}: found explanations of {len(found)} mechanisms; expected one of them "
                f"to be named: {', '.join(map(repr, found))}."
            )
        if mechanism not in found:
            raise UnknownNameError("mechanism", mechanism, found)
        return found[mechanism]

    # -- a look ---------------------------------------------------------------------------------

    def __repr__(self) -> str:
        from palate.explanations.text import describe

        return describe(self)

    def _repr_html_(self) -> str:
        from importlib import import_module

        # The report room is above this one; a notebook is the only caller of this method.
        html: str = import_module("palate.report.notebook").explanation_html(self)
        return html
