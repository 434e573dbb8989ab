"""Both responses shown, one answer per concept: in the first order, and again in the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.asking import Question, Together
from palate.concepts.annotation.board import Board, Mask
from palate.concepts.annotation.questions import compare_request, pairs_request
from palate.concepts.annotation.reading import compared
from palate.concepts.annotation.shown import Shown, b_first
from palate.concepts.annotation.together import together
from palate.llm.outcome import Failure
from palate.llm.request import Request


def ask_first_order(board: Board, rows: npt.NDArray[np.int64], cells: Mask) -> None:
    """Ask pairs in the order that the seed gives each of them.

    Parameters
    ----------
    board
        Takes the answers.
    rows
        Rows of the pairs.
    cells
        Shape (n_pairs, n_concepts): what is asked.
    """
    _ask(board, rows, cells, exchanged=False)


def ask_second_order(board: Board, rows: npt.NDArray[np.int64], cells: Mask) -> None:
    """Ask pairs again with the responses exchanged.

    Parameters
    ----------
    board
        Takes the answers.
    rows
        Rows of the pairs.
    cells
        Shape (n_pairs, n_concepts): what is asked.
    """
    board.asked_again |= cells
    _ask(board, rows, cells, exchanged=True)


def _ask(board: Board, rows: npt.NDArray[np.int64], cells: Mask, *, exchanged: bool) -> None:
    target = board.second if exchanged else board.first
    questions = _questions(board, rows, cells, exchanged=exchanged)
    for question, outcome in board.ask(questions):
        if isinstance(outcome, Failure):
            board.lose(question, outcome, "second order" if exchanged else "first order")
            continue
        swapped = b_first(board.ids[question.row], board.seed) != exchanged
        target[question.row, list(question.columns)] = compared(
            outcome, len(question.columns), swapped=swapped
        )


def _questions(
    board: Board, rows: npt.NDArray[np.int64], cells: Mask, *, exchanged: bool
) -> Iterator[Question | Together]:
    folded, reasons = board.choices.relevance == "folded", board.choices.reasons

    def swapped(pair_id: str) -> bool:
        return b_first(pair_id, board.seed) != exchanged

    def build(shown: Shown, part: tuple[int, ...]) -> Request:
        return compare_request(
            shown,
            board.chosen(part),
            swapped=swapped(shown.id),
            folded=folded,
            reasons=reasons,
        )

    def build_pairs(shown: Sequence[Shown], columns: tuple[int, ...]) -> Request:
        pairs = [(pair, swapped(pair.id)) for pair in shown]
        return pairs_request(pairs, board.chosen(columns), folded=folded)

    for columns, group in _calls(board, rows, cells):
        shown = [board.shown(row) for row in group]
        asked = tuple(
            Question(row, columns, partial(build, pair))
            for row, pair in zip(group, shown, strict=True)
        )
        yield asked[0] if len(asked) == 1 else Together(asked, partial(build_pairs, shown, columns))


def _calls(
    board: Board, rows: npt.NDArray[np.int64], cells: Mask
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Columns and rows of each call; only pairs of a domain with the same columns share one."""
    size = board.choices.pairs_per_call
    if size == 1:
        for row in rows.tolist():
            for columns in board.groups(cells[row]):
                yield columns, (row,)
        return
    alike: dict[tuple[int, tuple[int, ...]], list[int]] = {}
    for row in rows.tolist():
        for columns in board.groups(cells[row]):
            alike.setdefault((int(board.domain_of[row]), columns), []).append(row)
    for (_, columns), same in sorted(alike.items()):
        for group in together(board.ids, same, size, seed=board.seed):
            yield columns, group
