"""`palate why`: what drives the verdict on one pair."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from palate.cli.llm_options import (
    CONCURRENCY,
    TEMPERATURE,
    THINKING,
    TIMEOUT,
    BaseUrl,
    Concurrency,
    DryRun,
    Llm,
    LlmOptions,
    MaxCost,
    NoStore,
    PriceText,
    Rpm,
    StorePath,
    Temperature,
    ThinkingLevel,
    Timeout,
    Tpm,
    closing_line,
    open_client,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from palate.concepts.concept import Concept


class Pair(NamedTuple):
    """The pair that is asked about."""

    id: str
    domain: str | None
    prompt: str
    response_a: str
    response_b: str
    verdicts: Mapping[str, float]


def why(
    prompt: Annotated[
        str,
        typer.Argument(
            help="The prompt, as text or as a file; with --pair, a file of preferences.",
            metavar="PROMPT",
        ),
    ],
    response_a: Annotated[
        str | None, typer.Argument(help="One response, as text or as a file.", metavar="A")
    ] = None,
    response_b: Annotated[
        str | None, typer.Argument(help="The other response.", metavar="B")
    ] = None,
    pair: Annotated[
        str | None, typer.Option("--pair", help="Id of a pair of the file PROMPT.", metavar="ID")
    ] = None,
    explanation: Annotated[
        Path | None,
        typer.Option("--explanation", "-e", help="Folder that `palate explain` wrote."),
    ] = None,
    mechanism: Annotated[
        str | None,
        typer.Option("--mechanism", "-m", help="Whose verdict; needed if there are several."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option("--domain", help="Domain of the pair; else only the shared weights count."),
    ] = None,
    llm: Llm = None,
    base_url: BaseUrl = None,
    store: StorePath = None,
    no_store: NoStore = False,
    max_cost: MaxCost = None,
    price: PriceText = None,
    concurrency: Concurrency = CONCURRENCY,
    rpm: Rpm = None,
    tpm: Tpm = None,
    timeout: Timeout = TIMEOUT,
    temperature: Temperature = TEMPERATURE,
    thinking: ThinkingLevel = THINKING,
    dry_run: DryRun = False,
) -> None:
    """Say what drives the verdict on one pair, and what would flip it.

    Concepts measured on texts are measured here; a model is asked about the others, in both orders,
    and only about those that have a weight. For a pair that was explained nobody is asked unless
    --llm is given.
    """
    from palate.errors import InputError
    from palate.explanations.explanation import Explanation
    from palate.explanations.why import is_measured, measured_values, weighted
    from palate.explanations.why import why as explain_values

    if explanation is None:
        raise InputError(
            "--explanation: found none; expected a folder that `palate explain` wrote."
        )
    if dry_run and llm is None:
        raise InputError("--dry-run: found no --llm; without a model nothing is sent anyway.")
    found = Explanation.load(explanation, mechanism=mechanism)
    asked = _pair(prompt, response_a, response_b, pair, domain)
    if asked.id in found.concepts.ids and pair is not None and llm is None:
        _show(found.local(asked.id), ())
        return
    options = LlmOptions(
        llm=llm,
        base_url=base_url,
        store=store,
        no_store=no_store,
        max_cost=max_cost,
        price=price,
        concurrency=concurrency,
        rpm=rpm,
        tpm=tpm,
        timeout=timeout,
        temperature=temperature,
        thinking=thinking,
        dry_run=dry_run,
    )
    matters = weighted(found, domain=asked.domain)
    others = [c for c in matters if not is_measured(c)]
    values = measured_values(
        found, asked.prompt, asked.response_a, asked.response_b, domain=asked.domain
    )
    notes: list[str] = []
    if others and llm is None:
        raise InputError(
            f"--llm: found no model; expected one, because {len(others)} of the {len(matters)} "
            f"concepts with a weight ({others[0].name!r} first) cannot be measured on texts."
        )
    if others:
        answers, notes = _ask(asked, others, options)
        if dry_run:
            _print(notes)
            return
        values |= answers
    elif dry_run:
        _print(["Nothing would be sent: every concept with a weight is measured on the texts."])
        return
    if not matters:
        notes.append(f"No concept has a weight for {found.mechanism!r} here.")
    if pair is not None and found.mechanism not in asked.verdicts:
        notes.append(f"{prompt} has no verdict of {found.mechanism!r}.")
    local = explain_values(
        found,
        values,
        domain=asked.domain,
        pair_id=asked.id,
        verdict=asked.verdicts.get(found.mechanism),
    )
    _show(local, notes)


def _pair(
    prompt: str,
    response_a: str | None,
    response_b: str | None,
    pair: str | None,
    domain: str | None,
) -> Pair:
    """Return the pair of the arguments, or of the file that they name."""
    from palate.cli.reading import located, read_file
    from palate.errors import InputError

    if pair is None:
        if response_a is None or response_b is None:
            raise InputError(
                "palate why: found fewer than two responses; expected PROMPT A B or FILE --pair ID."
            )
        return Pair("as given", domain, _text(prompt), _text(response_a), _text(response_b), {})
    if response_a is not None:
        raise InputError("--pair: found responses as well; expected FILE --pair ID alone.")
    preferences = read_file(located(prompt) or prompt)
    at = preferences.row(pair)
    row = preferences.pairs.row(at, named=True)
    said = preferences.verdicts.row(at, named=True) if preferences.mechanisms else {}
    texts = (row["prompt"], row["response_a"], row["response_b"])
    return Pair(pair, domain or row["domain"], *texts, said)


def _text(given: str) -> str:
    """Return the content of a file of this name, else the text itself."""
    from palate.errors import FileFormatError

    try:
        file = Path(given)
        if not file.is_file():
            return given
    except (OSError, ValueError):  # too long, or with a null byte: no name of a file
        return given
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{given}: cannot be read as UTF-8 text ({error}).") from error


def _ask(
    pair: Pair, concepts: Sequence[Concept], options: LlmOptions
) -> tuple[dict[str, float], list[str]]:
    """Ask a model about one pair; return values by concept, and what is to be said."""
    from dataclasses import replace

    import polars as pl

    from palate.concepts.annotation.annotate import annotate
    from palate.concepts.annotation.typical import typical_answer
    from palate.data.preferences import Preferences

    columns = ("id", "prompt", "response_a", "response_b")
    texts = {name: [getattr(pair, name)] for name in columns}
    alone = Preferences(
        pairs=pl.DataFrame({**texts, "domain": [pair.domain or ""]}), verdicts=pl.DataFrame()
    )
    everywhere = [replace(c, domains=None) for c in concepts]  # those of the domain were chosen
    with closing(open_client(options, answer=typical_answer)) as client:
        found = annotate(alone, everywhere, client, second_order="always")
        notes = [closing_line(client)]
    if options.dry_run:
        return {}, notes
    changed = [
        c.name for c, one in zip(concepts, found.order, strict=True) if one.n and not one.same
    ]
    if changed:
        notes.append(
            f"{', '.join(changed)}: the answer changed with the order of the responses and counts "
            "as equal."
        )
    if found.lost:
        lost = sorted({name for question in found.lost for name in question.concepts})
        notes.append(f"No answer ({found.lost[0].reason}), so left out: {', '.join(lost)}.")
    if found.flagged:
        notes.append("The texts address the model that reads them; see what they say.")
    values = {
        c.name: float(v) for c, v in zip(concepts, found.matrix.values[0], strict=True) if v == v
    }
    return values, notes


def _show(local: object, notes: Sequence[str]) -> None:
    _print([*str(local).split("\n"), *notes])


def _print(lines: Sequence[str]) -> None:
    from palate.cli.screen import console
    from palate.cli.terminal_text import clean

    screen = console()
    for line in lines:
        screen.print(clean(line), soft_wrap=True)
