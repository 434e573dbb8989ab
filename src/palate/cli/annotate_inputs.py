"""What `palate annotate` is to ask about, and who decides what is worth asking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from palate.concepts.annotation.policy import Policy
    from palate.concepts.concept import Concept
    from palate.data.preferences import Preferences


def concepts_of(source: str) -> tuple[Concept, ...]:
    """Return the concepts that `--concepts` names.

    Parameters
    ----------
    source
        "demo", "general", a file of definitions or the folder of a discovery.

    Raises
    ------
    FileFormatError
        If the file is missing or holds no definitions.
    """
    from palate.concepts.discovery.provenance import concepts_file
    from palate.concepts.imported_files import read_definitions

    if not Path(source).exists():
        if source == "demo":
            from palate.data.demo import demo_paths

            return read_definitions(demo_paths().concepts)
        if source == "general":
            from palate.concepts.vocabulary import general_concepts

            return general_concepts()
    return read_definitions(concepts_file(source))


def policy_of(
    name: str, preferences: Preferences, mechanisms: list[str] | None, *, seed: int
) -> tuple[Policy | None, tuple[float, ...] | None]:
    """Return the policy that `--policy` names, and its rounds.

    Parameters
    ----------
    name
        "economical" or "all".
    preferences
        The pairs with their verdicts.
    mechanisms
        Mechanisms that it looks at; None for all.
    seed
        Its seed.

    Raises
    ------
    UnknownNameError
        If there is no such mechanism.
    InputError
        If mechanisms are named and nothing looks at them.
    """
    from palate.errors import InputError

    if name == "all" or not preferences.mechanisms:
        if mechanisms:
            raise InputError(
                "--mechanism: found it without a policy that looks at verdicts; expected --policy "
                "economical, and a file with verdicts."
            )
        return None, None
    from palate.explanations.annotation_policies import economical, growing_rounds

    return (
        economical(preferences, mechanisms=mechanisms or None, seed=seed),
        growing_rounds(preferences.n_pairs),
    )
