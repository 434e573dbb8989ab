"""An annotator that answers from recorded values and counts tokens with a real tokenizer.

`Recorder` takes the place of a client (`palate.llm.Asks`): the requests are those that
`palate.annotate` builds, the answers the recorded values as JSON, and both are counted with the
tekken vocabulary that the package `mistral-common` ships (131,072 tokens; nothing is downloaded).

Orders. Recorded are a first annotation of every pair and an independent second one, with the
responses exchanged, of a fifth of them. For the other pairs the second is simulated
(`second_orders`): an answer becomes what the second annotation of the twice annotated pairs says,
concept by concept, pulled towards all concepts by `PULL` pairs. So simulated orders err at the
rate of real ones, but know of the texts only what the first said: an order that is asked alone
looks too good where it is the recorded one, and too bad where it is the simulated one.

Relevance was not recorded: a 0 is "equal" or "not relevant". The relevance call of the paper's
protocol is taken to keep what differs and half of the rest (`relevance_of`).
"""

from __future__ import annotations

import base64
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import palate
from palate.concepts.concept import Concept
from palate.llm.outcome import Answer, Outcome, Usage
from palate.llm.prompt import read_fences
from palate.llm.request import Request

Array = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
VOCABULARY = "tekken_240911.json"
REASON = "The first response names the quantity and the time, the second speaks in general terms."
PULL = 10.0
WORDS = {1.0: "first", -1.0: "second", 0.0: "equal"}


@cache
def tokenizer() -> Any:
    """The tekken tokenizer, from the vocabulary in `mistral-common`."""
    import tiktoken

    found = importlib.util.find_spec("mistral_common")
    if found is None or found.origin is None:
        raise SystemExit("pip install 'palate[bench]': the tokenizer is in mistral-common.")
    file = json.loads((Path(found.origin).parent / "data" / VOCABULARY).read_text(encoding="utf-8"))
    config = file["config"]
    n = config["default_vocab_size"] - config["default_num_special_tokens"]
    ranks = {base64.b64decode(v["token_bytes"]): v["rank"] for v in file["vocab"][:n]}
    return tiktoken.Encoding(
        "tekken", pat_str=config["pattern"], mergeable_ranks=ranks, special_tokens={}
    )


@cache
def tokens(text: str) -> int:
    """Number of tokens of a text."""
    return len(tokenizer().encode(text, disallowed_special=()))


@dataclass
class Count:
    """Calls and tokens; `prefix` are those of `sent` that stood at the start of an earlier call."""

    calls: int = 0
    sent: int = 0
    prefix: int = 0
    answered: int = 0
    schema: int = 0

    @property
    def raw(self) -> int:
        """Tokens in and out."""
        return self.sent + self.answered


@dataclass
class Recorder:
    """Answers requests of `palate.annotate` from recorded values, and counts.

    `first` and `second` are values of both orders (positive = more in response a), `row_of` the
    row of a request by prompt and response a, `relevant` what the relevance call keeps.
    """

    concepts: Sequence[Concept]
    first: Array
    second: Array
    row_of: Mapping[tuple[str, str, str], tuple[int, bool]]
    relevant: Booleans
    asked: set[tuple[int, str]] = field(default_factory=set)
    count: Count = field(default_factory=Count)
    seen: set[str] = field(default_factory=set)
    least_prefix: int = 1024

    def __post_init__(self) -> None:
        self._column = {c.name: j for j, c in enumerate(self.concepts)}
        self._by_prompt: dict[str, int] = {}
        for (prompt, _, _), (row, _) in self.row_of.items():
            self._by_prompt.setdefault(prompt, row)

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one answer per request."""
        return [self._answer(r) for r in requests]

    def _answer(self, request: Request) -> Answer:
        system, user = (m.text for m in request.messages)
        material = read_fences(user)
        fields = {
            k: self._column[p["description"]] for k, p in request.schema["properties"].items()
        }
        if request.name == "relevance":
            row = self._by_prompt[material["request"]]
            value: dict[str, Any] = {k: bool(self.relevant[row, j]) for k, j in fields.items()}
        else:
            key = (material["request"], material["response_1"], material["response_2"])
            row, swapped = self.row_of[key]
            of = {}
            for k, j in fields.items():  # what is asked first gets the first annotation
                again = (row, str(j)) in self.asked
                self.asked.add((row, str(j)))
                v = (self.second if again else self.first)[row, j]
                of[k] = WORDS[float(-v if swapped else v) + 0.0]
            value = (
                {k: {"reason": REASON, "answer": w} for k, w in of.items()}
                if request.name == "compare_reasons"
                else of
            )
        n_system, n_out = tokens(system), tokens(json.dumps(value, separators=(",", ":")))
        self.count.calls += 1
        self.count.sent += n_system + tokens(user)
        self.count.answered += n_out
        self.count.schema += tokens(json.dumps(request.schema))
        if system in self.seen and n_system >= self.least_prefix:
            self.count.prefix += n_system
        self.seen.add(system)
        return Answer(value=value, usage=Usage(n_system + tokens(user), n_out))


def rows_of(preferences: palate.Preferences) -> dict[tuple[str, str, str], tuple[int, bool]]:
    """Return row and order of a pair by its texts as they are shown."""
    out = {}
    for i, (prompt, a, b) in enumerate(
        preferences.pairs.select("prompt", "response_a", "response_b").rows()
    ):
        out[prompt, a, b] = (i, False)
        out[prompt, b, a] = (i, True)
    return out


def second_orders(first: Array, again: Array, *, seed: int) -> Array:
    """Return second annotations of all pairs, recorded where they are, else simulated.

    With n twice annotated pairs on which the first says "more" of a concept, k of which the second
    does not confirm, it is not confirmed with probability (k + PULL q) / (n + PULL), q the rate
    over all concepts; and an answer of 0 becomes one of either sign likewise. Opposite signs do not
    occur in the recordings.
    """
    random = np.random.default_rng(seed)
    twice = np.isfinite(again)
    more, same = np.abs(first) == 1, first == again

    def rates(of: Booleans) -> Array:
        n, k = (twice & of).sum(axis=0), (twice & of & ~same).sum(axis=0)
        return np.asarray((k + PULL * k.sum() / max(n.sum(), 1)) / (n + PULL))

    lost, gained = rates(more), rates(~more & np.isfinite(first))
    u = random.random(first.shape)
    sign = random.choice([-1.0, 1.0], size=first.shape)
    simulated = np.where(more, np.where(u < lost, 0.0, first), np.where(u < gained, sign, 0.0))
    return np.where(twice, again, np.where(np.isfinite(first), simulated, np.nan))


def relevance_of(first: Array, second: Array, share: float, *, seed: int) -> Booleans:
    """Return what the relevance call keeps: what differs in either order, and of the rest a share.

    A recorded 0 is "equal" or "not relevant": which of the two was not recorded.
    """
    random = np.random.default_rng(seed)
    differs = (np.nan_to_num(first) != 0) | (np.nan_to_num(second) != 0)
    return np.asarray(differs | (random.random(first.shape) < share))
