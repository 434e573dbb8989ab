"""Step 4: for each batch, ask which qualities tell the preferred responses from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from palate.concepts.discovery.asking import an_object, messages, refuse_if_most_failed
from palate.concepts.discovery.batches import DIFFERENCE, Batch
from palate.concepts.discovery.names import concept_name, text_of
from palate.concepts.discovery.settings import Settings
from palate.concepts.vocabulary import COMMONPLACE
from palate.data.shown import Shown, show
from palate.llm.outcome import Answer, Asks
from palate.llm.request import Request

NO_REQUEST = "(not known)"


@dataclass(frozen=True)
class ShownPair:
    """A pair in the order in which it is shown; without labels, the order means nothing.

    Parameters
    ----------
    id
        Its id.
    prompt
        The user's request.
    preferred
        The preferred response, or the one shown first.
    other
        The other response.
    """

    id: str
    prompt: str
    preferred: str
    other: str

    def cut(self, max_chars: int) -> Shown:
        """Return its texts as they are sent: cleaned, and cut to the same length.

        Parameters
        ----------
        max_chars
            Longest text that is shown whole.
        """
        return show(self.id, self.prompt, self.preferred, self.other, max_chars=max_chars)


def propose(
    batches: Sequence[Batch],
    pairs: Mapping[tuple[str, str], ShownPair],
    client: Asks,
    settings: Settings,
) -> list[dict[str, Any]]:
    """Return one row per batch: proposed concepts, refused names, and why there is no answer.

    Parameters
    ----------
    batches
        The batches.
    pairs
        Their pairs by the ids of batch and pair.
    client
        Who answers.
    settings
        Says how much is shown and asked for.

    Raises
    ------
    ManyFailuresError
        If more than half of the questions failed.
    """
    requests = [
        propose_request(batch, [pairs[batch.id, name] for name in batch.pairs], settings)
        for batch in batches
    ]
    outcomes = client.ask(requests)
    refuse_if_most_failed("Proposing concepts", outcomes)
    rows = []
    for batch, outcome in zip(batches, outcomes, strict=True):
        row: dict[str, Any] = {"batch": batch.id, "domain": batch.domain}
        if isinstance(outcome, Answer):
            kept, refused = read_concepts(outcome.value, settings.concepts_per_batch)
            row |= {"concepts": kept, "refused": refused, "failure": None}
        else:
            row |= {"concepts": [], "refused": [], "failure": outcome.reason}
        rows.append(row)
    return rows


def propose_request(batch: Batch, pairs: Sequence[ShownPair], settings: Settings) -> Request:
    """Return the question about a batch.

    Parameters
    ----------
    batch
        The batch.
    pairs
        Its pairs.
    settings
        Says how much is shown and asked for.
    """
    material: dict[str, str] = {}
    for k, pair in enumerate(pairs, start=1):
        shown = pair.cut(settings.max_chars)
        material[f"request_{k}"] = shown.prompt or NO_REQUEST
        if batch.question == DIFFERENCE:
            material[f"other_{k}_a"], material[f"other_{k}_b"] = shown.a, shown.b
            continue
        if batch.question != "only_rejected":
            material[f"preferred_{k}"] = shown.a
        if batch.question != "only_preferred":
            material[f"other_{k}"] = shown.b
    one = an_object({"name": {"type": "string"}, "description": {"type": "string"}})
    fields = {
        "number": str(settings.concepts_per_batch),
        "avoided": ", ".join(COMMONPLACE).lower() if batch.keeps_away else "(nothing is excluded)",
    }
    return Request(
        messages=messages(f"propose_{batch.question}", "pairs", fields, material),
        schema=an_object({"concepts": {"type": "array", "items": one}}),
        name="propose",
        max_tokens=512 + 96 * settings.concepts_per_batch,
        about=f"concepts of batch {batch.id}",
    )


def read_concepts(answer: Mapping[str, Any], most: int) -> tuple[list[dict[str, str]], list[str]]:
    """Return the concepts of an answer, each name once, and the names that were refused.

    Parameters
    ----------
    answer
        What the model said.
    most
        Most concepts that count.
    """
    kept: dict[str, dict[str, str]] = {}
    refused: list[str] = []
    for entry in answer["concepts"]:
        name = concept_name(entry["name"])
        description = text_of(entry["description"])
        if name is None or not description:
            refused.append(text_of(entry["name"]))
        elif name.casefold() not in kept and len(kept) < most:
            kept[name.casefold()] = {"name": name, "description": description}
    return list(kept.values()), refused
