"""Both responses shown, one answer per concept: in the first order, and again in the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from palate.concepts.annotation.asking import Question, Together
from palate.concepts.annotation.board import Board, Mask
from palate.concepts.annotation.questions import compare_request, pairs_request
from palate.concepts.annotation.reading import compared
from palate.concepts.annotation.together import Asked, together
from palate.data.shown import Shown, b_first
from palate.llm.outcome import Failure
from palate.llm.request import Request


def ask_orders(board: Board, first: Mask, second: Mask) -> None:
    """Ask pairs in the order that the seed gives each of them, and with the responses exchanged.

    Parameters
    ----------
    board
        Takes the answers.
    first
        Shape (n_pairs, n_concepts): what is asked in the first order.
    second
        Same shape: what is asked with the responses exchanged.
    """
    board.asked_again |= second
    for question, outcome in board.ask(_questions(board, first, second)):
        exchanged = question.exchanged
        if isinstance(outcome, Failure):
            board.lose(question, outcome, "second order" if exchanged else "first order")
            continue
        target = board.second if exchanged else board.first
        target[question.row, list(question.columns)] = compared(
            outcome,
            len(question.columns),
            swapped=b_first(board.ids[question.row], board.seed) != exchanged,
        )


def _questions(board: Board, first: Mask, second: Mask) -> Iterator[Question | Together]:
    folded, reasons = board.choices.relevance == "folded", board.choices.reasons

    def build(shown: Shown, exchanged: bool, part: tuple[int, ...]) -> Request:
        return compare_request(
            shown,
            board.chosen(part),
            swapped=b_first(shown.id, board.seed) != exchanged,
            folded=folded,
            reasons=reasons,
        )

    def build_pairs(pairs: Sequence[tuple[Shown, bool]], columns: tuple[int, ...]) -> Request:
        shown = [(pair, b_first(pair.id, board.seed) != exchanged) for pair, exchanged in pairs]
        return pairs_request(shown, board.chosen(columns), folded=folded)

    for columns, group in _calls(board, first, second):
        pairs = [(board.shown(row), exchanged) for row, exchanged in group]
        asked = tuple(
            Question(row, columns, partial(build, *pair), exchanged=exchanged)
            for (row, exchanged), pair in zip(group, pairs, strict=True)
        )
        yield asked[0] if len(asked) == 1 else Together(asked, partial(build_pairs, pairs, columns))


def _calls(
    board: Board, first: Mask, second: Mask
) -> Iterator[tuple[tuple[int, ...], tuple[Asked, ...]]]:
    """Columns and pairs of each call; only pairs of a domain with the same columns share one."""
    size = board.choices.pairs_per_call
    alike: dict[tuple[int, tuple[int, ...]], list[Asked]] = {}
    for cells, exchanged in ((first, False), (second, True)):
        for row in np.flatnonzero(cells.any(axis=1)).tolist():
            for columns in board.groups(cells[row]):
                if size == 1:
                    yield columns, ((row, exchanged),)
                else:
                    key = (int(board.domain_of[row]), columns)
                    alike.setdefault(key, []).append((row, exchanged))
    for (_, columns), same in sorted(alike.items()):
        for group in together(board.ids, same, size, seed=board.seed):
            yield columns, group
