"""The one place that loads torch and transformers, when a reward model is scored."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterator
from typing import Any

from palate.errors import MissingExtraError


def torch_and_transformers() -> tuple[Any, Any]:
    """Return the two packages.

    Raises
    ------
    MissingExtraError
        If one of them is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say of their own dependencies
            return importlib.import_module("torch"), importlib.import_module("transformers")
    except ImportError as error:
        raise MissingExtraError("Scoring with a reward model", "reward") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from writing to the screen: what matters becomes an error of ours."""
    logging = torch_and_transformers()[1].utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
