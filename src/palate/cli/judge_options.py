"""What `palate judge` is to do, as its options say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palate.cli.llm_options import LlmOptions
from palate.errors import InputError


@dataclass(frozen=True)
class JudgeRun:
    """What a run is to do, as the options say it.

    Parameters
    ----------
    file
        What is read.
    reading
        Further arguments of `read_file`.
    options
        The model.
    modes
        Modes of the columns.
    personas
        Personas of the columns.
    rubric
        File of a rubric.
    criteria
        Source of criteria.
    criteria_mechanism
        Whose explanation they come from.
    criteria_most
        How many of an explanation.
    examples
        Demonstrations of the mode k-shot.
    ties
        Whether a tie is an answer.
    orders
        Which orders are asked.
    samples
        How often each one.
    soft
        Whether verdicts are those of the probabilities.
    max_chars
        Longest text that is shown whole.
    name
        Name of the only column.
    overwrite_column
        Whether columns may be replaced.
    ensemble
        How columns are combined.
    of
        Mechanisms of the file that are combined.
    report
        Whether a report is written.
    reference
        The mechanism that gives right answers.
    mechanisms
        Mechanisms of the report.
    level
        Confidence of its intervals.
    out
        Folder for the results.
    overwrite
        Whether it may hold something.
    seed
        Seed of everything random.
    quiet
        No progress.
    """

    file: str
    reading: Mapping[str, Any]
    options: LlmOptions
    modes: tuple[str, ...] = ()
    personas: tuple[str, ...] = ()
    rubric: Path | None = None
    criteria: str | None = None
    criteria_mechanism: str | None = None
    criteria_most: int | None = None
    examples: int = 4
    ties: bool = False
    orders: str = "both"
    samples: int = 1
    soft: bool = False
    max_chars: int = 12_000
    name: str | None = None
    overwrite_column: bool = False
    ensemble: str | None = None
    of: tuple[str, ...] = ()
    report: bool = False
    reference: str | None = None
    mechanisms: tuple[str, ...] = ()
    level: float = 0.9
    out: Path | None = None
    overwrite: bool = False
    seed: int = 0
    quiet: bool = False

    @property
    def adds(self) -> bool:
        """Whether it adds columns."""
        return self.options.llm is not None or self.ensemble is not None


def check_run(run: JudgeRun) -> None:
    """Refuse options that go against each other, before anything is read.

    Parameters
    ----------
    run
        The run.

    Raises
    ------
    InputError
        If there is nothing to do, or an option lacks what it is for.
    """
    asks = run.options.llm is not None
    if not run.adds and not run.report:
        raise InputError(
            "palate judge: found nothing to do; expected --llm PROVIDER:MODEL (scripted:demo needs "
            "no key), --ensemble with --of, or --report on the verdicts that are there."
        )
    for option, given in (
        ("--mode", run.modes),
        ("--persona", run.personas),
        ("--rubric", run.rubric),
        ("--criteria", run.criteria),
        ("--soft", run.soft),
        ("--dry-run", run.options.dry_run),
    ):
        if given and not asks:
            raise InputError(f"{option}: found no model that is asked; expected --llm as well.")
    if run.criteria is None and (run.criteria_mechanism or run.criteria_most):
        raise InputError("--criteria-mechanism, --criteria-most: found no --criteria beside it.")
    if run.of and run.ensemble is None:
        raise InputError("--of: found no --ensemble beside it; expected majority or mean.")
    if run.mechanisms and not run.report:
        raise InputError("--mechanism: found no --report, which it is for.")
    if "k-shot" in run.modes and run.reference is None:
        raise InputError(
            "--mode k-shot: found no --reference; expected the mechanism whose verdicts are the "
            "right answers of the examples."
        )
    if run.reference is not None and not run.report and "k-shot" not in run.modes:
        raise InputError(
            "--reference: found neither --report nor --mode k-shot, which it is for; expected one "
            "of them."
        )
    if run.samples > 1 and run.options.temperature == 0:
        raise InputError(
            f"--samples {run.samples}: found a temperature of 0, at which a model gives the same "
            "answer each time; expected --temperature above 0, 0.7 for instance."
        )
    if run.name is not None and run.ensemble is not None and asks:
        raise InputError("--name: found several columns; expected --ensemble in a run of its own.")
