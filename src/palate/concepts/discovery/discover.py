"""`discover`: all steps of a discovery in order, each kept in its file.

with connect("openai:gpt-5-mini") as client:
    found = discover(preferences, client, folder="concepts")

discovery.json        what it starts from: data, settings, seed, model
discovery_pairs.json  ids of the pairs set apart for it
topics.jsonl          subdomains and tasks of each domain
tags.jsonl            which of them each discovery pair carries
batches.jsonl         pairs of each batch, and its question
proposals.jsonl       what each batch proposed
merges.jsonl          which names were compared, and what was decided
merged.jsonl          every concept with its counts, and whether it is kept
definitions.jsonl     definitions of those that are kept
concepts.json         the result
run.json, COMPLETE    counts, spending and notes; the mark of a finished run
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from os import PathLike
from pathlib import Path
from typing import Any

from palate.concepts.discovery.discovery import Discovery
from palate.concepts.discovery.folder import open_folder
from palate.concepts.discovery.settings import Settings
from palate.concepts.discovery.steps import Steps, digest
from palate.concepts.discovery.work import Work
from palate.data.preferences import Preferences
from palate.errors import UnknownNameError
from palate.llm.outcome import Asks


def discover(
    preferences: Preferences,
    client: Asks,
    *,
    mechanisms: Sequence[str] | None = None,
    seed: int = 0,
    folder: str | PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Discovery:
    """Find the concepts on which responses differ, with the help of a language model.

    A share of the pairs of each domain is set apart; on these the model names subdomains and
    tasks, tags the queries, and proposes concepts for batches of pairs that are alike; names of
    the same quality are merged, concepts found in half of the domains are shared, and each gets a
    definition.

    Parameters
    ----------
    preferences
        Pairs in any number of domains, at least 20.
    client
        Who answers: what `palate.llm.connect.connect` returns.
    mechanisms
        Whose verdicts say which response was preferred; None for all, an empty list for nobody's.
    seed
        Seed of everything drawn.
    folder
        Where every step is kept; a folder of an interrupted discovery goes on. None keeps nothing.
    overwrite
        Whether the folder may hold something else, and its steps are made again.
    progress
        Called with a sentence when a step begins.
    **options
        Any field of `palate.concepts.discovery.settings.Settings`, for instance `batches=300`.

    Raises
    ------
    DataError
        If there are fewer than 20 pairs, or no verdict on the discovery pairs but ties.
    UnknownNameError
        If there is no such mechanism or option.
    ManyFailuresError
        If most questions of a step got no answer.
    BudgetError
        If the budget of the client is used up; the same call goes on from there.
    OutputError
        If the folder is taken or cannot be written.
    """
    known = [f.name for f in fields(Settings)]
    for name in options:
        if name not in known:
            raise UnknownNameError("option of discovery", name, known)
    work = Work(preferences, client, Settings(**options), mechanisms, seed)
    start = work.start()
    run = None if folder is None else open_folder(Path(folder), start, overwrite=overwrite)
    steps = Steps(None if run is None else run.path, digest(start), fresh=overwrite)
    found = work.run(steps, progress or (lambda _: None))
    if run is not None:
        found.write(run)
        file = preferences.provenance.get("file")
        spent = None if found.spent is None else asdict(found.spent)
        run.write_run_json(
            arguments={**work.settings.recorded(), "mechanisms": work.mechanisms},
            inputs=[] if file is None else [file],
            counts={
                "pairs": preferences.n_pairs,
                "discovery_pairs": len(found.pairs),
                "concepts": len(found.concepts),
                "shared": len(found.shared),
                "steps_read": steps.read,
                "notes": list(found.notes),
                "spent": spent,
            },
            seed=seed,
        )
        run.complete()
    return found
