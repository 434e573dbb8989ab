"""The run behind `palate judge`: read, ask, combine, write, report.

Everything is refused that can be refused before a model is asked: an unknown reference, a column
that is there already, options that go against each other.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from palate.cli.judge_columns import Wanted, rubric_text, wanted_columns
from palate.cli.judge_criteria import Guidance, guidance_of
from palate.cli.judge_folder import (
    PREFERENCES_FILE,
    Earlier,
    earlier_of,
    judged_folder,
    remove_stale,
    write_folder,
)
from palate.cli.judge_options import JudgeRun, check_run
from palate.cli.llm_options import closing_line, open_client
from palate.cli.reading import read_file
from palate.errors import InputError, OutputError

if TYPE_CHECKING:
    from palate.cli.progress import Stages
    from palate.data.preferences import Preferences
    from palate.data.run_directory import RunDirectory
    from palate.mechanisms.judgement import Judgement
    from palate.validate.judge_quality_result import JudgeQuality

BATCH_BLOCK = 50_000  # questions that a provider takes in one batch


@dataclass
class _Work:
    """What a run has made so far."""

    preferences: Preferences
    judgements: list[Judgement] = field(default_factory=list)
    ensembles: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    closing: str = ""
    quality: JudgeQuality | None = None
    replaced: tuple[str, ...] = ()
    written: frozenset[str] = frozenset()


def run_judge(run: JudgeRun) -> None:
    """Do what a run says and print what came of it.

    Parameters
    ----------
    run
        The run.

    Raises
    ------
    InputError
        If options go against each other, a name does not exist, or as `palate.judge` does.
    BudgetError
        If the client reached its limit of cost; what was answered is in its store.
    """
    from palate.cli.progress import Stages
    from palate.cli.run import folder_for
    from palate.data.staged_run import staged_run

    check_run(run)
    folder = judged_folder(run.file)
    plain = folder_for(str(folder or run.file)).name.removeprefix("palate-")
    plain = plain if folder is None else plain.removeprefix("judged-")
    if not run.adds:
        _report_alone(run, folder, run.out or Path(f"judge-report-{plain}"))
        return
    out = run.out or folder or Path(f"judged-{plain}")
    _refuse_finished(out, folder, overwrite=run.overwrite)
    if run.options.dry_run:
        with Stages(quiet=run.quiet) as stages:
            typer.echo(_work(run, folder, stages, Earlier(), None).closing)
        return
    with (
        staged_run(out, overwrite=run.overwrite or out == folder) as directory,
        Stages(quiet=run.quiet) as stages,
    ):
        done = _work(run, folder, stages, earlier_of(folder), directory)
    remove_stale(out, done.written, kept=out == folder, replaced=bool(done.replaced))
    from palate.cli.judge_view import print_judging

    new = [judgement.name for judgement in done.judgements] + list(done.ensembles)
    file = str(out / PREFERENCES_FILE)
    print_judging(
        done.preferences,
        done.judgements,
        list(done.ensembles),
        notes=done.notes,
        closing=done.closing,
        out=out,
        commands=_commands(run, file, new),
    )
    if done.quality is not None:
        from palate.cli.judge_report import print_judge_quality

        typer.echo("")
        print_judge_quality(done.quality, out=out)


def _refuse_finished(out: Path, folder: Path | None, *, overwrite: bool) -> None:
    """Say how columns are added to a folder that is there, where that may be what is wanted."""
    if out != folder and not overwrite and judged_folder(str(out)) is not None:
        raise OutputError(
            f"{out}: found a finished run; expected a new folder, --overwrite, or palate judge "
            f"{out} ..., which adds columns to it."
        )


def _read(run: JudgeRun, folder: Path | None) -> Preferences:
    """Read the pairs and refuse mechanisms that are not among them."""
    from palate.errors import UnknownNameError

    file = run.file if folder is None else str(folder / PREFERENCES_FILE)
    preferences = read_file(file, **run.reading, seed=run.seed)
    known = preferences.mechanisms
    for what, names in (
        ("reference mechanism", (run.reference,) if run.reference else ()),
        ("mechanism of the ensemble", run.of),
    ):
        for name in names:
            if name not in known:
                raise UnknownNameError(what, name, known)
    return preferences


def _work(
    run: JudgeRun,
    folder: Path | None,
    stages: Stages,
    earlier: Earlier,
    directory: RunDirectory | None,
) -> _Work:
    from palate.mechanisms.judgement import check_room

    stages.stage(f"Reading {run.file}")
    done = _Work(_read(run, folder))
    guidance = _guidance(run, done)
    columns = _columns(run, done.preferences.domains, guidance)
    names = [column.name for column in columns]
    if run.ensemble is not None:
        _check_ensemble(run, names)
        names.append(_ensemble_name(run))
    for name in names:
        check_room(done.preferences, name, replaced=run.overwrite_column)
    _check_known(run.mechanisms, (*done.preferences.mechanisms, *names))
    done.replaced = tuple(name for name in names if name in done.preferences.mechanisms)
    done.notes += _outdated(done.replaced, names, earlier)
    if columns:
        _ask(run, done, columns, stages, directory)
    if run.ensemble is not None:
        _combine(run, done, [*run.of, *(column.name for column in columns)])
    if directory is not None:
        stages.stage("Writing")
        write_folder(directory, done.preferences, done.judgements, done.ensembles, earlier)
        facts = _write_run(run, done, directory)
        if run.report:
            _report(run, done, names, directory, facts)
        done.written = frozenset(file.name for file in directory.path.iterdir())
    return done


def _outdated(replaced: Sequence[str], new: Sequence[str], earlier: Earlier) -> list[str]:
    """A sentence for each ensemble that combines verdicts which are replaced."""
    return [
        f"{name} combines {', '.join(gone)} as it was before; --ensemble with --overwrite-column "
        "combines the new verdicts."
        for name, ensemble in (earlier.ensembles or {}).items()
        if name not in new and (gone := [one for one in ensemble["of"] if one in replaced])
    ]


def _check_known(mechanisms: Sequence[str], known: Sequence[str]) -> None:
    from palate.errors import UnknownNameError

    for name in mechanisms:
        if name not in known:
            raise UnknownNameError("mechanism", name, known)


def _guidance(run: JudgeRun, done: _Work) -> Guidance | None:
    if run.criteria is None:
        return None
    found = guidance_of(
        run.criteria,
        done.preferences.domains,
        ids=done.preferences.ids,
        mechanism=run.criteria_mechanism,
        at_most=run.criteria_most,
    )
    done.notes += [found.note] * bool(found.note)
    return found


def _columns(run: JudgeRun, domains: Sequence[str], guidance: Guidance | None) -> list[Wanted]:
    if run.options.llm is None:
        return []
    return wanted_columns(
        run.options.llm,
        domains,
        modes=run.modes,
        personas=run.personas,
        rubric=rubric_text(run.rubric),
        criteria=None if guidance is None else guidance.by_domain,
        ties=run.ties,
        samples=run.samples,
        soft=run.soft,
        name=run.name,
    )


def _ask(
    run: JudgeRun,
    done: _Work,
    columns: Sequence[Wanted],
    stages: Stages,
    directory: RunDirectory | None,
) -> None:
    from palate.mechanisms.judge import judge
    from palate.mechanisms.judging import BLOCK
    from palate.mechanisms.typical import typical_answer

    with open_client(run.options, stages, answer=typical_answer) as client:
        for column in columns:
            stages.stage(f"{column.name} on {done.preferences.n_pairs:,} pairs")
            found = judge(
                done.preferences,
                client,
                column.style,
                name=column.name,
                orders=run.orders,  # type: ignore[arg-type]
                samples=run.samples,
                soft=run.soft,
                examples_of=run.reference if column.k_shot else None,
                n_examples=run.examples,
                seed=run.seed,
                max_chars=run.max_chars,
                block=BATCH_BLOCK if run.options.batch else BLOCK,
                provenance={
                    "model": run.options.llm,
                    "base_url": run.options.base_url,
                    "temperature": run.options.temperature,
                    "thinking": run.options.thinking,
                    "file": run.file,
                },
            )
            if directory is not None:
                done.preferences = found.add_to(done.preferences, replaced=run.overwrite_column)
                done.judgements.append(found)
        done.closing = closing_line(client)


def _ensemble_name(run: JudgeRun) -> str:
    return run.name or str(run.ensemble)


def _check_ensemble(run: JudgeRun, columns: Sequence[str]) -> None:
    from palate.errors import UnknownNameError

    if run.ensemble not in ("majority", "mean"):
        raise UnknownNameError("ensemble", str(run.ensemble), ("majority", "mean"))
    combined = [*run.of, *columns]
    if len(combined) < 2 or len(set(combined)) < len(combined):
        raise InputError(
            f"--ensemble: found {', '.join(map(repr, combined)) or 'no columns'}; expected at "
            "least two different ones, of this run or named with --of."
        )
    if _ensemble_name(run) in combined:
        raise InputError(
            f"--ensemble: found {_ensemble_name(run)!r} as the name of the new column and among "
            "those that it combines, which it would replace; expected another --name."
        )


def _combine(run: JudgeRun, done: _Work, combined: Sequence[str]) -> None:
    from palate.mechanisms.ensemble import combine
    from palate.mechanisms.judgement import add_column

    if run.options.dry_run:
        return
    name = _ensemble_name(run)
    values = combine(done.preferences, combined, run.ensemble)  # type: ignore[arg-type]
    done.preferences = add_column(done.preferences, name, values, replaced=run.overwrite_column)
    done.ensembles[name] = {"how": run.ensemble, "of": list(combined)}


def _write_run(run: JudgeRun, done: _Work, directory: RunDirectory) -> dict[str, Any]:
    arguments = {"command": "judge", **asdict(run)}
    folder = judged_folder(run.file)
    file = run.file if folder is None else folder / PREFERENCES_FILE
    inputs = [p for p in (file, run.criteria, run.rubric) if p and not str(p).startswith("hf:")]
    lost = {pair for one in done.judgements for pair, _, _ in one.failures}
    record = directory.write_run_json(
        arguments=arguments,
        inputs=inputs,
        counts={
            "pairs": done.preferences.n_pairs,
            "domains": len(done.preferences.domains),
            "columns": [*(one.name for one in done.judgements), *done.ensembles],
            "failed_pairs": len(lost),
            "truncated_pairs": len({p for one in done.judgements for p in one.truncated}),
            "flagged_pairs": len({p for one in done.judgements for p in one.flagged}),
            "rejected_rows": done.preferences.provenance.get("rejected_rows", 0),
        },
        seed=run.seed,
    )
    facts: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    return facts


def _commands(run: JudgeRun, file: str, new: Sequence[str]) -> list[str]:
    """What to run next: an explanation, and a report where none is made now."""
    chosen = [word for name in new for word in ("-m", name)]
    found = [["palate", "explain", file, *chosen]]
    if not run.report:
        known = ["--reference", run.reference] if run.reference else []
        found.append(["palate", "judge", file, "--report", *known])
    return [shlex.join(words) for words in found]


def _report(
    run: JudgeRun,
    done: _Work,
    new: Sequence[str],
    directory: RunDirectory,
    facts: Mapping[str, Any],
) -> None:
    """Write the report on the new columns, or on those that are named, into the folder."""
    from palate.cli.judge_report import put_judge_report
    from palate.validate.judge_quality import judge_quality

    chosen = list(run.mechanisms or new)
    said = {one.name: one.judged for one in done.judgements if one.name in chosen}
    done.quality = judge_quality(
        done.preferences, chosen, reference=run.reference, judged=said, level=run.level
    )
    put_judge_report(done.quality, directory, run=facts)


def _report_alone(run: JudgeRun, folder: Path | None, out: Path) -> None:
    """Write a report on the verdicts that are there."""
    from palate.cli.judge_report import write_judge_report

    preferences = _read(run, folder)
    chosen = [m for m in run.mechanisms or preferences.mechanisms if m != run.reference]
    said = {one.name: one.judged for one in earlier_of(folder).judgements if one.name in chosen}
    write_judge_report(
        preferences,
        list(run.mechanisms) or None,
        reference=run.reference,
        out=out,
        level=run.level,
        seed=run.seed,
        quiet=run.quiet,
        overwrite=run.overwrite,
        judged=said,
        arguments={"file": run.file, **run.reading},
        inputs=[] if run.file.startswith("hf:") else [run.file],
    )
