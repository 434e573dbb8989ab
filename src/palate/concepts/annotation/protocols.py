"""The protocols and the choices that make them up.

    lean    one comparison call for three pairs: "irrelevant" is an answer, no reasons, one order,
            the second asked of a random twentieth (at least 20 pairs)
    paper   relevance first; then a reason before each answer, at most 20 concepts a call, both
            orders of every pair
    score   one response a call, 1 to 7 for each concept, 0 = not relevant; the difference of the
            two responses

Every choice can be made on its own; what is not chosen is the protocol's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, get_args

from palate.data.shown import MAX_CHARS
from palate.errors import InputError, UnknownNameError

Protocol = Literal["lean", "paper", "score"]
Relevance = Literal["folded", "call", "none"]
SecondOrder = Literal["always", "audit", "never", "policy"]
Definitions = Literal["full", "high"]
LEAST_CHARS = 200
MOST_PAIRS = 8


@dataclass(frozen=True)
class Choices:
    """How pairs are asked about.

    Parameters
    ----------
    protocol
        Which protocol the other choices started from; "score" asks one response at a time.
    relevance
        "folded": irrelevant is an answer of the comparison; "call": asked before, by the request
        alone, and only relevant concepts are compared; "none": every concept is compared.
    reasons
        Whether a short reason stands before each answer.
    second_order
        "always": every pair is asked in both orders; "audit": a random share, and what a policy
        asks for; "policy": what a policy asks for; "never": none.
    concepts_per_call
        Most concepts in one call.
    pairs_per_call
        Most pairs that are compared in one call, each by itself; more than 1 only without reasons
        and without a relevance call.
    rounds
        Shares of the pairs asked in each round; what they leave is a last round.
    audit_share
        Share of the pairs that the audit asks in both orders.
    audit_pairs
        Fewest pairs of the audit.
    definitions
        "full": definitions are shown as they are; "high": without what stands behind "; low:".
    max_chars
        Longest prompt or response that is shown whole.

    Raises
    ------
    UnknownNameError
        If a choice does not exist.
    InputError
        If a number is out of range, or the choices do not go together.
    """

    protocol: Protocol = "lean"
    relevance: Relevance = "folded"
    reasons: bool = False
    second_order: SecondOrder = "audit"
    concepts_per_call: int = 40
    pairs_per_call: int = 3
    rounds: tuple[float, ...] = (1.0,)
    audit_share: float = 0.05
    audit_pairs: int = 20
    definitions: Definitions = "full"
    max_chars: int = MAX_CHARS

    def __post_init__(self) -> None:
        for name, legal in (
            ("protocol", get_args(Protocol)),
            ("relevance", get_args(Relevance)),
            ("second_order", get_args(SecondOrder)),
            ("definitions", get_args(Definitions)),
        ):
            if getattr(self, name) not in legal:
                raise UnknownNameError(name.replace("_", " "), str(getattr(self, name)), legal)
        object.__setattr__(self, "rounds", tuple(float(share) for share in self.rounds))
        if self.concepts_per_call < 1:
            raise InputError(
                f"concepts_per_call: found {self.concepts_per_call}; expected at least 1."
            )
        if not 1 <= self.pairs_per_call <= MOST_PAIRS:
            raise InputError(
                f"pairs_per_call: found {self.pairs_per_call}; expected 1 to {MOST_PAIRS}."
            )
        if self.pairs_per_call > 1 and not self.may_share_calls:
            raise InputError(
                f"pairs_per_call: found {self.pairs_per_call} with reasons, a relevance call or "
                "scores; expected 1."
            )
        if self.max_chars < LEAST_CHARS:
            raise InputError(f"max_chars: found {self.max_chars}; expected at least {LEAST_CHARS}.")
        if not all(0 < share <= 1 for share in self.rounds) or sum(self.rounds) > 1 + 1e-9:
            raise InputError(
                f"rounds: found {list(self.rounds)}; expected shares of the pairs above 0 that sum "
                "to at most 1."
            )
        if not 0 <= self.audit_share <= 1 or self.audit_pairs < 0:
            raise InputError(
                f"audit: found a share of {self.audit_share} and {self.audit_pairs} pairs; expected"
                " a share in [0, 1] and at least 0 pairs."
            )
        if self.protocol == "score" and self.relevance == "none":
            raise InputError(
                "protocol 'score': 0 for what is not relevant is one of its answers; expected "
                'relevance="folded" or "call".'
            )
        if self.protocol == "score" and (self.reasons or self.second_order != "never"):
            raise InputError(
                "protocol 'score': it shows one response at a time, so there are no reasons and"
                ' no second order; expected reasons=False and second_order="never".'
            )

    @property
    def may_share_calls(self) -> bool:
        """Whether several pairs can be asked about in one call."""
        return self.protocol != "score" and self.relevance != "call" and not self.reasons


PROTOCOLS: dict[str, Choices] = {
    "lean": Choices(),
    "paper": Choices(
        protocol="paper",
        relevance="call",
        reasons=True,
        second_order="always",
        concepts_per_call=20,
        pairs_per_call=1,
    ),
    "score": Choices(protocol="score", second_order="never", pairs_per_call=1),
}
POLICY_ROUNDS = (0.2, 0.2, 0.2, 0.2, 0.2)


def choose(protocol: str, *, with_policy: bool, **given: Any) -> Choices:
    """Return the choices of a protocol with those that were made differently.

    Parameters
    ----------
    protocol
        Name of the protocol.
    with_policy
        Whether a policy decides between rounds; then there are five rounds unless said otherwise.
    given
        Choices by name; None leaves the protocol's.

    Raises
    ------
    UnknownNameError
        If the protocol or a choice does not exist.
    InputError
        If the choices do not go together.
    """
    if protocol not in PROTOCOLS:
        raise UnknownNameError("protocol", protocol, PROTOCOLS)
    made = {name: value for name, value in given.items() if value is not None}
    if with_policy:
        made.setdefault("rounds", POLICY_ROUNDS)
    alone = replace(PROTOCOLS[protocol], **{**made, "pairs_per_call": 1})
    if not alone.may_share_calls:
        made.setdefault("pairs_per_call", 1)
    choices = replace(PROTOCOLS[protocol], **made)
    if choices.second_order != "audit" and {"audit_share", "audit_pairs"} & made.keys():
        raise InputError(
            f"audit: found a size of it and second_order={choices.second_order!r}; expected "
            'second_order="audit".'
        )
    if choices.second_order == "policy" and not with_policy:
        raise InputError('second_order="policy": found no policy; expected one.')
    return choices


def chunks(columns: Sequence[int], limit: int) -> list[tuple[int, ...]]:
    """Return columns in as few groups of at most `limit` as possible, of even sizes.

    Parameters
    ----------
    columns
        The columns, in order.
    limit
        Most of them in one group.
    """
    n = -(-len(columns) // limit)
    bounds = [round(k * len(columns) / n) for k in range(n + 1)] if n else []
    return [tuple(columns[i:j]) for i, j in pairwise(bounds)]
