"""`palate demo`: the bundled demo set, explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from palate.cli.reading import Overwrite, Quiet, Seed

ORIGIN = (
    "The demo set was made for Palate: a large language model wrote its prompts and responses, and "
    "the verdicts are a large language model's under five instructions (assistant, checker, "
    "skimmer, expert, coach), not people's. Its concepts were annotated by a large language model "
    "that did not see the verdicts."
)


def demo(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the results.", show_default=True)
    ] = Path("palate-demo"),
    overwrite: Overwrite = False,
    seed: Seed = 0,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes; all cores by default.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Explain the bundled demo set: 240 pairs, 8 domains, 5 LLM judges."""
    from palate.cli.run import Request, execute
    from palate.data.demo import demo_paths, load_demo

    paths = demo_paths()
    execute(
        Request(
            read=load_demo,
            source="the demo set",
            inputs=(paths.pairs, paths.concepts, paths.values),
            arguments={
                "command": "demo",
                "out": out,
                "overwrite": overwrite,
                "jobs": jobs,
                "seed": seed,
            },
            out=out,
            overwrite=overwrite,
            concepts=paths.concepts,
            values=paths.values,
            settings={"seed": seed, "n_jobs": jobs},
            quiet=quiet,
            title="The demo set: five LLM judges",
            opening=(ORIGIN,),
        )
    )
