"""`Scored`: what a mechanism gave to each response alone, and the verdicts that follow.

    scored = score(preferences, open_model("org/reward-model"), name="reward-model")
    scored = scored.calibrated(preferences, "human")       # else T = 1
    preferences = scored.add_to(preferences)               # the column, and the scores behind it
    scored.save("scored")

The verdict of a pair is 2 sigmoid((score a - score b) / T) - 1, or its sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from palate.data.preferences import Preferences
from palate.data.splits import groups
from palate.errors import InputError
from palate.mechanisms.temperature import Calibration, calibrate, soft_verdicts

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """What a mechanism gave to one response.

    Parameters
    ----------
    value
        The score; NaN where there is none.
    tokens
        Tokens that a reward model read; 0 where nobody counted.
    left_out
        Characters that were not shown.
    plain
        Whether a conversation of several turns was shown as two.
    failure
        Why there is no score; empty where there is one.
    """

    value: float
    tokens: int = 0
    left_out: int = 0
    plain: bool = False
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of both responses of pairs, and the verdicts that follow.

    Parameters
    ----------
    name
        Name of the column of verdicts.
    ids
        Ids of the pairs.
    a
        Score of response a of each pair.
    b
        Score of response b.
    calibration
        How the temperature was fitted; None for T = 1.
    hard
        Whether verdicts are signs.
    facts
        How it was scored: model, lengths, prompts, cost.
    """

    name: str
    ids: tuple[str, ...]
    a: tuple[Score, ...]
    b: tuple[Score, ...]
    calibration: Calibration | None = None
    hard: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        known = int(np.isfinite(self.verdicts).sum())
        return f"Scored({self.name!r}: {known} of {len(self.ids)} pairs have a verdict)"

    def __str__(self) -> str:
        return "\n".join(self.notes)

    @property
    def margins(self) -> Array:
        """score(a) - score(b), shape (n_pairs,); NaN where either is missing."""
        return np.array(
            [a.value - b.value for a, b in zip(self.a, self.b, strict=True)], dtype=np.float64
        )

    @property
    def temperature(self) -> float:
        """T."""
        return 1.0 if self.calibration is None else self.calibration.temperature

    @property
    def verdicts(self) -> Array:
        """The verdicts, shape (n_pairs,), +1 for a; NaN where a score is missing."""
        return np.sign(self.margins) if self.hard else soft_verdicts(self.margins, self.temperature)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in plain sentences."""
        from palate.mechanisms.scored_notes import notes_of

        return notes_of(self)

    def calibrated(self, preferences: Preferences, reference: str, *, seed: int = 0) -> Scored:
        """Return the same scores with the temperature that fits a reference mechanism.

        Parameters
        ----------
        preferences
            The pairs that were scored, in the same order, with verdicts of the reference.
        reference
            Name of the mechanism.
        seed
            Seed of the folds of the held-out log loss.

        Raises
        ------
        DataError
            If no temperature can be fitted.
        InputError
            If these are other pairs, the verdicts are signs, or the reference is this mechanism.
        UnknownNameError
            If there is no such mechanism.
        """
        if self.hard:
            raise InputError("A temperature changes no sign; expected --reference or --hard.")
        if tuple(preferences.ids) != self.ids:
            raise InputError("calibrated: found other pairs than were scored.")
        return replace(
            self,
            calibration=calibrate(
                self.margins,
                preferences.verdict(reference),
                groups(preferences),
                reference=reference,
                seed=seed,
            ),
        )

    def add_to(self, preferences: Preferences) -> Preferences:
        """Return preferences with the column of verdicts, and the scores as metadata.

        The scores are the metadata columns `NAME_score_a` and `NAME_score_b`.

        Parameters
        ----------
        preferences
            The pairs, all that were scored among them.

        Raises
        ------
        InputError
            If there is a column of one of these names.
        UnknownNameError
            If a scored pair is not among them.
        """
        check_room(preferences, self.name)
        rows = [preferences.row(pair) for pair in self.ids]
        columns = dict(
            zip(
                (self.name, *score_columns(self.name)),
                (self.verdicts, _values(self.a), _values(self.b)),
                strict=True,
            )
        )
        series = []
        for name, values in columns.items():
            spread = np.full(preferences.n_pairs, np.nan)
            spread[rows] = values
            series.append(pl.Series(name, spread, dtype=pl.Float64).fill_nan(None))
        return replace(
            preferences,
            verdicts=_with(preferences.verdicts, series[:1]),
            metadata=_with(preferences.metadata, series[1:]),
        )

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `scores.jsonl` and `scoring.json` into a folder, which is made if absent.

        Parameters
        ----------
        folder
            Where to write; files of these names in it are replaced.

        Raises
        ------
        OutputError
            If it cannot be written to.
        """
        from palate.mechanisms.scored_files import save_scored

        save_scored(self, folder)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Scored:
        """Read what `save` or `palate score` wrote.

        Parameters
        ----------
        folder
            The folder.

        Raises
        ------
        FileFormatError
            If the files are absent or damaged.
        """
        from palate.mechanisms.scored_files import load_scored

        return load_scored(folder)


def score_columns(name: str) -> tuple[str, str]:
    """Return the names of the metadata columns that hold the scores of a mechanism.

    Parameters
    ----------
    name
        Name of the mechanism.
    """
    return f"{name}_score_a", f"{name}_score_b"


def check_room(preferences: Preferences, name: str, *, reference: str | None = None) -> None:
    """Refuse a column that is there already, or a reference that is not, before any work.

    Parameters
    ----------
    preferences
        The pairs.
    name
        Name of the new column.
    reference
        Mechanism that the temperature is to fit.

    Raises
    ------
    InputError
        If a column is there already, or its name is empty.
    UnknownNameError
        If there is no such reference.
    """
    if not name.strip():
        raise InputError("--name: found an empty name for the column; expected a text.")
    taken = {*preferences.mechanisms, *preferences.metadata.columns}
    for column in (name, *score_columns(name)):
        if column in taken:
            raise InputError(f"Found a column {column!r} in the file already; expected --name NEW.")
    if reference is not None:
        preferences.verdict(reference)


def _values(scores: tuple[Score, ...]) -> Array:
    return np.array([score.value for score in scores], dtype=np.float64)


def _with(frame: pl.DataFrame, columns: list[pl.Series]) -> pl.DataFrame:
    return frame.with_columns(columns) if frame.width else pl.DataFrame(columns)
