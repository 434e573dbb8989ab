"""An annotator that answers from recorded values and counts tokens with a real tokenizer.

`Recorder` takes the place of a client (`palate.llm.Asks`): the requests are those that
`palate.annotate` builds, the answers the recorded values as JSON, and both are counted with the
tekken vocabulary that the package `mistral-common` ships (131,072 tokens; nothing is downloaded).

Orders. Recorded are a first annotation of every pair and an independent second one, with the
responses exchanged, of a fifth of them. For the others there are two designs:

    both orders simulated   (`both_orders`) the recorded values are taken as the truth, and either
                            order errs by itself, so that the two disagree as often as recorded ones
    the second simulated    (`second_orders`) the recorded values are one order, and the other errs
                            against it: an order that is asked alone looks too good where it is the
                            recorded one, and too bad where it is the simulated one

Rates are those of the twice annotated pairs, concept by concept, pulled towards all concepts by
`PULL` pairs. Errors do not depend on the verdict, nor on the texts beyond the recorded value.

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
SHOWN = (("request", ""), ("response", "_1"), ("response", "_2"))
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
        properties = request.schema["properties"]
        if request.name == "relevance":
            row = self._by_prompt[material["request"]]
            columns = self._columns(properties)
            value: dict[str, Any] = {k: bool(self.relevant[row, j]) for k, j in columns.items()}
        elif request.name == "compare_pairs":
            value = {
                place: self._compared(
                    part["properties"],
                    *(material[f"{what}_{place[1:]}{side}"] for what, side in SHOWN),
                )
                for place, part in properties.items()
            }
        else:
            value = self._compared(properties, *(material[f"{what}{side}"] for what, side in SHOWN))
            if request.name == "compare_reasons":
                value = {k: {"reason": REASON, "answer": w} for k, w in value.items()}
        n_system, n_out = tokens(system), tokens(json.dumps(value, separators=(",", ":")))
        self.count.calls += 1
        self.count.sent += n_system + tokens(user)
        self.count.answered += n_out
        self.count.schema += tokens(json.dumps(request.schema))
        if system in self.seen and n_system >= self.least_prefix:
            self.count.prefix += n_system
        self.seen.add(system)
        return Answer(value=value, usage=Usage(n_system + tokens(user), n_out))

    def _columns(self, properties: Mapping[str, Any]) -> dict[str, int]:
        return {k: self._column[p["description"]] for k, p in properties.items()}

    def _compared(self, properties: Mapping[str, Any], *texts: str) -> dict[str, str]:
        row, swapped = self.row_of[texts[0], texts[1], texts[2]]
        out = {}
        for k, j in self._columns(properties).items():  # what is asked first gets the first one
            again = (row, str(j)) in self.asked
            self.asked.add((row, str(j)))
            v = (self.second if again else self.first)[row, j]
            out[k] = WORDS[float(-v if swapped else v) + 0.0]
        return out


def rows_of(preferences: palate.Preferences) -> dict[tuple[str, str, str], tuple[int, bool]]:
    """Return row and order of a pair by its texts as they are shown."""
    out = {}
    for i, (prompt, a, b) in enumerate(
        preferences.pairs.select("prompt", "response_a", "response_b").rows()
    ):
        out[prompt, a, b] = (i, False)
        out[prompt, b, a] = (i, True)
    return out


@dataclass(frozen=True, eq=False)
class Rates:
    """How often an answer differs from another one, by concept.

    `lost`: "equal" where the other is not; `gained`: the reverse; `turned`: the opposite.
    """

    lost: Array
    gained: Array
    turned: Array


def disagreement(first: Array, again: Array) -> Rates:
    """Return how often a second annotation differs from the first.

    With n twice annotated pairs of a concept, k of which differ, the rate is (k + PULL q) /
    (n + PULL), q the rate over all concepts.
    """
    twice = np.isfinite(first) & np.isfinite(again)
    more, none = twice & (first != 0), twice & (first == 0)
    return Rates(
        _pulled(more & (again == 0), more),
        _pulled(none & (again != 0), none),
        _pulled(more & (again == -first), more),
    )


def second_orders(first: Array, again: Array, *, seed: int) -> Array:
    """Return second annotations of all pairs, recorded where they are, else simulated."""
    random = np.random.default_rng(seed)
    twice = np.isfinite(first) & np.isfinite(again)
    return np.where(twice, again, _erred(first, disagreement(first, again), random))


def both_orders(first: Array, again: Array, *, seed: int) -> tuple[Array, Array]:
    """Return two orders of all pairs, both simulated from the recorded values as the truth."""
    random, rates = np.random.default_rng([seed, 1]), single_rates(first, again)
    return _erred(first, rates, random), _erred(first, rates, random)


def single_rates(first: Array, again: Array) -> Rates:
    """Return error rates of one order at which two that err independently disagree as measured.

    Neither order is special, so both directions are counted: of the answers other than "equal",
    of either annotation, the other does not confirm a share L. Where p is the share of "more" in
    the truth, an order makes 0 of it with rate e and "more", of either sign, of 0 with rate
    g = p e / (1 - p), which leaves p as it is. Then a "more" is not confirmed with rate
    e (1 - e) + e (1 - g), and that is L for e = (1 - p) (1 - sqrt(1 - L / (1 - p))). By symmetry
    "equal" is not confirmed as often as measured as well. Likewise for opposite signs.
    """
    twice = np.isfinite(first) & np.isfinite(again)
    a, b = np.where(twice, first, 0.0), np.where(twice, again, 0.0)
    more = np.vstack([a != 0, b != 0])
    lost = _pulled(np.vstack([(a != 0) & (b == 0), (b != 0) & (a == 0)]), more)
    opposite = a * b < 0
    turned = _pulled(np.vstack([opposite, opposite]), more)
    p = np.nanmean(np.where(np.isfinite(first), first != 0, np.nan), axis=0).clip(0, 0.99)
    e = (1 - p) * (1 - np.sqrt(1 - np.clip(lost / (1 - p), 0, 1)))
    return Rates(e, p * e / (1 - p), (1 - np.sqrt(1 - 2 * np.clip(turned, 0, 0.5))) / 2)


def _pulled(differ: Booleans, among: Booleans) -> Array:
    n, k = among.sum(axis=0), differ.sum(axis=0)
    return np.asarray((k + PULL * k.sum() / max(n.sum(), 1)) / (n + PULL))


def _erred(truth: Array, rates: Rates, random: np.random.Generator) -> Array:
    u = random.random(truth.shape)
    sign = random.choice([-1.0, 1.0], size=truth.shape)
    of_more = np.where(u < rates.lost, 0.0, np.where(u > 1 - rates.turned, -truth, truth))
    of_none = np.where(u < rates.gained, sign, 0.0)
    return np.where(np.isnan(truth), np.nan, np.where(truth != 0, of_more, of_none))


def relevance_of(first: Array, second: Array, share: float, *, seed: int) -> Booleans:
    """Return what the relevance call keeps: what differs in either order, and of the rest a share.

    A recorded 0 is "equal" or "not relevant": which of the two was not recorded.
    """
    random = np.random.default_rng(seed)
    differs = (np.nan_to_num(first) != 0) | (np.nan_to_num(second) != 0)
    return np.asarray(differs | (random.random(first.shape) < share))
