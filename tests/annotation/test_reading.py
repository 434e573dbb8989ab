"""Answers become numbers: sides, soft values, scores, and questions that are asked in parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from palate.concepts.annotation.asking import Question, Spent, ask
from palate.concepts.annotation.reading import compared, difference, relevant, scored
from palate.llm.outcome import Answer, Failure, Outcome, Usage
from palate.llm.request import Message, Request

NAN = np.nan


def test_a_comparison_is_turned_to_the_sides_of_the_pair() -> None:
    answer = Answer({"c1": "first", "c2": "second", "c3": "equal", "c4": "irrelevant"})
    assert compared(answer, 4, swapped=False).tolist() == [1, -1, 0, 0]
    assert compared(answer, 4, swapped=True).tolist() == [-1, 1, 0, 0]
    assert not np.signbit(compared(answer, 4, swapped=True)[2:]).any()
    reasons = Answer({"c1": {"reason": "x", "answer": "second"}})
    assert compared(reasons, 1, swapped=False).tolist() == [-1]


def test_probabilities_make_a_comparison_soft() -> None:
    answer = Answer(
        {"c1": "first", "c2": "equal"},
        probabilities={"c1": {"first": 0.7, "second": 0.1, "equal": 0.1, "irrelevant": 0.1}},
    )
    assert compared(answer, 2, swapped=False) == pytest.approx([0.6, 0])
    assert compared(answer, 2, swapped=True) == pytest.approx([-0.6, 0])


def test_scores_and_their_difference() -> None:
    assert scored(Answer({"c1": 7, "c2": 0}), 2).tolist() == [7, 0]
    soft = Answer(
        {"c1": 5, "c2": 0},
        probabilities={
            "c1": {"0": 0.2, "4": 0.4, "6": 0.4},  # 5 where it is relevant
            "c2": {"0": 0.6, "7": 0.4},
        },
    )
    assert scored(soft, 2) == pytest.approx([5, 0])
    a, b = np.array([7.0, 0.0, 3.0, NAN, 4.0]), np.array([2.0, 5.0, NAN, 1.0, 4.0])
    np.testing.assert_array_equal(difference(a, b), [5, 0, NAN, NAN, 0])
    np.testing.assert_array_equal(difference(b, a), [-5, 0, NAN, NAN, 0])


def test_relevance_is_yes_or_no() -> None:
    assert relevant(Answer({"c1": True, "c2": False}), 2).tolist() == [True, False]


class Loses:
    """Answers lists that hold none of these columns, and remembers what it was asked."""

    def __init__(self, lost: Sequence[int], reason: str = "wrong shape") -> None:
        self.lost, self.reason = set(lost), reason
        self.asked: list[tuple[int, ...]] = []

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        out: list[Outcome] = []
        for request in requests:
            columns = tuple(int(x) for x in request.messages[0].text.split())
            self.asked.append(columns)
            if self.lost & set(columns):
                out.append(Failure(self.reason))  # type: ignore[arg-type]
            else:
                out.append(Answer({}, Usage(10, 1), 0.5))
        return out


def build(columns: tuple[int, ...]) -> Request:
    return Request((Message("user", " ".join(map(str, columns))),), {}, "compare")


@pytest.mark.parametrize("lost", [[], [0], [7], [0, 1, 9, 15], list(range(15))])
def test_only_what_has_no_answer_is_lost(lost: list[int]) -> None:
    client, spent = Loses(lost), Spent()
    done = list(ask(client, [Question(0, tuple(range(16)), build)], spent=spent, block=10))
    assert sorted(c for q, _ in done for c in q.columns) == list(range(16))
    gone = {c for q, o in done if isinstance(o, Failure) for c in q.columns}
    assert gone >= set(lost)
    if len(lost) < 8:
        assert gone == set(lost)
    assert len(client.asked) <= 31
    assert spent.calls == sum(isinstance(o, Answer) for _, o in done)


def test_a_question_without_any_answer_is_asked_seven_times() -> None:
    client = Loses(range(40))
    done = list(ask(client, [Question(0, tuple(range(40)), build)], spent=Spent(), block=10))
    assert len(client.asked) == 7
    assert len(done) == 4


def test_what_does_not_depend_on_the_length_is_not_asked_in_parts() -> None:
    client = Loses(range(40), "timeout")
    done = list(ask(client, [Question(0, tuple(range(40)), build)], spent=Spent(), block=10))
    assert len(client.asked) == len(done) == 1


def test_equal_questions_of_two_pairs_are_counted_once() -> None:
    spent = Spent()
    questions = [Question(row, (1, 2), build) for row in range(5)]
    assert len(list(ask(Loses([]), questions, spent=spent, block=2))) == 5
    assert (spent.calls, spent.input_tokens, spent.cost) == (1, 10, 0.5)
