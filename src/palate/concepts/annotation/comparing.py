"""Both responses shown, one answer per concept: in the first order, and again in the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.asking import Question
from palate.concepts.annotation.board import Board, Mask
from palate.concepts.annotation.questions import compare_request
from palate.concepts.annotation.reading import compared
from palate.concepts.annotation.shown import Shown, b_first
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
) -> Iterator[Question]:
    folded, reasons = board.choices.relevance == "folded", board.choices.reasons

    def build(shown: Shown, part: tuple[int, ...]) -> Request:
        return compare_request(
            shown,
            board.chosen(part),
            swapped=b_first(shown.id, board.seed) != exchanged,
            folded=folded,
            reasons=reasons,
        )

    for row in rows.tolist():
        for columns in board.groups(cells[row]):
            yield Question(row, columns, partial(build, board.shown(row)))
