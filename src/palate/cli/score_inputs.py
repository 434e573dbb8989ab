"""What the options of `palate score` come to: which of them go together, names and places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from palate.cli.llm_options import CONCURRENCY, TEMPERATURE, THINKING, TIMEOUT, LlmOptions
from palate.errors import InputError

PREFERENCES_FILE = "preferences.jsonl.gz"


def check_choice(
    model: str | None,
    options: LlmOptions,
    *,
    of_model: Mapping[str, object],
    of_llm: Mapping[str, object],
) -> None:
    """Refuse options of which one would be ignored.

    Parameters
    ----------
    model
        The reward model.
    options
        The options of a language model.
    of_model
        Further options of a reward model by name, with what was given; None for nothing.
    of_llm
        Further options of a language model.

    Raises
    ------
    InputError
        If none or both are named, or an option belongs to the other one.
    """
    if (model is None) == (options.llm is None):
        raise InputError(
            f"--model, --llm: found {'neither' if model is None else 'both'}; expected one of "
            "them, a reward model (--model FOLDER or organisation/name) or a language model that "
            "rates (--llm PROVIDER:MODEL)."
        )
    usual = {
        "base_url": None,
        "store": None,
        "no_store": False,
        "max_cost": None,
        "price": None,
        "concurrency": CONCURRENCY,
        "rpm": None,
        "tpm": None,
        "timeout": TIMEOUT,
        "temperature": TEMPERATURE,
        "thinking": THINKING,
        "batch": False,
        "dry_run": False,
    }
    if model is not None:
        given = [f"--{k.replace('_', '-')}" for k, v in usual.items() if getattr(options, k) != v]
        given += [name for name, value in of_llm.items() if value is not None]
        other, own = "--llm", "a language model"
    else:
        given = [name for name, value in of_model.items() if value is not None]
        other, own = "--model", "a reward model"
    if given:
        raise InputError(f"{given[0]}: found it without {other}; it is an option of {own}.")


def column_name(name: str | None, model: str | None, llm: str | None) -> str:
    """Return the name of the new column.

    Parameters
    ----------
    name
        What was given.
    model
        The reward model.
    llm
        The language model.
    """
    if name is not None:
        return name
    if model is not None:
        return Path(model).name or Path(model).resolve().name or "reward-model"
    llm = llm or ""
    return f"{llm.partition(':')[2] or llm}/rating"


def source_of(file: str) -> tuple[str, str]:
    """Return the file to read, and the name that the results are called after.

    The folder of an earlier `palate judge` or `palate score` stands for its preferences.

    Parameters
    ----------
    file
        What the user named.
    """
    given = Path(file)
    if given.is_dir() and (given / PREFERENCES_FILE).is_file():
        return str(given / PREFERENCES_FILE), given.resolve().name
    if given.name == PREFERENCES_FILE and given.is_file():
        return file, given.resolve().parent.name
    return file, file


def side_file(out: Path) -> Path:
    """Return where scores are kept until the run has ended.

    Parameters
    ----------
    out
        Folder of the results.
    """
    place = out.resolve()
    return place.parent / f".{place.name}.scores.jsonl"
