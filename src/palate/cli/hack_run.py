"""The run behind `palate hack`: divide, explain, compare, put to work, write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from palate.cli.concept_options import annotation_files
from palate.cli.llm_options import LlmOptions
from palate.cli.reading import read_file

if TYPE_CHECKING:
    from palate.actions.hack_result import Hack
    from palate.cli.hack_models import TwoModels
    from palate.cli.hack_style import Asking
    from palate.cli.progress import Stages
    from palate.data.run_directory import RunDirectory
    from palate.llm.request import Request

DRAWS = 2  # bootstrap refits give selection frequencies, which nothing here needs


@dataclass(frozen=True)
class HackRun:
    """What a judge hack is to do.

    Parameters
    ----------
    file
        The preferences.
    reading
        How they are read.
    concepts
        Which concepts, as keyword arguments of `gather`.
    mechanism
        The judge whose verdicts are explained; None for the only one.
    reference
        The mechanism that stands for real quality.
    judge
        The model that judges.
    generator
        The model that writes.
    mode
        How the judge is asked; as it was asked before if None, like the next two.
    persona
        In whose place it judges.
    rubric
        File that says what better is.
    asked
        What is written and compared, as keyword arguments of `palate.hack`.
    test_share
        Share of the pairs whose prompts are responded to.
    level
        Level of the intervals.
    fdr
        False discovery rate of what is supported.
    cluster
        Metadata column whose pairs stay together.
    jobs
        Processes.
    seed
        Seed of everything random.
    out
        Folder for the results; one named after the file if None.
    overwrite
        Whether results of an earlier run may be replaced.
    quiet
        No progress.
    """

    file: str
    reading: Mapping[str, Any]
    concepts: Mapping[str, Any]
    mechanism: str | None
    reference: str | None
    judge: LlmOptions
    generator: LlmOptions
    mode: str | None
    persona: str | None
    rubric: Path | None
    asked: Mapping[str, Any]
    test_share: float
    level: float
    fdr: float
    cluster: str | None
    jobs: int | None
    seed: int
    out: Path | None
    overwrite: bool
    quiet: bool


@dataclass(frozen=True)
class _Done:
    found: Hack
    notes: tuple[str, ...]
    spent: list[str]


def run_hack(run: HackRun) -> None:
    """Run a judge hack and print what came of it.

    Parameters
    ----------
    run
        What it is to do.

    Raises
    ------
    PalateError
        If anything asked for or in the file is wrong; nothing is left in the output folder.
    """
    from palate.cli.hack_style import asking
    from palate.cli.hack_view import print_hack
    from palate.cli.judge_columns import rubric_text
    from palate.cli.run import folder_for
    from palate.cli.terminal_text import clean
    from palate.data.staged_run import staged_run

    asked = asking(
        run.file,
        run.mechanism,
        run.judge,
        mode=run.mode,
        persona=run.persona,
        rubric=rubric_text(run.rubric),
    )
    run = replace(run, judge=replace(run.judge, llm=asked.llm))
    if run.generator.llm is None:
        run = replace(run, generator=replace(run.generator, llm=asked.llm))
    if run.judge.dry_run:
        done = _work(run, asked, None)
        for line in (asked.known, *asked.doubts, *done.spent):
            typer.echo(clean(line))
        return
    for line in () if run.quiet else asked.doubts:  # before anything is spent
        typer.echo(clean(line), err=True)
    out = run.out or Path(f"hack-{folder_for(run.file).name.removeprefix('palate-')}")
    with staged_run(out, overwrite=run.overwrite) as directory:
        done = _work(run, asked, directory)
    print_hack(done.found, notes=done.notes, closing=done.spent, out=out)


def _work(run: HackRun, asked: Asking, directory: RunDirectory | None) -> _Done:
    from palate.cli.hack_models import TwoModels
    from palate.cli.progress import Stages

    with (
        Stages(quiet=run.quiet) as stages,
        TwoModels(run.judge, run.generator, stages, answer=_typical) as models,
    ):
        return _done(run, asked, directory, models, stages)


def _done(
    run: HackRun,
    asked: Asking,
    directory: RunDirectory | None,
    models: TwoModels,
    stages: Stages,
) -> _Done:
    stages.stage(f"Reading {run.file}")
    preferences = read_file(run.file, **run.reading, seed=run.seed)
    judged = _judge_in(preferences.mechanisms, run)
    names = [judged] if run.reference is None else [judged, run.reference]
    chosen = preferences.with_mechanisms(names)
    stages.stage(f"Preparing concepts on {preferences.n_pairs:,} pairs")
    from palate.actions.hack import hack
    from palate.actions.hack_prompts import held_out
    from palate.concepts.gather import gather
    from palate.explanations.comparison_build import compare
    from palate.explanations.explain import explain

    known, new = held_out(chosen, share=run.test_share, seed=run.seed, cluster=run.cluster)
    gathered = gather(preferences, **run.concepts, n_jobs=run.jobs)
    matrix = gathered.matrix.align(known.ids)
    settings: dict[str, Any] = {
        "level": run.level,
        "fdr": run.fdr,
        "cluster": run.cluster,
        "seed": run.seed,
        "n_jobs": run.jobs,
    }
    stages.stage(f"Explaining {judged} on {known.n_pairs:,} pairs")
    explanation = explain(known, matrix, mechanism=judged, n_bootstrap=DRAWS, **settings)
    comparison = None
    if run.reference is not None:
        stages.stage(f"Comparing {judged} and {run.reference}")
        comparison = compare(known, judged, run.reference, matrix, **settings)
    found = hack(
        new,
        explanation,
        models.judge,
        models.generator,
        style=asked.style,
        reference=comparison,
        **run.asked,
        level=run.level,
        seed=run.seed,
        stage=stages.stage,
    )
    found = replace(found, notes=(*asked.doubts, asked.known, *found.notes))
    if directory is not None:
        from palate.report.hack_page import write_hack

        found.save(directory.path)
        record = directory.write_run_json(
            arguments=_arguments(run, judged) | {"mode": found.settings["mode"]},
            inputs=[
                p
                for p in (
                    *(run.file, run.concepts["concepts"], run.concepts["values"], run.rubric),
                    *annotation_files(run.concepts["annotation"]),
                )
                if p and not str(p).startswith("hf:")
            ],
            counts={
                **{k: v for k, v in found.counts.items() if not isinstance(v, dict)},
                "explained_pairs": known.n_pairs,
                "rejected_rows": preferences.provenance.get("rejected_rows", 0),
            },
            seed=run.seed,
        )
        write_hack(
            found,
            directory.file("hack.html"),
            run=json.loads(record.read_text(encoding="utf-8")),
            notes=gathered.notes,
        )
    return _Done(found, gathered.notes, models.lines())


def _arguments(run: HackRun, judged: str) -> dict[str, Any]:
    return {
        "command": "hack",
        "file": run.file,
        **run.reading,
        **run.concepts,
        "mechanism": judged,
        "reference": run.reference,
        "llm": run.judge.llm,
        "base_url": run.judge.base_url,
        "temperature": run.judge.temperature,
        "generator": run.generator.llm,
        "generator_base_url": run.generator.base_url,
        "generator_temperature": run.generator.temperature,
        "mode": run.mode,
        "persona": run.persona,
        "rubric": run.rubric,
        **run.asked,
        "test_share": run.test_share,
        "thinking": run.judge.thinking,
        "batch": run.judge.batch,
        "max_cost": run.judge.max_cost,
        "level": run.level,
        "fdr": run.fdr,
        "cluster": run.cluster,
        "jobs": run.jobs,
        "out": run.out,
        "overwrite": run.overwrite,
    }


def _typical(request: Request) -> Mapping[str, Any]:
    from palate.actions.generate import typical_response
    from palate.mechanisms.typical import typical_answer

    return typical_response(request) if request.name == "respond" else typical_answer(request)


def _judge_in(mechanisms: tuple[str, ...], run: HackRun) -> str:
    from palate.errors import InputError

    judged = run.mechanism
    if judged is None:
        if len(mechanisms) != 1:
            named = ", ".join(map(repr, mechanisms[:12])) + " ..." * (len(mechanisms) > 12)
            raise InputError(
                f"--mechanism: found none, and {len(mechanisms)} mechanisms in the file; expected "
                f"the judge: {named}."
            )
        judged = mechanisms[0]
    if run.reference == judged:
        raise InputError(
            f"--reference: found {judged!r}, the judge itself; expected another mechanism."
        )
    return judged
