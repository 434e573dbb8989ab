"""`Evaluation`: held-out scores of all models, with intervals and paired differences; data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import polars as pl

from palate.data.documents import as_written, read_document, write_csv, write_document
from palate.explanations.protocol_scores import MEAN_MECHANISM

SCHEMA = "palate.evaluation/1"
_INTERVAL = ("", "_low", "_high")
SCORES: dict[str, Any] = {
    **dict.fromkeys(("mechanism", "setting", "model", "domain"), pl.String),
    "n_pairs": pl.Int64,
    **{
        f"{name}{end}": pl.Float64
        for name in ("accuracy", "gain", "log_loss", "log_loss_gain")
        for end in _INTERVAL
    },
}
CHOICES: dict[str, Any] = {
    **dict.fromkeys(("mechanism", "setting", "model"), pl.String),
    "split": pl.Int64,
    "left_out": pl.String,
    **dict.fromkeys(("alpha", "lambda_shared", "lambda_domain"), pl.Float64),
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What `palate.evaluate` found.

    `accuracy` is a share of verdicts (1/2 for an undecided prediction), `log_loss` in nats; `gain`
    and `log_loss_gain` say by how much HMDR is better than the model of the row, null for HMDR
    itself. `_low` and `_high` are the ends of intervals at `settings["level"]`, those of gains from
    paired draws. `domain` is a domain, "(mean)" of domains or "(all pairs)"; `mechanism` may be
    "(mean of mechanisms)".

    Parameters
    ----------
    scores
        One row per mechanism, setting ("in domain", "new domain"), model and domain.
    choices
        The hyperparameters that were chosen in every split and for every left-out domain; a
        penalty is null where the model has no such part.
    counts
        Per mechanism, what was used: pairs, judged, ties, used, prompts, domains, concepts.
    skipped
        Mechanisms that could not be evaluated, with one sentence each.
    notes
        Sentences that a reader has to know.
    settings
        Resolved arguments.
    """

    scores: pl.DataFrame
    choices: pl.DataFrame
    counts: Mapping[str, Mapping[str, int]]
    skipped: Mapping[str, str]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The mechanisms that were evaluated."""
        return tuple(self.counts)

    @property
    def models(self) -> tuple[str, ...]:
        """The models, HMDR first."""
        return tuple(self.settings["models"])

    @property
    def overall(self) -> str:
        """The mechanism whose rows sum everything up: the mean, or the only one there is."""
        return MEAN_MECHANISM if len(self.counts) > 1 else next(iter(self.counts))

    def score(
        self, setting: str, model: str, *, mechanism: str | None = None, domain: str = "(mean)"
    ) -> dict[str, Any] | None:
        """Return one row of the scores, None if there is none.

        Parameters
        ----------
        setting
            "in domain" or "new domain".
        model
            Name of a model.
        mechanism
            Name of a mechanism; None for the mean of all.
        domain
            A domain, "(mean)" or "(all pairs)".
        """
        found = self.scores.filter(
            mechanism=mechanism or self.overall, setting=setting, model=model, domain=domain
        )
        return found.row(0, named=True) if found.height else None

    def to_frame(self) -> pl.DataFrame:
        """Return the scores."""
        return self.scores

    def to_markdown(self) -> str:
        """Return the tables as Markdown."""
        from palate.explanations.protocol_table import markdown

        return markdown(self)

    def __str__(self) -> str:
        from palate.explanations.protocol_table import sentences

        return "\n".join(sentences(self))

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"Evaluation({len(self.counts)} mechanism{'s' * (len(self.counts) != 1)}, "
            f"{len(self.models)} models, {s['n_splits']} splits)"
        )

    def write_csv(self, path: str | PathLike[str]) -> None:
        """Write the scores as a table.

        Parameters
        ----------
        path
            The file; it is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        write_csv(path, self.scores)

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything as one JSON file, from which `load` gives the same again.

        Parameters
        ----------
        path
            The file; it is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        content = {
            "settings": dict(self.settings),
            "counts": {k: dict(v) for k, v in self.counts.items()},
            "skipped": dict(self.skipped),
            "notes": list(self.notes),
            "scores": self.scores.to_dict(as_series=False),
            "choices": self.choices.to_dict(as_series=False),
        }
        write_document(path, SCHEMA, content)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Evaluation:
        """Read what `save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        FileFormatError
            If it cannot be read, or is no evaluation.
        """
        document = read_document(path, SCHEMA, what="an evaluation")
        with as_written(path, "Evaluation.save"):
            return cls(
                scores=pl.DataFrame(document["scores"], schema=SCORES),
                choices=pl.DataFrame(document["choices"], schema=CHOICES),
                counts=document["counts"],
                skipped=document["skipped"],
                notes=tuple(document["notes"]),
                settings=document["settings"],
            )
