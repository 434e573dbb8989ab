"""The run behind `palate explain` and `palate demo`: read, gather concepts, explain, write.

Everything here is called through functions that a Python user can call as well. The output
folder is checked before any work is done, and its completion mark is written last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palate.cli.progress import Stages
from palate.cli.reading import PREFERENCES
from palate.cli.screen import counted

if TYPE_CHECKING:
    from palate.data.preferences import Preferences


@dataclass(frozen=True)
class Request:
    """What a run is to do.

    Parameters
    ----------
    read
        Returns the preferences.
    source
        Name of what is read, for the progress.
    inputs
        Files whose hashes are recorded.
    arguments
        The resolved arguments, recorded as they are.
    out
        Folder for the results.
    overwrite
        Whether results of an earlier run may be replaced.
    mechanisms
        Mechanisms to explain; empty for all.
    concepts
        Definitions of annotated concepts.
    values
        Values of annotated concepts.
    annotation
        Folder of an annotation by a language model, in the place of both.
    again
        Second annotations of concepts.
    with_measured
        Whether measured concepts stand beside the annotated ones.
    settings
        Keyword arguments of `palate.explain_all`.
    quiet
        No progress.
    title
        Title of the report; None for the one it chooses.
    opening
        Sentences that the summary opens with, behind those on what was found.
    """

    read: Callable[[], Preferences]
    source: str
    inputs: tuple[Path, ...]
    arguments: Mapping[str, Any]
    out: Path
    overwrite: bool = False
    mechanisms: tuple[str, ...] = ()
    concepts: Path | None = None
    values: Path | None = None
    annotation: Path | None = None
    again: Path | None = None
    with_measured: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False
    title: str | None = None
    opening: tuple[str, ...] = ()


def execute(request: Request) -> None:
    """Run a request and print its summary.

    Parameters
    ----------
    request
        What to do.

    Raises
    ------
    PalateError
        If anything in the request or its files is wrong; nothing is left in the output folder.
    """
    from palate.data.staged_run import staged_run

    with (
        staged_run(request.out, overwrite=request.overwrite) as directory,
        Stages(quiet=request.quiet) as stages,
    ):
        stages.stage(f"Reading {request.source}")
        preferences = request.read()
        names = request.mechanisms or preferences.mechanisms
        preferences.with_mechanisms(names)  # an unknown one is refused before any work
        again = None
        if request.again is not None:
            from palate.concepts.reliability import read_again

            again = read_again(request.concepts, request.values or request.again, request.again)
        stages.stage(f"Preparing concepts on {preferences.n_pairs:,} pairs")
        from palate.concepts.gather import gather

        gathered = gather(
            preferences,
            concepts=request.concepts,
            values=request.values,
            annotation=request.annotation,
            with_measured=request.with_measured,
            n_jobs=request.settings.get("n_jobs"),
        )
        from palate.explanations.explain import explain_all

        stages.stage(
            f"Explaining {counted(len(names), 'mechanism')} "
            f"with {counted(gathered.matrix.n_concepts, 'concept')}"
        )
        explanations = explain_all(
            preferences,
            gathered.matrix,
            mechanisms=request.mechanisms or None,
            again=again,
            progress=stages.advance,
            **request.settings,
        )
        if gathered.annotation is not None and again is None:
            from palate.explanations.annotated import with_orders

            explanations = with_orders(
                explanations,
                preferences,
                gathered.matrix,
                gathered.annotation,
                **{name: request.settings[name] for name in ("cluster", "level", "seed")},
            )
        comparison = None
        if len(explanations) > 2:
            from palate.explanations.comparison_matrix import compare_all

            stages.stage("Comparing the mechanisms")
            comparison = compare_all(
                preferences,
                gathered.matrix,
                mechanisms=[e.mechanism for e in explanations],
                cluster=request.settings.get("cluster"),
                n_jobs=request.settings.get("n_jobs"),
            )
        stages.stage("Writing the report")
        from palate.explanations.files import save_explanations
        from palate.explanations.tables import write_weights_csv
        from palate.report.html import write_report

        save_explanations(explanations, directory.path)
        write_weights_csv(explanations, directory.path / "weights.csv")
        record = directory.write_run_json(
            arguments=request.arguments,
            inputs=request.inputs,
            counts={
                "pairs": preferences.n_pairs,
                "domains": len(preferences.domains),
                "concepts": gathered.matrix.n_concepts,
                "explained": len(explanations),
                "skipped": len(explanations.skipped),
                "rejected_rows": preferences.provenance.get("rejected_rows", 0),
            },
            seed=request.settings["seed"],
        )
        write_report(
            explanations,
            preferences.with_mechanisms(names),
            directory.path / "report.html",
            title=request.title,
            run=json.loads(record.read_text(encoding="utf-8")),
            skipped=explanations.skipped,
            notes=(*request.opening, *gathered.notes),
            comparison=comparison,
            annotation=gathered.annotation,
        )
    from palate.cli.terminal import print_summary

    rejected = preferences.provenance.get("rejected_rows", 0)
    notes = [*gathered.notes, *(f"Skipped: {reason}" for reason in explanations.skipped.values())]
    if rejected:
        notes.append(f"{counted(rejected, 'bad row')} left out.")
    print_summary(explanations, opening=request.opening, notes=notes, out=request.out)


def folder_for(source: str) -> Path:
    """Return the folder that results of this source go to if none is named.

    Parameters
    ----------
    source
        A file name, or the name of a data set on the hub.
    """
    path = Path(source.removeprefix("hf://"))
    name = path.parent.name if path.name in PREFERENCES and path.parent.name else path.name
    stem = re.sub(
        r"(\.(gz|zst|jsonl|ndjson|json|csv|tsv|parquet))+$", "", name, flags=re.IGNORECASE
    )
    return Path(f"palate-{re.sub(r'[^A-Za-z0-9._-]+', '-', stem) or 'run'}")
