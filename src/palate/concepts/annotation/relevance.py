"""Which concepts matter for a request, asked before the comparison; the rest are 0."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from palate.concepts.annotation.asking import Question
from palate.concepts.annotation.board import Board, Mask
from palate.concepts.annotation.questions import relevance_request
from palate.concepts.annotation.reading import relevant
from palate.data.shown import Shown
from palate.llm.outcome import Failure
from palate.llm.request import Request


def ask_relevance(board: Board, rows: npt.NDArray[np.int64], cells: Mask) -> Mask:
    """Return which cells are relevant; those that are not become 0, the unanswered stay NaN.

    Parameters
    ----------
    board
        The annotation so far.
    rows
        Rows of the pairs.
    cells
        Shape (n_pairs, n_concepts): what is asked.
    """
    matters = np.zeros_like(cells)
    for question, outcome in board.ask(_questions(board, rows, cells)):
        columns = list(question.columns)
        if isinstance(outcome, Failure):
            board.lose(question, outcome, "relevance")
            continue
        found = relevant(outcome, len(columns))
        matters[question.row, columns] = found
        board.first[question.row, np.array(columns)[~found]] = 0.0
    return matters


def _questions(board: Board, rows: npt.NDArray[np.int64], cells: Mask) -> Iterator[Question]:
    def build(shown: Shown, part: tuple[int, ...]) -> Request:
        return relevance_request(shown, board.chosen(part))

    for row in rows.tolist():
        for columns in board.groups(cells[row]):
            yield Question(row, columns, partial(build, board.shown(row)))
