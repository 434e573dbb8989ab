"""One response shown at a time, a score per concept; the value is the difference of the two."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.asking import Question
from palate.concepts.annotation.board import Array, Board, Mask
from palate.concepts.annotation.questions import Side, score_request
from palate.concepts.annotation.reading import difference, scored
from palate.data.shown import Shown
from palate.llm.outcome import Failure
from palate.llm.request import Request


def ask_scores(board: Board, rows: npt.NDArray[np.int64], cells: Mask) -> None:
    """Ask for scores of both responses of pairs.

    Parameters
    ----------
    board
        Takes the differences.
    rows
        Rows of the pairs.
    cells
        Shape (n_pairs, n_concepts): what is asked.
    """
    a, b = _scores(board, rows, cells, "a"), _scores(board, rows, cells, "b")
    found = difference(a, b)
    known = np.isfinite(found)
    board.first[known] = found[known]


def _scores(board: Board, rows: npt.NDArray[np.int64], cells: Mask, side: Side) -> Array:
    scores = np.full(cells.shape, np.nan)
    questions = _questions(board, rows, cells, side)
    for question, outcome in board.ask(questions):
        if isinstance(outcome, Failure):
            board.lose(question, outcome, "response a" if side == "a" else "response b")
        else:
            columns = list(question.columns)
            scores[question.row, columns] = scored(outcome, len(columns))
    return scores


def _questions(
    board: Board, rows: npt.NDArray[np.int64], cells: Mask, side: Side
) -> Iterator[Question]:
    def build(shown: Shown, part: tuple[int, ...]) -> Request:
        return score_request(shown, board.chosen(part), side=side)

    for row in rows.tolist():
        for columns in board.groups(cells[row]):
            yield Question(row, columns, partial(build, board.shown(row)))
