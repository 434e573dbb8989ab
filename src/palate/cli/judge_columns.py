"""The columns that a run of `palate judge` adds, from its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from palate.errors import FileFormatError, InputError, UnknownNameError

if TYPE_CHECKING:
    from palate.mechanisms.criteria import Criterion
    from palate.mechanisms.style import JudgeStyle

MODES = ("zero-shot", "cot", "k-shot")


@dataclass(frozen=True)
class Wanted:
    """A column that a model is to give.

    Parameters
    ----------
    name
        Its name.
    style
        How the model is asked, by domain.
    k_shot
        Whether demonstrations are shown.
    """

    name: str
    style: Mapping[str, JudgeStyle]
    k_shot: bool


def wanted_columns(
    model: str,
    domains: Sequence[str],
    *,
    modes: Sequence[str],
    personas: Sequence[str],
    rubric: str | None,
    criteria: Mapping[str, tuple[Criterion, ...]] | None,
    ties: bool,
    samples: int,
    soft: bool,
    name: str | None,
) -> list[Wanted]:
    """Return one column for each mode and persona.

    Parameters
    ----------
    model
        Name of the model with its provider.
    domains
        The domains that are judged.
    modes
        Modes; zero-shot if there are none.
    personas
        Names or instructions; none for no persona.
    rubric
        Text of the rubric.
    criteria
        Criteria of each domain.
    ties
        Whether a tie is an answer.
    samples
        How often each order is asked.
    soft
        Whether verdicts are those of the probabilities.
    name
        Name of the column, where there is one only.

    Raises
    ------
    UnknownNameError
        If there is no such mode or persona.
    InputError
        If several columns are to have one name.
    """
    from palate.mechanisms.style import JudgeStyle

    found: list[Wanted] = []
    described = 0
    for persona in personas or [None]:  # type: ignore[list-item]
        if persona is not None and len(persona.split()) > 1:
            described += 1
        for mode in modes or ["zero-shot"]:
            if mode not in MODES:
                raise UnknownNameError("mode", mode, MODES)
            style = JudgeStyle(
                "cot" if mode == "cot" else "zero-shot", persona=persona, rubric=rubric, ties=ties
            )
            parts = [
                "" if mode == "zero-shot" else mode,
                _short(persona, described),
                "rubric" * (rubric is not None),
                "criteria" * (criteria is not None),
                f"{samples} samples" * (samples > 1),
                "soft" * soft,
            ]
            own = "/".join([model.partition(":")[2] or model, *filter(None, parts)])
            found.append(
                Wanted(
                    own if any(parts) else f"{own}/zero-shot",
                    {d: replace(style, criteria=(criteria or {}).get(d, ())) for d in domains},
                    mode == "k-shot",
                )
            )
    if name is not None:
        if len(found) > 1:
            raise InputError(
                f"--name: found {len(found)} columns ({', '.join(repr(c.name) for c in found)}); "
                "expected one mode and at most one persona beside a name."
            )
        return [replace(found[0], name=name)]
    names = [column.name for column in found]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise InputError(f"--mode, --persona: found what makes the column {twice!r} twice.")
    return found


def rubric_text(path: Path | None) -> str | None:
    """Return the text of a rubric.

    Parameters
    ----------
    path
        The file; None if there is none.

    Raises
    ------
    FileFormatError
        If it cannot be read as text, or is empty.
    """
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FileFormatError(f"--rubric {path}: cannot be read ({why}).") from None
    if not text.strip():
        raise FileFormatError(f"--rubric {path}: found an empty file; expected a text.")
    return text


def _short(persona: str | None, described: int) -> str:
    """A name of one word as it is; others are numbered."""
    if persona is None or len(persona.split()) == 1:
        return persona or ""
    return "persona" if described == 1 else f"persona {described}"
