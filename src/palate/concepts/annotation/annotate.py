"""`annotate`: preferences and definitions in, an `Annotation` out.

    with connect("openai:gpt-5-mini") as client:
        annotation = palate.annotate(preferences, concepts, client)
    annotation.save("annotated")

Pairs are asked in rounds. After each, a policy (if there is one) says which concepts are worth
asking on, and of which the second order is asked as well. Everything random is drawn from the ids
of the pairs and the seed, and every answer lies in the client's store, so asking again, after an
interruption or for the same pairs in another file, costs nothing and gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.annotation import Annotation
from palate.concepts.annotation.asking import BLOCK
from palate.concepts.annotation.board import Board
from palate.concepts.annotation.comparing import ask_orders
from palate.concepts.annotation.policy import Policy
from palate.concepts.annotation.protocols import (
    Definitions,
    Protocol,
    Relevance,
    SecondOrder,
    choose,
)
from palate.concepts.annotation.relevance import ask_relevance
from palate.concepts.annotation.rounds import rounds_of
from palate.concepts.annotation.scoring import ask_scores
from palate.concepts.annotation.second_order import audited
from palate.concepts.concept import Concept
from palate.data.injection import flags_of
from palate.data.preferences import Preferences
from palate.errors import DataError, InputError
from palate.llm.outcome import Asks

Progress = Callable[[int, int], None]


def annotate(
    preferences: Preferences,
    concepts: Sequence[Concept],
    client: Asks,
    *,
    protocol: Protocol = "lean",
    relevance: Relevance | None = None,
    reasons: bool | None = None,
    second_order: SecondOrder | None = None,
    concepts_per_call: int | None = None,
    pairs_per_call: int | None = None,
    rounds: Sequence[float] | None = None,
    policy: Policy | None = None,
    audit_share: float | None = None,
    audit_pairs: int | None = None,
    definitions: Definitions | None = None,
    max_chars: int | None = None,
    seed: int = 0,
    block: int = BLOCK,
    progress: Progress | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Annotation:
    """Ask a language model which response of each pair has more of each concept.

    What is None is as the protocol has it, see `palate.concepts.annotation.protocols`.

    Parameters
    ----------
    preferences
        The pairs; verdicts are not looked at.
    concepts
        The concepts, names unique; specific ones are asked in their domains only.
    client
        Who answers, see `palate.llm.connect`.
    protocol
        "lean", "paper" or "score".
    relevance
        "folded", "call" or "none".
    reasons
        Whether a short reason stands before each answer.
    second_order
        "always", "audit", "policy" or "never".
    concepts_per_call
        Most concepts in one call.
    pairs_per_call
        Most pairs in one call, where only answers are asked for.
    rounds
        Share of the pairs that each round asks; what they leave is a last round.
    policy
        Called after each round; after the last one only its word on the second order counts.
    audit_share
        Share of the pairs that the audit asks in both orders.
    audit_pairs
        Fewest pairs of the audit.
    definitions
        "full", or "high" for definitions without their low end.
    max_chars
        Longest prompt or response that is shown whole.
    seed
        Seed of the order of responses, of the rounds, of the audit and of who shares a call.
    block
        Questions handed to the client at a time.
    progress
        Called with the number of pairs done and their total, first with 0.
    provenance
        What is recorded beside the values, for instance the name of the model.

    Raises
    ------
    DataError
        If not a single question was answered.
    InputError
        If there are no concepts or no pairs, a name repeats, or a choice is wrong.
    BudgetError
        If the client reached its limit of cost; what was answered is in its store.
    """
    choices = choose(
        protocol,
        with_policy=policy is not None,
        relevance=relevance,
        reasons=reasons,
        second_order=second_order,
        concepts_per_call=concepts_per_call,
        pairs_per_call=pairs_per_call,
        rounds=None if rounds is None else tuple(rounds),
        audit_share=audit_share,
        audit_pairs=audit_pairs,
        definitions=definitions,
        max_chars=max_chars,
    )
    _check(preferences, concepts)
    board = Board(preferences, concepts, client, choices, seed=seed, block=block)
    if choices.second_order == "audit":
        board.audit = audited(
            board.ids,
            board.domains,
            share=choices.audit_share,
            at_least=choices.audit_pairs,
            seed=seed,
        )
    elif choices.second_order == "always":
        board.audit[:] = True
    report = progress or (lambda done, total: None)
    done = 0
    report(0, len(board.ids))
    together = choices.pairs_per_call
    for rows in rounds_of(board.ids, board.domains, choices.rounds, seed=seed, together=together):
        _ask_round(board, rows)
        board.rounds += 1
        if policy is not None:
            decision = policy(board.state())
            if done + rows.size == len(board.ids):  # nothing is left to be spared
                decision = replace(decision, keep=np.ones_like(decision.keep), reasons={})
            board.decide(decision)
            if choices.second_order in ("audit", "policy"):
                _ask_where_it_matters(board)
        done += rows.size
        report(done, len(board.ids))
    if board.asked.any() and not np.isfinite(board.first[board.asked]).any():
        worst = board.lost[0]
        raise DataError(
            f"None of the {len(board.ids)} pairs could be annotated; the first question failed "
            f"with {worst.reason!r}{f' ({worst.detail})' if worst.detail else ''}."
        )
    truncated: dict[str, tuple[str, ...]] = {}
    cleaned = 0
    for row in range(len(board.ids)):
        shown = board.shown(row)
        cleaned += shown.cleaned
        if shown.cut:
            truncated[shown.id] = shown.cut
    return Annotation.of(
        board,
        truncated=truncated,
        cleaned=cleaned,
        flagged={
            pair_id: flags
            for row, pair_id in enumerate(board.ids)
            if (flags := flags_of(*board.texts(row)))
        },
        provenance=provenance or {},
    )


def _ask_round(board: Board, rows: npt.NDArray[np.int64]) -> None:
    """Ask the pairs of a round, those of the audit in both orders."""
    cells = np.zeros_like(board.asked)
    cells[rows] = board.applies[rows] & board.keep[board.domain_of[rows]]
    board.asked |= cells
    if board.choices.relevance == "call":
        cells = ask_relevance(board, rows, cells)
    if board.choices.protocol == "score":
        ask_scores(board, rows, cells)
        return
    ask_orders(board, cells, cells & board.audit[:, None])


def _ask_where_it_matters(board: Board) -> None:
    """Ask the second order where the policy wants it and it can change a value.

    Where the first order said "equal" the value is 0 whatever the second says.
    """
    wanted = board.twice[board.domain_of] & board.asked & ~board.asked_again
    wanted &= np.isfinite(board.first) & (board.first != 0)
    ask_orders(board, np.zeros_like(wanted), wanted)


def _check(preferences: Preferences, concepts: Sequence[Concept]) -> None:
    if not preferences.n_pairs:
        raise InputError("annotate: found no pairs; expected at least one.")
    if not concepts:
        raise InputError("annotate: found no concepts; expected at least one.")
    names = [concept.name for concept in concepts]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"annotate: found concept {twice!r} twice; expected unique names.")
    domains = set(preferences.domains)
    if not any(concept.domains is None or domains & set(concept.domains) for concept in concepts):
        theirs = sorted({d for concept in concepts for d in concept.domains or ()})
        raise InputError(
            f"annotate: found concepts of the domains {theirs[:5]} only; expected shared ones or "
            f"some of the domains {sorted(domains)[:5]}."
        )
