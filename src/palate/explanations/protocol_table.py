"""An evaluation as sentences and tables of text, for the terminal, Markdown and HTML alike.

A difference counts as beyond noise if its interval excludes 0. With many mechanisms some intervals
do so by chance; how many are expected is said beside how many were found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from palate.explanations.evaluation import IN_DOMAIN, NEW_DOMAIN, OURS
from palate.explanations.protocol_result import Evaluation
from palate.explanations.protocol_scores import MEAN_MECHANISM

SETTINGS = (IN_DOMAIN, NEW_DOMAIN)
NONE = "–"
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
LEGEND = (
    "+ above HMDR, - below HMDR, each beyond noise: the interval of the paired difference excludes "
    "0. No sign: no difference beyond noise."
)


@dataclass(frozen=True)
class Table:
    """A table of text: a caption, the head, and rows whose first cell names the row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def beyond(row: dict[str, Any] | None, gain: str = "gain") -> int:
    """Return 1 if HMDR is ahead beyond noise, -1 if it is behind, 0 if neither.

    Parameters
    ----------
    row
        A row of `Evaluation.scores`, or None.
    gain
        "gain" or "log_loss_gain".
    """
    if row is None or row[f"{gain}_low"] is None:
        return 0
    return int(row[f"{gain}_low"] > 0) - int(row[f"{gain}_high"] < 0)


def model_table(evaluation: Evaluation) -> Table:
    """Return one row per model: accuracy, log-loss, and by how much HMDR is better.

    Parameters
    ----------
    evaluation
        What was found.
    """
    rows = []
    for model in evaluation.models:
        cells = [model]
        for setting in SETTINGS:
            row = evaluation.score(setting, model)
            cells += [
                _interval(row, "accuracy", 100, 1),
                _interval(row, "gain", 100, 1, signed=True),
                _interval(row, "log_loss", 1, 3, ends=False),
                _interval(row, "log_loss_gain", 1, 3, signed=True),
            ]
        rows.append(tuple(cells))
    each = ("accuracy, %", "HMDR ahead by", "log-loss", "HMDR ahead by")
    head = ("model", *(f"{s}: {name}" for s in SETTINGS for name in each))
    return Table(f"All models, {_over(evaluation)}", head, tuple(rows))


def short_table(evaluation: Evaluation) -> Table:
    """Return one row per model with accuracies only, narrow enough for a terminal.

    Parameters
    ----------
    evaluation
        What was found.
    """
    full = model_table(evaluation)
    keep = (0, 1, 2, 5, 6)
    head = ("model", "in domain, %", "HMDR ahead by", "new domain, %", "HMDR ahead by")
    return Table(full.caption, head, tuple(tuple(r[k] for k in keep) for r in full.rows))


def mechanism_table(evaluation: Evaluation, setting: str) -> Table:
    """Return one row per mechanism and one column per model: accuracy in per cent.

    Parameters
    ----------
    evaluation
        What was found.
    setting
        "in domain" or "new domain".
    """
    models = [m for m in evaluation.models if evaluation.score(setting, m) is not None]
    last = [MEAN_MECHANISM] if len(evaluation.mechanisms) > 1 else []
    rows = []
    for mechanism in [*evaluation.mechanisms, *last]:
        found = [evaluation.score(setting, m, mechanism=mechanism) for m in models]
        n = next((str(r["n_pairs"]) for r in found if r is not None), NONE)
        rows.append((mechanism, n, *(_marked(r) for r in found)))
    caption = f"Accuracy {setting}, %, mean of domains"
    return Table(caption, ("mechanism", "verdicts", *models), tuple(rows))


def domain_table(evaluation: Evaluation, mechanism: str, setting: str) -> Table:
    """Return one row per domain of a mechanism and one column per model.

    Parameters
    ----------
    evaluation
        What was found.
    mechanism
        Which mechanism.
    setting
        "in domain" or "new domain".
    """
    of = evaluation.scores.filter(mechanism=mechanism, setting=setting)
    models = of["model"].unique(maintain_order=True).to_list()
    by_key = {(r["domain"], r["model"]): r for r in of.iter_rows(named=True)}
    rows = [
        (d, str(by_key[d, OURS]["n_pairs"]), *(_marked(by_key[d, m]) for m in models))
        for d in of["domain"].unique(maintain_order=True).to_list()
    ]
    head = ("domain", "verdicts", *models)
    return Table(f"{mechanism}, {setting}: accuracy, %", head, tuple(rows))


def sentences(evaluation: Evaluation) -> list[str]:
    """Return what was found in plain sentences: where HMDR is better beyond noise and where not.

    Parameters
    ----------
    evaluation
        What was found.
    """
    level = f"{100 * evaluation.settings['level']:g} % interval"
    out = []
    for setting in SETTINGS:
        ours = evaluation.score(setting, OURS)
        if ours is None:
            continue
        out.append(
            f"{setting.capitalize()}, {_over(evaluation)}: HMDR predicts "
            f"{_value(ours, 'accuracy', 100, 1)} % of verdicts "
            f"({level} {_ends(ours, 'accuracy', 100, 1)})."
        )
        rows = [
            row
            for m in evaluation.models
            if m != OURS and (row := evaluation.score(setting, m)) is not None
        ]
        for sign, words in (
            (1, "HMDR is ahead, in points of accuracy, of"),
            (-1, "HMDR is behind"),
            (0, "No difference beyond noise from"),
        ):
            told = [
                f"{r['model']} ({_value(r, 'gain', 100, 1, signed=True)}, "
                f"{_ends(r, 'gain', 100, 1, signed=True)})"
                for r in rows
                if beyond(r) == sign
            ]
            if told:
                out.append(f"{words} {_listed(told)}.")
        out += _counted(evaluation, setting, [r["model"] for r in rows])
    return out


def markdown(evaluation: Evaluation) -> str:
    """Return everything as Markdown.

    Parameters
    ----------
    evaluation
        What was found.
    """
    lines = ["# Evaluation", "", *(x for s in sentences(evaluation) for x in (s, ""))]
    for table in tables(evaluation):
        lines += [f"## {table.caption}", "", *markdown_table(table), ""]
    lines += [LEGEND, "", f"{about(evaluation)}", ""]
    lines += [f"- {note}" for note in evaluation.notes]
    lines += [f"- Skipped: {reason}" for reason in evaluation.skipped.values()]
    return "\n".join(plain(line) for line in lines).rstrip() + "\n"


def plain(line: str) -> str:
    """Return a line of Markdown in which names of strangers are nothing but text.

    Parameters
    ----------
    line
        One line; control and direction marks become U+FFFD, tags and links lose their effect.
    """
    safe = _CONTROLS.sub("\ufffd", line).replace("&", "&amp;").replace("<", "&lt;")
    return safe.replace("](", "]\\(").replace("`", "\\`")


def tables(evaluation: Evaluation) -> list[Table]:
    """Return all tables, the summary first; those by domain only for a single mechanism.

    Parameters
    ----------
    evaluation
        What was found.
    """
    out = [model_table(evaluation)]
    there = [s for s in SETTINGS if evaluation.score(s, OURS) is not None]
    if len(evaluation.mechanisms) > 1:
        return out + [mechanism_table(evaluation, s) for s in there]
    return out + [domain_table(evaluation, evaluation.mechanisms[0], s) for s in there]


def markdown_table(table: Table) -> list[str]:
    """Return the lines of a table in Markdown, without its caption.

    Parameters
    ----------
    table
        The table.
    """

    def line(cells: Sequence[str]) -> str:
        shown = (" ".join(c.replace("|", "\\|").split()) for c in cells)
        return "| " + " | ".join(shown) + " |"

    return [line(table.head), "|" + "---|" * len(table.head), *(line(r) for r in table.rows)]


def about(evaluation: Evaluation) -> str:
    """Return one paragraph on how the figures were made.

    Parameters
    ----------
    evaluation
        What was found.
    """
    s = evaluation.settings
    return (
        f"In domain: {s['n_splits']} random splits by groups of pairs that share a prompt or "
        f"responses, balanced by domain, {100 * s['test_share']:.3g} % of the pairs in each test. "
        "New domain: each domain is predicted by models fitted without it, by their shared part. "
        f"Hyperparameters are chosen inside the training part, by grouped {s['n_folds']}-fold "
        "cross-validation in domain and by leaving further domains out for a new one, among "
        f"{s['configs']} configurations (for models with one penalty: its values in these). "
        "Accuracy: an undecided prediction counts one half; mean of domains. A pair counts with "
        f"its mean over the splits that tested it; {100 * s['level']:g} % intervals are from 1,000 "
        f"draws of groups within domains, widened by sqrt(2) for what other training pairs would "
        f"change; those of differences are from the same draws. Seed {s['seed']}."
    )


def _counted(evaluation: Evaluation, setting: str, models: Sequence[str]) -> list[str]:
    """Return for how many mechanisms HMDR is ahead or behind; nothing if there is one only."""
    n = len(evaluation.mechanisms)
    if n < 2:
        return []
    told = []
    for model in models:
        rows = [evaluation.score(setting, model, mechanism=m) for m in evaluation.mechanisms]
        signs = [beyond(r) for r in rows]
        told.append(f"{model} {signs.count(1)} and {signs.count(-1)}")
    chance = n * (1 - evaluation.settings["level"]) / 2
    return [
        f"Mechanisms, of {n}, for which HMDR is ahead and behind beyond noise (about {chance:.1f} "
        f"each would be by chance): {'; '.join(told)}."
    ]


def _over(evaluation: Evaluation) -> str:
    n = len(evaluation.mechanisms)
    return f"mean of {n} mechanisms" if n > 1 else f"mechanism {evaluation.mechanisms[0]}"


def _marked(row: dict[str, Any] | None) -> str:
    if row is None:
        return NONE
    return f"{100 * row['accuracy']:.1f}" + {1: "-", 0: "", -1: "+"}[beyond(row)]


def _value(
    row: dict[str, Any], name: str, times: float, digits: int, *, signed: bool = False
) -> str:
    value = round(times * row[name], digits) + 0.0  # no negative zero
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"


def _ends(
    row: dict[str, Any], name: str, times: float, digits: int, *, signed: bool = False
) -> str:
    if row[f"{name}_low"] is None:
        return "no interval"
    return " to ".join(
        _value(row, f"{name}_{end}", times, digits, signed=signed) for end in ("low", "high")
    )


def _interval(
    row: dict[str, Any] | None,
    name: str,
    times: float,
    digits: int,
    *,
    signed: bool = False,
    ends: bool = True,
) -> str:
    if row is None or row[name] is None:
        return NONE if row is None or row["model"] != OURS else ""
    value = _value(row, name, times, digits, signed=signed)
    if not ends:
        return value
    return f"{value} [{_ends(row, name, times, digits, signed=signed).replace(' to ', ', ')}]"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
