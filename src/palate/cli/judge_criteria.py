"""What `--criteria` names, as criteria of each domain."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from palate.errors import DataError, InputError, UnknownNameError

if TYPE_CHECKING:
    from palate.mechanisms.criteria import Criterion

EXPLANATION = "explanation.json"


@dataclass(frozen=True)
class Guidance:
    """Criteria, and what a reader must know of them.

    Parameters
    ----------
    by_domain
        The criteria of each domain; none where nothing applies.
    note
        A sentence, empty where there is nothing to say.
    """

    by_domain: dict[str, tuple[Criterion, ...]]
    note: str = ""


def guidance_of(
    source: str,
    domains: Sequence[str],
    *,
    ids: Collection[str] = (),
    mechanism: str | None = None,
    at_most: int | None = None,
) -> Guidance:
    """Return the criteria that a file, a folder or a name stands for.

    Parameters
    ----------
    source
        Definitions of concepts, the folder of a discovery, "general" or "demo"; or the folder of
        an explanation, whose supported concepts count with their signs.
    domains
        The domains that are judged.
    ids
        Ids of the pairs that are judged.
    mechanism
        Whose explanation, where the folder holds several.
    at_most
        Most criteria of a domain, the strongest of an explanation.

    Raises
    ------
    FileFormatError
        If the file is missing or holds neither.
    InputError
        If options of an explanation are given without one.
    DataError
        If no concept applies to any of the domains.
    """
    path = Path(source)
    folder = path.parent if path.name == EXPLANATION else path
    if (folder / EXPLANATION).is_file():
        return _of_explanation(folder, domains, mechanism=mechanism, at_most=at_most)
    if mechanism is not None or at_most is not None:
        option = "--criteria-mechanism" if mechanism is not None else "--criteria-most"
        raise InputError(
            f"{option}: found no explanation in {source!r}; expected --criteria to be the folder "
            "of palate explain, whose mechanisms and effects it chooses from."
        )
    from palate.actions.guidance import criterion_of
    from palate.cli.annotate_inputs import concepts_of

    concepts = concepts_of(source)
    by_domain = {
        domain: tuple(
            criterion_of(concept)
            for concept in concepts
            if concept.domains is None or domain in concept.domains
        )
        for domain in domains
    }
    return _checked(Guidance(by_domain, _discovered_on(path, ids)), source, "concepts")


def _discovered_on(path: Path, ids: Collection[str]) -> str:
    """A sentence about pairs that the concepts were read off, empty where there are none."""
    from palate.concepts.discovery.provenance import discovery_pairs

    n = len(discovery_pairs(path).intersection(ids)) if path.exists() else 0
    if not n:
        return ""
    return (
        f"The criteria were discovered on {n:,} of the pairs; agreement with the mechanism whose "
        "preferences were looked at is too good there."
    )


def _of_explanation(
    folder: Path, domains: Sequence[str], *, mechanism: str | None, at_most: int | None
) -> Guidance:
    from palate.actions.choose import supported_effects
    from palate.explanations.files import load_explanations

    found = {explanation.mechanism: explanation for explanation in load_explanations(folder)}
    if mechanism is None and len(found) > 1:
        raise InputError(
            f"--criteria {folder}: found explanations of {len(found)} mechanisms; expected "
            f"--criteria-mechanism to name one of {', '.join(map(repr, found))}."
        )
    if mechanism is not None and mechanism not in found:
        raise UnknownNameError("mechanism of --criteria", mechanism, found)
    explanation = next(iter(found.values())) if mechanism is None else found[mechanism]
    by_domain = {
        domain: tuple(e.criterion for e in supported_effects(explanation, domain)[:at_most])
        for domain in domains
    }
    note = (
        f"The criteria are what was found that {explanation.mechanism} rewards; agreement with "
        f"{explanation.mechanism} on pairs that the explanation was fitted on is too good."
    )
    return _checked(Guidance(by_domain, note), str(folder), "supported concepts")


def _checked(found: Guidance, source: str, what: str) -> Guidance:
    without = [domain for domain, criteria in found.by_domain.items() if not criteria]
    if len(without) == len(found.by_domain):
        raise DataError(
            f"--criteria {source}: found no {what} for the domains {without[:5]}; expected some."
        )
    if not without:
        return found
    more = f", and {len(without) - 5:,} more" if len(without) > 5 else ""
    lacking = (
        f"No {what} for {', '.join(without[:5])}{more}: pairs there are judged without criteria."
    )
    return Guidance(found.by_domain, f"{found.note} {lacking}".strip())
