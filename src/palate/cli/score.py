"""`palate score`: a reward model, or a language model that rates, scores each response alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palate.cli.llm_options import (
    CONCURRENCY,
    TEMPERATURE,
    THINKING,
    TIMEOUT,
    BaseUrl,
    Batch,
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
from palate.cli.reading import (
    BadRows,
    Columns,
    DomainColumn,
    FormatName,
    Overwrite,
    Quiet,
    Seed,
    VerdictColumns,
    read_file,
)

if TYPE_CHECKING:
    from palate.cli.progress import Stages
    from palate.data.preferences import Preferences
    from palate.data.run_directory import RunDirectory
    from palate.mechanisms.scored import Scored

MODEL, RATING = "The reward model", "The rating"


def score(
    file: Annotated[
        str,
        typer.Argument(
            help="Preferences in any known format, hf://organisation/name, demo, or the folder of "
            "an earlier run.",
            metavar="FILE",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME_OR_PATH",
            help="A sequence-classification reward model: its folder, or organisation/name on the "
            "Hugging Face hub. Safetensors only; no code of its own is run.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    llm: Llm = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            help="Mechanism of FILE that the sizes of the verdicts are to fit (temperature T); "
            "T = 1 if absent.",
        ),
    ] = None,
    hard: Annotated[
        bool, typer.Option("--hard", help="Verdicts +1 and -1 instead of soft ones.")
    ] = False,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the new column; that of the model.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", help="auto, cpu or cuda.", rich_help_panel=MODEL),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            min=1,
            help="Most texts at a time; 8, and 32 on a GPU.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            "--max-length",
            min=1,
            help="Most tokens of a prompt with its response; what the model takes, up to 8192. "
            "Longer ones lose the middle of their longest texts.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            "--dtype",
            help="auto (bfloat16 on a GPU, else float32), float32, bfloat16 or float16.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            help="Output that is the score, by name or number, where a model has several.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option("--revision", help="Branch, tag or commit on the hub.", rich_help_panel=MODEL),
    ] = None,
    persona: Annotated[
        str | None,
        typer.Option(
            "--persona",
            help="Reader in whose place the language model rates: assistant, checker, skimmer, "
            "expert, coach, or an instruction.",
            rich_help_panel=RATING,
        ),
    ] = None,
    rubric: Annotated[
        Path | None,
        typer.Option(
            "--rubric", help="Text file that says what good means.", rich_help_panel=RATING
        ),
    ] = None,
    max_chars: Annotated[
        int | None,
        typer.Option(
            "--max-chars",
            min=1,
            help="Longest prompt or response that is shown whole; 12000 if absent.",
            rich_help_panel=RATING,
        ),
    ] = None,
    format: FormatName = None,
    domain_column: DomainColumn = None,
    column: Columns = None,
    verdict_column: VerdictColumns = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results; scored-NAME if absent."),
    ] = None,
    overwrite: Overwrite = False,
    seed: Seed = 0,
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
    batch: Batch = False,
    dry_run: DryRun = False,
    skip_bad_rows: BadRows = None,
    quiet: Quiet = False,
) -> None:
    """Score each response of FILE alone; the difference of two scores is a soft verdict."""
    from palate.cli.progress import Stages
    from palate.cli.run import folder_for
    from palate.cli.score_inputs import (
        PREFERENCES_FILE,
        check_choice,
        column_name,
        side_file,
        source_of,
    )
    from palate.cli.score_view import print_scored
    from palate.data.staged_run import staged_run
    from palate.errors import DataError, InputError

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
        batch=batch,
        dry_run=dry_run,
    )
    of_model: dict[str, Any] = {
        "--device": device,
        "--batch-size": batch_size,
        "--max-length": max_length,
        "--dtype": dtype,
        "--label": label,
        "--revision": revision,
    }
    of_llm: dict[str, Any] = {"--persona": persona, "--rubric": rubric, "--max-chars": max_chars}
    check_choice(model, options, of_model=of_model, of_llm=of_llm)
    if hard and reference is not None:
        raise InputError("--reference, --hard: found both; signs have no size that could fit.")
    read_from, called = source_of(file)
    named = column_name(name, model, llm)
    out = out or Path(f"scored-{folder_for(called).name.removeprefix('palate-')}")

    def read(stages: Stages) -> Preferences:
        from palate.mechanisms.scored import check_room

        stages.stage(f"Reading {file}")
        preferences = read_file(
            read_from,
            format=format,
            domain_column=domain_column,
            column=column,
            verdict_column=verdict_column,
            skip_bad_rows=skip_bad_rows,
            seed=seed,
        )
        check_room(preferences, named, reference=reference)
        return preferences

    def rated(stages: Stages) -> tuple[Preferences, Scored, str]:
        from palate.cli.judge_columns import rubric_text
        from palate.data.shown import MAX_CHARS
        from palate.mechanisms.rating import rate
        from palate.mechanisms.style import JudgeStyle

        style = JudgeStyle(persona=persona, rubric=rubric_text(rubric))
        with open_client(options, stages) as client:
            preferences = read(stages)
            stages.stage(f"Rating the responses of {preferences.n_pairs:,} pairs")
            found = rate(
                preferences,
                client,
                style,
                name=named,
                hard=hard,
                max_chars=max_chars or MAX_CHARS,
                provenance={"model": llm, "temperature": temperature},
            )
            return preferences, found, closing_line(client)

    def scored_with_model(stages: Stages) -> tuple[Preferences, Scored, str]:
        from palate.mechanisms.reward.kept import Kept
        from palate.mechanisms.reward.model import BATCH_SIZE, open_model
        from palate.mechanisms.reward.scoring import score as score_pairs

        preferences = read(stages)
        stages.stage(f"Loading {model}")
        opened = open_model(
            model or "",
            revision=revision,
            device=device or "auto",
            dtype=dtype or "auto",
            label=label,
            max_length=max_length,
        )
        stages.stage(f"Scoring the responses of {preferences.n_pairs:,} pairs")
        with Kept(side_file(out)) as kept:
            found = score_pairs(
                preferences,
                opened,
                name=named,
                hard=hard,
                batch_size=batch_size or BATCH_SIZE[opened.device],
                kept=kept,
                progress=stages.advance,
                provenance=opened.facts,
            )
        told = f"{opened.writer.max_length:,} tokens at most, {opened.dtype} on {opened.device}"
        earlier = f"; {kept.used:,} scores of an interrupted run were used" if kept.used else ""
        return preferences, found, f"{kept.added:,} responses scored, {told}{earlier}"

    if dry_run:
        with Stages(quiet=quiet) as stages:
            typer.echo(rated(stages)[2])
        return
    with staged_run(out, overwrite=overwrite) as directory:
        with Stages(quiet=quiet) as stages:
            work = rated if model is None else scored_with_model
            preferences, scored, closing = work(stages)
        if reference is not None:
            try:
                scored = scored.calibrated(preferences, reference, seed=seed)
            except DataError as error:
                kept = " The scores are kept: the command without --reference goes on."
                raise DataError(f"{error}{'' if no_store else kept}") from None
        scored.save(directory.path)
        scored.add_to(preferences).save(directory.file(PREFERENCES_FILE))
        _record(
            directory,
            scored,
            preferences,
            {
                "command": "score",
                "file": file,
                "format": format,
                "domain_column": domain_column,
                "columns": column or [],
                "verdict_columns": verdict_column or [],
                "model": model,
                **{
                    option.strip("-").replace("-", "_"): value for option, value in of_model.items()
                },
                "llm": llm,
                "persona": persona,
                "rubric": rubric,
                "max_chars": max_chars,
                "base_url": base_url,
                "temperature": temperature,
                "thinking": thinking,
                "batch": batch,
                "max_cost": max_cost,
                "reference": reference,
                "hard": hard,
                "name": named,
                "out": out,
                "overwrite": overwrite,
                "skip_bad_rows": skip_bad_rows,
            },
            inputs=[] if read_from.startswith("hf://") else [read_from],
            seed=seed,
        )
    if model is not None:
        side_file(out).unlink(missing_ok=True)
    print_scored(
        scored,
        closing=closing,
        out=out,
        file=out / PREFERENCES_FILE,
        others=[reference] if reference else list(preferences.mechanisms),
    )


def _record(
    directory: RunDirectory,
    scored: Scored,
    preferences: Preferences,
    arguments: dict[str, Any],
    *,
    inputs: list[str],
    seed: int,
) -> None:
    scores = [*scored.a, *scored.b]
    directory.write_run_json(
        arguments=arguments,
        inputs=inputs,
        counts={
            "pairs": preferences.n_pairs,
            "domains": len(preferences.domains),
            "failed_responses": sum(bool(score.failure) for score in scores),
            "shortened_responses": sum(score.left_out > 0 for score in scores),
            "rejected_rows": preferences.provenance.get("rejected_rows", 0),
        },
        seed=seed,
    )
