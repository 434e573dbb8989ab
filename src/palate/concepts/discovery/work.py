"""`Work`: what the steps of a discovery have in common, and how each takes up the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from palate.concepts.concept import Concept
from palate.concepts.discovery.asking import PACKAGE
from palate.concepts.discovery.batches import DIFFERENCE, QUESTIONS, Batch, Tagged, make_batches
from palate.concepts.discovery.definitions import define
from palate.concepts.discovery.discovery import Discovery
from palate.concepts.discovery.labels import Labels
from palate.concepts.discovery.merging import Found, collect, merge, merged_names
from palate.concepts.discovery.notes import listed, what_was_left_out, what_went_wrong
from palate.concepts.discovery.proposals import propose
from palate.concepts.discovery.provenance import FOUND_IN
from palate.concepts.discovery.sample import discovery_rows, sorted_by_id
from palate.concepts.discovery.settings import LEAST_PAIRS, Settings
from palate.concepts.discovery.sharing import Merged, share
from palate.concepts.discovery.steps import Rows, Steps, digest
from palate.concepts.discovery.tagging import tag_queries
from palate.concepts.discovery.topics import Topics, find_topics
from palate.concepts.vocabulary import COMMONPLACE, general_concepts
from palate.data.preferences import Preferences
from palate.errors import DataError, UnknownNameError
from palate.llm.outcome import Asks
from palate.llm.prompt import load_prompt


class Work:
    """The steps of one discovery, and what they have in common.

    Parameters
    ----------
    preferences
        The pairs.
    client
        Who answers.
    settings
        The numbers.
    mechanisms
        Whose verdicts count; None for all.
    seed
        Seed of everything drawn.

    Raises
    ------
    DataError
        If there are too few pairs, or all verdicts are ties.
    UnknownNameError
        If there is no such mechanism.
    """

    def __init__(
        self,
        preferences: Preferences,
        client: Asks,
        settings: Settings,
        mechanisms: Sequence[str] | None,
        seed: int,
    ) -> None:
        if preferences.n_pairs < LEAST_PAIRS:
            raise DataError(
                f"Found {preferences.n_pairs} pairs; expected at least {LEAST_PAIRS} to discover "
                "concepts from (a fixed list, --vocabulary, needs none)."
            )
        self.client, self.settings, self.seed = client, settings, seed
        ordered = sorted_by_id(preferences)
        self.mechanisms = sorted(set(ordered.mechanisms if mechanisms is None else mechanisms))
        for name in self.mechanisms:
            if name not in ordered.mechanisms:
                raise UnknownNameError("mechanism", name, ordered.mechanisms)
        rows = discovery_rows(ordered, settings, seed=seed)
        if not rows:
            raise DataError(
                f"None of the {ordered.n_pairs} pairs can be set apart for discovery, in "
                f"{len(ordered.domains)} domains; expected domains of two pairs with different "
                "prompts at least (--domain-column names another column)."
            )
        self.pairs = ordered.select(rows)
        self.labels = Labels(self.pairs, self.mechanisms, seed=seed)
        self.ids = self.pairs.ids
        self.domain = dict(zip(self.ids, self.pairs.pairs["domain"].to_list(), strict=True))
        self.prompt = dict(zip(self.ids, self.pairs.pairs["prompt"].to_list(), strict=True))
        self.domains = sorted(set(preferences.domains))
        if self.mechanisms and not any(map(self.labels.decided, self.ids)):
            raise DataError(
                f"No discovery pair has a verdict of {', '.join(self.mechanisms)} that is no tie; "
                "expected some, or a discovery without labels (--no-labels)."
            )
        self.notes: list[str] = []

    def start(self) -> dict[str, Any]:
        """Return what the discovery starts from, JSON-ready."""
        verdicts = {name: self.pairs.verdict(name).tolist() for name in self.mechanisms}
        sent = getattr(getattr(self.client, "backend", None), "sent", {})
        return {
            "data": digest(
                {
                    "texts": [list(row) for row in self.pairs.pairs.iter_rows()],
                    "preferred": {m: [(v > 0) - (v < 0) for v in x] for m, x in verdicts.items()},
                }
            ),
            "pairs": len(self.ids),
            "mechanisms": self.mechanisms,
            "settings": self.settings.recorded(),
            "seed": self.seed,
            "model": dict(sent),
        }

    def run(self, steps: Steps, tell: Callable[[str], None]) -> Discovery:
        """Return the result of all steps.

        Parameters
        ----------
        steps
            Where each is kept.
        tell
            Called with a sentence when a step begins.
        """
        settings, queries = self.settings, self._queries()
        tell("Naming subdomains and tasks")
        topics = steps.run(
            "topics",
            _prompts("topics"),
            lambda: find_topics(queries, self.client, settings, seed=self.seed),
        )
        tell("Tagging queries")
        tags = steps.run("tags", _prompts("tagging"), lambda: self._tag(queries, topics))
        batches = steps.run("batches", {}, lambda: self._batches(tags))
        tell(f"Proposing concepts from {len(batches)} batches")
        proposals = steps.run(
            "proposals",
            _prompts(*(f"propose_{q}" for q in (*QUESTIONS, DIFFERENCE))),
            lambda: self._propose(batches),
        )
        names = collect(proposals, COMMONPLACE if settings.commonplace else ())
        tell(f"Merging {len(names)} names")
        merges = steps.run("merges", _prompts("same"), lambda: merge(names, self.client, settings))
        merged = [
            Merged.from_dict(row)
            for row in steps.run("merged", {}, lambda: _share(names, merges, proposals, settings))
        ]
        kept = [concept for concept in merged if concept.kept]
        tell(f"Defining {sum(not concept.fixed for concept in kept)} concepts")
        defined = steps.run("definitions", _prompts("define"), lambda: self._define(kept))
        by_name = {row["name"]: row for row in defined}
        kept = [c for c in kept if c.name in by_name]  # a row that was taken out by hand
        defined = [by_name[c.name] for c in kept]
        notes = [*self.notes, *what_went_wrong(topics, tags, batches, proposals, merges)]
        notes += what_was_left_out(merged, defined)
        return Discovery(
            concepts=tuple(
                Concept(
                    name=c.name,
                    definition=row["definition"],
                    domains=c.domains,
                    origin="discovered",
                    family="commonplace" if c.fixed else "",
                )
                for c, row in zip(kept, defined, strict=True)
            ),
            provenance=_provenance(kept, defined, batches),
            pairs=frozenset(self.ids),
            notes=tuple(notes),
            spent=getattr(self.client, "spent", None),
        )

    def _queries(self) -> dict[str, list[str]]:
        """Different queries of each domain, in the order of their pairs, without empty ones."""
        queries: dict[str, dict[str, None]] = {d: {} for d in sorted(set(self.domain.values()))}
        for name in self.ids:
            if self.prompt[name].strip():
                queries[self.domain[name]][self.prompt[name]] = None
        empty = [domain for domain, found in queries.items() if not found]
        if empty:
            self.notes.append(
                f"There are no prompts in {listed(empty)}: batches there are drawn without "
                "subdomains and tasks, and the requests are not shown."
            )
        without = [domain for domain in self.domains if domain not in queries]
        if without:
            self.notes.append(
                f"No pairs of {listed(without)} were set apart, because all of them share a "
                "prompt or are too few: nothing is discovered there."
            )
        return {domain: list(found) for domain, found in queries.items()}

    def _tag(self, queries: Mapping[str, Sequence[str]], topics: Rows) -> Rows:
        known = {
            row["domain"]: Topics(row["domain"], tuple(row["subdomains"]), tuple(row["tasks"]))
            for row in topics
        }
        tags, _ = tag_queries(queries, known, self.client)
        rows: Rows = []
        for name in self.ids:
            found = tags.get((self.domain[name], self.prompt[name]), ([], []))
            subdomains, tasks = found or ([], [])
            rows.append(
                {
                    "id": name,
                    "domain": self.domain[name],
                    "subdomains": subdomains,
                    "tasks": tasks,
                    "failed": found is None,
                }
            )
        return rows

    def _batches(self, tags: Rows) -> Rows:
        tagged = {
            row["id"]: Tagged(row["id"], tuple(row["subdomains"]), tuple(row["tasks"]))
            for row in tags
        }
        rows: Rows = []
        for domain in sorted(set(self.domain.values())):
            here = [tagged[name] for name in self.ids if self.domain[name] == domain]
            decided = [pair for pair in here if self.labels.decided(pair.id)]
            batches = make_batches(
                domain,
                decided or here,
                number=self.settings.n_batches(len(decided or here)),
                size=self.settings.pairs_per_batch,
                labelled=bool(decided),
                commonplace=self.settings.commonplace,
                seed=self.seed,
            )
            for batch in batches:
                whose = {name: self.labels.shown(batch.id, name)[1] for name in batch.pairs}
                rows.append({**batch.__dict__, "mechanism": whose})
        return rows

    def _propose(self, rows: Rows) -> Rows:
        batches = [_batch(row) for row in rows]
        shown = {
            (batch.id, name): self.labels.shown(batch.id, name)[0]
            for batch in batches
            for name in batch.pairs
        }
        return propose(batches, shown, self.client, self.settings)

    def _define(self, kept: Sequence[Merged]) -> Rows:
        ours = {concept.name: concept.definition for concept in general_concepts()}
        described = [(c.name, c.descriptions) for c in kept if not c.fixed]
        definitions, notes = define(described, self.client)
        return [
            {
                "name": c.name,
                "definition": ours[c.name] if c.fixed else definitions[c.name],
                "note": notes.get(c.name),
            }
            for c in kept
        ]


def _share(names: Sequence[Found], merges: Rows, proposals: Rows, settings: Settings) -> Rows:
    answered = {row["domain"] for row in proposals if row["failure"] is None}
    groups = merged_names(names, merges)
    return [c.to_dict() for c in share(groups, n_domains=len(answered), settings=settings)]


def _provenance(kept: Sequence[Merged], defined: Rows, batches: Rows) -> dict[str, dict[str, Any]]:
    pairs_of = {row["id"]: list(row["pairs"]) for row in batches}
    return {
        c.name: {
            FOUND_IN: c.found_in,
            "batches": c.n_batches,
            "merged": list(c.merged),
            "example": None
            if c.example is None
            else {"batch": c.example, "pairs": pairs_of.get(c.example, [])},
            "descriptions": list(c.descriptions),
            **({"note": row["note"]} if row["note"] else {}),
        }
        for c, row in zip(kept, defined, strict=True)
    }


def _batch(row: Mapping[str, Any]) -> Batch:
    subdomain, task = row["combination"]
    return Batch(
        id=row["id"],
        domain=row["domain"],
        combination=(subdomain, task),
        pairs=tuple(row["pairs"]),
        question=row["question"],
        keeps_away=row["keeps_away"],
    )


def _prompts(*names: str) -> dict[str, str]:
    """Hashes of prompt files: a step is made again when one of its prompts has changed."""
    return {name: load_prompt(PACKAGE, name).hash for name in names}
