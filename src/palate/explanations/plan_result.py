"""`Plan`: how many pairs a study needs, by concept and target; data, sentences and files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import polars as pl

from palate.data.atomic import write_text
from palate.data.documents import write_csv

SCHEMA = "palate.plan/1"
SHARED, DOMAIN, DIFFERENCE = "shared", "one domain", "difference"
TARGETS = {
    SHARED: "in all domains",
    DOMAIN: "in one domain",
    DIFFERENCE: "as a difference of one domain from the others",
}
COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("concept", "target", "domain"), pl.String),
    **dict.fromkeys(("pairs", "pairs_alone"), pl.Int64),
    **dict.fromkeys(("power_now", "smallest_lift_now"), pl.Float64),
}
LIMIT = "more than 10,000,000"


@dataclass(frozen=True, eq=False)
class Plan:
    """What `palate.plan` found.

    `table` has one row per concept and target: an effect that is the same in all domains
    ("shared"), one of a single domain ("one domain"), and a difference of a domain from the others
    of a concept whose shared effect is supported ("difference"). `pairs` are pairs with a verdict
    that is no tie, in every domain, at the pairs per prompt of the pilot; `pairs_alone` as many as
    it takes where no other concept is supported, which asks for a smaller p-value. Both are null
    above 10,000,000. `power_now` is the probability of finding such an effect in data like the
    pilot, `smallest_lift_now` the lift (per cent per step) that they would show with the wanted
    power, null if none. All four are null where the pilot does not show enough of a concept.

    Parameters
    ----------
    mechanism
        Whose verdicts.
    table
        The plan.
    domains
        Domains of the pilot.
    counts
        What the pilot holds, in numbers; `expected_chosen` is how many concepts it would support.
    prompts
        `pairs_per_prompt` of the pilot; `worth`, what one of its pairs counts beside one on a
        prompt of its own; `single`, the pairs per domain for the median concept if each stood on
        its own prompt, null if they do.
    notes
        Sentences that a reader has to know.
    settings
        Resolved arguments.
    """

    mechanism: str
    table: pl.DataFrame
    domains: tuple[str, ...]
    counts: Mapping[str, float]
    prompts: Mapping[str, float | None]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

    def to_frame(self) -> pl.DataFrame:
        """Return the table."""
        return self.table

    def known(self, target: str) -> pl.DataFrame:
        """Return the rows of a target that could be planned for, the fewest pairs first.

        Parameters
        ----------
        target
            "shared", "one domain" or "difference".
        """
        rows = self.table.filter((pl.col("target") == target) & pl.col("power_now").is_not_null())
        return rows.sort("pairs", nulls_last=True, maintain_order=True)

    def median(self, target: str, column: str = "pairs") -> float | None:
        """Return the lower median over concepts, and domains where it is about one; None: no limit.

        Parameters
        ----------
        target
            "shared", "one domain" or "difference".
        column
            Column of the table.
        """
        rows = self.known(target)[column].sort(nulls_last=True)
        return rows[(rows.len() - 1) // 2] if rows.len() else None

    @property
    def headline(self) -> str:
        """The plan in one sentence."""
        s, several = self.settings, len(self.domains) > 1
        target = DOMAIN if several else SHARED
        where = " in one domain" if several else ""
        per = " per domain" if several else ""
        fewest, most = int(self.counts["fewest_pairs"]), int(self.counts["most_pairs"])
        have = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
        goal = f"To find a lift of {s['lift']:g} %{where} with probability {s['power']:g}"
        if not self.known(target).height:
            return f"{goal} nothing can be planned: the pilot shows too little of every concept."
        needed = self.median(target)
        if needed is None:
            return (
                f"{goal} you would need {LIMIT} pairs{per} for the median concept (you have "
                f"{have}): it cannot be found in practice."
            )
        return (
            f"{goal} you need about {rounded(needed)} pairs{per} for the median concept "
            f"(you have {have})."
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The headline and what else the plan says, in plain sentences."""
        out = [self.headline]
        per = " per domain" if len(self.domains) > 1 else ""
        for target, words in TARGETS.items():
            rows = self.known(target)
            if not rows.height:
                continue
            alone = self.median(target, "pairs_alone")
            smallest = self.median(target, "smallest_lift_now")
            now = self.median(target, "power_now")
            least = (
                f"No lift below 100 % is found with probability {self.settings['power']:g}."
                if smallest is None
                else f"The smallest lift found with {self.settings['power']:g} is {smallest:.0f} %."
            )
            out.append(
                f"A lift of {self.settings['lift']:g} % {words}: "
                f"{rounded(self.median(target))} pairs{per} for the median concept, "
                f"{rounded(alone)} if no other concept is supported. The present data find it "
                f"with probability {now:.2f}. {least}"
            )
        return (*out, self.about_prompts)

    @property
    def about_prompts(self) -> str:
        """Whether more prompts or more pairs per prompt help."""
        each, worth = self.prompts["pairs_per_prompt"] or 1.0, self.prompts["worth"] or 1.0
        if each < 1.005:
            return "The pilot has one pair per prompt, and so has the plan."
        if worth > 0.98:
            return (
                f"The pilot has {each:.1f} pairs per prompt, and so has the plan; verdicts of one "
                "prompt do not repeat each other, so more pairs per prompt help as much as more "
                "prompts, at least up to this number."
            )
        single = self.prompts["single"]
        fewer = f": {rounded(single)} pairs per domain would do" if single is not None else ""
        return (
            f"The pilot has {each:.1f} pairs per prompt, and so has the plan. Verdicts of one "
            f"prompt repeat each other, so that a pair counts {worth:.2f} of one on a prompt of "
            f"its own. New prompts help more than more pairs per prompt{fewer}."
        )

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        s = self.settings
        needed = [f"{t} {rounded(self.median(t))}" for t in TARGETS if self.known(t).height]
        return (
            f"Plan({self.mechanism!r}, lift {s['lift']:g} %, power {s['power']:g}: "
            f"{', '.join(needed) or 'nothing'} pairs per domain)"
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything as one JSON file, or the table alone if the name ends in `.csv`.

        Parameters
        ----------
        path
            The file; it is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        if str(path).lower().endswith(".csv"):
            write_csv(path, self.table)
            return
        document = {
            "schema": SCHEMA,
            "mechanism": self.mechanism,
            "headline": self.headline,
            "settings": dict(self.settings),
            "counts": dict(self.counts),
            "domains": list(self.domains),
            "prompts": dict(self.prompts),
            "notes": list(self.notes),
            "table": self.table.to_dict(as_series=False),
        }
        write_text(path, json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")


def rounded(pairs: float | None) -> str:
    """Return a number of pairs to two digits, with thousands, or that it is above the limit.

    Parameters
    ----------
    pairs
        The number; None if it is above the limit.
    """
    if pairs is None:
        return LIMIT
    unit = 10 ** max(len(str(int(pairs))) - 2, 0)
    return f"{-(-int(pairs) // unit) * unit:,}"
