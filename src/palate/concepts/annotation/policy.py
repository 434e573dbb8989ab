"""What a policy sees between two rounds of questions, and what it decides.

    def policy(state: AnnotationState) -> Decision: ...

`annotate(..., policy=policy)` asks about a share of the pairs, calls the policy, asks on as it
decided, and so on until every pair had its turn. Policies that need statistics live where
statistics are (`palate.explanations`); here is only what they are called with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from palate.concepts.concept import Concept
from palate.errors import InputError


@dataclass(frozen=True, eq=False)
class AnnotationState:
    """What is known after a round.

    Parameters
    ----------
    ids
        Ids of all pairs, in the order of the preferences.
    domains
        Domain of each pair.
    concepts
        All concepts.
    values
        Shape (n_pairs, n_concepts): more in response a is positive; NaN = not known (yet); 0 where
        a concept is specific to other domains.
    asked
        Shape (n_pairs, n_concepts): whether it was asked, with or without an answer.
    round
        Rounds that are over, 1 after the first.
    first
        Values of the order asked first, shape (n_pairs, n_concepts); None where they are not told.
    second
        Values of the exchanged order, same shape, NaN where it was not asked.
    """

    ids: tuple[str, ...]
    domains: tuple[str, ...]
    concepts: tuple[Concept, ...]
    values: npt.NDArray[np.float64]
    asked: npt.NDArray[np.bool_]
    round: int
    first: npt.NDArray[np.float64] | None = None
    second: npt.NDArray[np.float64] | None = None

    @property
    def domain_names(self) -> tuple[str, ...]:
        """The domains in alphabetical order: the rows of a `Decision`."""
        return tuple(sorted(set(self.domains)))

    @property
    def applies(self) -> npt.NDArray[np.bool_]:
        """Whether a concept can be asked in a domain, shape (n_domains, n_concepts)."""
        return np.array(
            [
                [c.domains is None or name in c.domains for c in self.concepts]
                for name in self.domain_names
            ],
            dtype=bool,
        ).reshape(len(self.domain_names), len(self.concepts))


@dataclass(frozen=True, eq=False)
class Decision:
    """What is asked from now on.

    Rows are `AnnotationState.domain_names`, columns the concepts. What does not apply (a concept
    specific to other domains) is never asked, whatever stands there.

    Parameters
    ----------
    keep
        Shape (n_domains, n_concepts): whether the pairs that are left are asked. What is not asked
        is NaN. The first decision against a concept holds: true after false changes nothing.
    second
        Shape (n_domains, n_concepts): whether the second order is asked, of the pairs that have
        had the first already as of those to come. True once is true from then on.
    reasons
        Why a concept is dropped, by its name. A concept with a reason is given up: explanations
        leave it out. One that merely stops being asked, because enough is known, needs none.
    """

    keep: npt.NDArray[np.bool_]
    second: npt.NDArray[np.bool_]
    reasons: Mapping[str, str] = field(default_factory=dict)

    def check(self, state: AnnotationState) -> None:
        """Refuse a decision that is not about this state.

        Parameters
        ----------
        state
            What the policy was called with.

        Raises
        ------
        InputError
            If a shape is wrong or a reason is given for no concept.
        """
        shape = (len(state.domain_names), len(state.concepts))
        for name in ("keep", "second"):
            if getattr(self, name).shape != shape:
                raise InputError(
                    f"Decision: found {name} of shape {getattr(self, name).shape}; expected {shape}"
                    " (domains, concepts)."
                )
        unknown = set(self.reasons) - {c.name for c in state.concepts}
        if unknown:
            raise InputError(f"Decision: found a reason for {min(unknown)!r}; expected a concept.")


Policy: TypeAlias = Callable[[AnnotationState], Decision]


def keep_all(state: AnnotationState) -> Decision:
    """Return the decision that asks everything on, in the first order only.

    Parameters
    ----------
    state
        What is known.
    """
    shape = (len(state.domain_names), len(state.concepts))
    return Decision(keep=np.ones(shape, dtype=bool), second=np.zeros(shape, dtype=bool))
