"""A real engine judges in every mode: its chat template, its decoding held to the schema."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import palate
from palate.errors import InputError
from palate.llm.client import Client
from palate.llm.connect import connect
from palate.mechanisms.style import JudgeStyle
from tests.llm.engine import serve_engine

pytestmark = pytest.mark.slow
PAIRS = palate.load_demo().select(range(0, 240, 60))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gguf")
    with (
        serve_engine(tmp_path_factory.mktemp("engine")) as base_url,
        connect("openai:tiny", base_url=base_url, concurrency=2) as found,
    ):
        yield found


def test_every_mode_is_answered(client: Client) -> None:
    zero = palate.judge(PAIRS, client, JudgeStyle(persona="coach", ties=True), name="zero")
    shots = palate.judge(PAIRS, client, name="shots", examples_of="expert", n_examples=2)
    for found in (zero, shots):
        assert not found.failures
        assert set(found.verdicts) <= {1.0, -1.0, 0.0}
    reasons = palate.judge(PAIRS, client, JudgeStyle("cot"), name="cot", orders="ab")
    for pair in reasons.judged:  # random weights may never come to an end
        assert pair.ab is not None
        assert pair.ab.reasons or "cut off" in pair.ab.failure


def test_probabilities_that_are_not_at_the_answers_are_no_soft_verdicts(client: Client) -> None:
    # an engine lists probabilities from before the schema holds it, and with random weights
    # nearly all of it is at other words
    with pytest.raises(InputError, match="no usable probabilities"):
        palate.judge(PAIRS, client, name="soft", soft=True)
