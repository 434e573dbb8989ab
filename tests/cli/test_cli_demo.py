"""`palate demo`: the whole run on the bundled set, from a folder where nothing else is.

The command is the one in the documents, in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import palate
from tests.house.test_snippets import demo_command

SECONDS = 15  # of CPU, on any number of cores that do nothing else


def run(folder: Path) -> tuple[Path, str, float]:
    """The results, the summary and the CPU time of a demo run in a process of its own."""
    _, *arguments = demo_command()
    code = (
        "import resource, sys\n"
        "from palate.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n"
        "    own, rest = (resource.getrusage(w) for w in "
        "(resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))\n"
        "    seconds = own.ru_utime + own.ru_stime + rest.ru_utime + rest.ru_stime\n"
        "    print(f'CPU {seconds}', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=folder,
        env={  # as it is outside of this suite
            k: v
            for k, v in os.environ.items()
            if not k.startswith("PYTEST") and not k.endswith("_NUM_THREADS")
        },
        capture_output=True,
        text=True,
        timeout=600,  # a guard against hanging alone
    )
    assert done.returncode == 0, done.stderr
    seconds = float(done.stderr.split("CPU ")[-1])
    return folder / arguments[arguments.index("--out") + 1], done.stdout, seconds


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, float]:
    """One run for all tests of this file."""
    return run(tmp_path_factory.mktemp("demo"))


def test_it_is_fast(demo: tuple[Path, str, float]) -> None:
    # processors that share a core with another program may take twice the time for the same work
    assert demo[2] < 2 * SECONDS


@pytest.mark.slow
def test_it_keeps_its_promise_on_a_quiet_machine(tmp_path: Path) -> None:
    taken = []
    for k in range(3):
        (tmp_path / str(k)).mkdir()
        taken.append(run(tmp_path / str(k))[2])
        if taken[-1] < SECONDS:
            return
    raise AssertionError(f"{min(taken):.1f} s at best of {len(taken)}, the limit is {SECONDS} s")


def test_it_opens_with_two_sentences_on_what_was_found(demo: tuple[Path, str, float]) -> None:
    opening = " ".join(demo[1].split("\n\n")[0].split())
    assert "reward" in opening
    assert "Constraint compliance" in opening  # what the rubric of "checker" asks for
    assert "On new prompts the explanations predict" in opening


def test_it_says_plainly_whose_verdicts_these_are(demo: tuple[Path, str, float]) -> None:
    text = " ".join(demo[1].split())
    assert "verdicts are a large language model's under five instructions" in text
    assert "not people's" in text


def test_it_finds_what_the_judges_were_told(demo: tuple[Path, str, float]) -> None:
    # the instructions of the judges are in docs and README of the demo set
    explanations = {
        m: palate.Explanation.load(demo[0], mechanism=m)
        for m in ("assistant", "checker", "skimmer", "expert", "coach")
    }

    def lift(mechanism: str, concept: str) -> float:
        e = explanations[mechanism]
        return float(100 * np.tanh(e.shared.weight[e.concepts.names.index(concept)] / 2))

    assert lift("checker", "Constraint compliance") > lift("checker", "Itemised layout")
    assert lift("checker", "Factual soundness") > 50
    assert lift("skimmer", "Upfront answer") > 20
    assert lift("skimmer", "Technical vocabulary") < 0
    assert lift("coach", "Warmth") > 30 > lift("checker", "Warmth")
    assert lift("coach", "Technical vocabulary") < 0


def test_its_report_is_there_and_says_what_the_set_is(demo: tuple[Path, str, float]) -> None:
    report = (demo[0] / "report.html").read_text(encoding="utf-8")
    assert len(report.encode()) < 2_000_000
    run = json.loads((demo[0] / "run.json").read_text(encoding="utf-8"))
    assert run["counts"]["pairs"] == 240
    assert run["counts"]["explained"] == 5
    assert len(run["inputs"]) == 3
    assert all(entry["sha256"] for entry in run["inputs"])
