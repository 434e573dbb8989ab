"""Settings of the whole suite: processors, shared data, how hard hypothesis works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# Threads of linear algebra that wait for each other beside those of another test cost more than
# they bring; this is read when numpy is first imported, which is after this file.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})

settings.register_profile(
    "default", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session", autouse=True)
def one_processor() -> Iterator[None]:
    """Let the code believe that it may use one processor, so that it starts no workers unasked.

    The suite itself runs on several, and starting workers takes longer than the small work of a
    test. Tests of workers ask for a number of them; programs that tests start see the machine.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def store_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own store of answers out of it, in tests and in programs that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PALATE_STORE", str(tmp_path_factory.mktemp("store") / "answers.sqlite"))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the shared real data sets, which are no part of the product."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the shared data sets are not beside this checkout (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def shared_demo() -> Path:
    """The folder of the demo set's sources, with the style cards of every response."""
    folder = SHARED / "demo"
    if not folder.is_dir():
        pytest.skip("the sources of the demo set are not beside this checkout (../shared/demo)")
    return folder
