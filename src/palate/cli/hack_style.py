"""How the judge of `palate hack` is asked: as `palate judge` recorded it, or as the options say.

What an option says goes before what is recorded; where the two differ, a sentence says that the
judge asked is not the one explained. The address of a server is never taken from a record: keys
would be sent to wherever a folder of somebody else says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from palate.cli.judge_folder import Earlier
    from palate.cli.llm_options import LlmOptions
    from palate.mechanisms.judge import Style
    from palate.mechanisms.judgement import Judgement
    from palate.mechanisms.style import JudgeStyle

SHORT = 60  # characters of a persona or of criteria in a sentence


@dataclass(frozen=True)
class Asking:
    """How the judge is asked.

    Parameters
    ----------
    style
        Of all prompts, or by domain.
    llm
        The model; None if nothing names one.
    known
        What is known of how the verdicts came about, in one sentence.
    doubts
        Why another judge may be asked than the one that is explained.
    """

    style: Style
    llm: str | None
    known: str
    doubts: tuple[str, ...] = ()


def asking(
    file: str,
    mechanism: str | None,
    options: LlmOptions,
    *,
    mode: str | None,
    persona: str | None,
    rubric: str | None,
) -> Asking:
    """Return how the judge is asked.

    Parameters
    ----------
    file
        The preferences.
    mechanism
        The column that is explained; None for the only one.
    options
        What the options say about the model.
    mode
        The mode that is asked for; None for the recorded one.
    persona
        The persona that is asked for; None for the recorded one.
    rubric
        The text that is asked for; None for the recorded one.

    Raises
    ------
    FileFormatError
        If a record of `palate judge` lies beside the file and is damaged.
    InputError
        If the recorded model was asked at an address that no option names.
    UnknownNameError
        If there is no such persona as an option names.
    """
    from palate.cli.judge_folder import earlier_of, judged_folder
    from palate.mechanisms.style import JudgeStyle

    earlier = earlier_of(judged_folder(file))
    record = _record(earlier.judgements, mechanism)
    given: dict[str, Any] = {
        name: value
        for name, value in (("mode", mode), ("persona", persona), ("rubric", rubric))
        if value is not None
    }
    if record is None:
        return Asking(JudgeStyle(**given), options.llm, _unknown(mechanism, earlier))
    recorded = _recorded(record)
    llm = options.llm if options.llm is not None else _model(record, options)
    other = _contradictions(record, recorded, given, options)
    k_shot = record.style.get("mode") == "k-shot"
    but = [name for name, _ in other] + ["its examples"] * k_shot
    known = (
        f"{record.name} was asked by palate judge ({', '.join(_words(record, recorded))}), and is "
        f"asked so again{f', but for {_listed(but)}' if but else ''}."
    )
    doubts = []
    if other:
        doubts.append(
            f"Another judge is asked than the one that is explained: "
            f"{'; '.join(sentence for _, sentence in other)}. Its win rates do not test the "
            f"explanation of {record.name}."
        )
    if k_shot:
        doubts.append(
            f"{record.name} was shown examples with their right answers before each pair, which "
            "palate hack does not show: the judge that is asked is not quite the one explained."
        )
    changed: Style = (
        replace(recorded, **given)
        if isinstance(recorded, JudgeStyle)
        else {domain: replace(style, **given) for domain, style in recorded.items()}
    )
    return Asking(changed, llm, known, tuple(doubts))


def _record(judgements: Sequence[Judgement], mechanism: str | None) -> Judgement | None:
    if mechanism is None:
        return judgements[0] if len(judgements) == 1 else None
    return next((one for one in judgements if one.name == mechanism), None)


def _unknown(mechanism: str | None, earlier: Earlier) -> str:
    name = "the only mechanism" if mechanism is None else mechanism
    made: Any = (earlier.ensembles or {}).get(mechanism or "")
    if isinstance(made, Mapping):
        parts = ", ".join(str(part) for part in made.get("of", ()))
        why = f"{name} combines several columns ({parts}), and one judge is asked in their place"
    else:
        why = f"Nothing is recorded of how the judge was asked for the verdicts of {name}"
    return (
        f"{why}: the judge that is asked here is the one explained only as far as --llm, --mode, "
        "--persona and --rubric make it so."
    )


def _recorded(record: Judgement) -> Style:
    by_domain = record.style.get("by_domain")
    if not isinstance(by_domain, Mapping) or not by_domain:
        return _style(record.style)
    return {str(domain): _style(told) for domain, told in by_domain.items()}


def _style(told: Mapping[str, Any]) -> JudgeStyle:
    from palate.errors import FileFormatError
    from palate.mechanisms.criteria import Criterion
    from palate.mechanisms.judgement_files import FACTS_FILE
    from palate.mechanisms.style import JudgeStyle

    parts = {name: value for name, value in told.items() if name != "examples_of"}
    try:
        parts["criteria"] = tuple(Criterion(**one) for one in parts.get("criteria", ()))
        parts["mode"] = "zero-shot" if parts.get("mode") == "k-shot" else parts["mode"]
        return JudgeStyle(**parts)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(
            f"{FACTS_FILE}: the style of a judge cannot be read ({type(error).__name__}: {error})."
        ) from error


def _model(record: Judgement, options: LlmOptions) -> str | None:
    from palate.errors import InputError

    address = record.provenance.get("base_url")
    if address and options.base_url is None:
        raise InputError(
            f"--base-url: found none, and {record.name!r} was asked at {address}; expected that "
            "address or --llm, because addresses are not taken from a file."
        )
    model = record.provenance.get("model")
    return None if model is None else str(model)


def _contradictions(
    record: Judgement, recorded: Style, given: Mapping[str, Any], options: LlmOptions
) -> list[tuple[str, str]]:
    """Each option that says something else than the record, with the words for it."""
    found = []
    model = record.provenance.get("model")
    if options.llm is not None and model is not None and options.llm != model:
        found.append(("--llm", f"--llm is {options.llm}, it was {model}"))
    first = _styles(recorded)[0]
    for name, value in given.items():
        was = getattr(first, name)
        if value == was:
            continue
        if name == "rubric":
            what = "--rubric is another text" if was else "--rubric is given, there was none"
        else:
            what = f"--{name} is {_short(value)}, it was {_short(was or 'none')}"
        found.append((f"--{name}", what))
    for name, now in (("temperature", options.temperature), ("thinking", options.thinking)):
        was = record.provenance.get(name)
        if was is not None and was != now:
            found.append((f"--{name}", f"--{name} is {now}, it was {was}"))
    return found


def _words(record: Judgement, recorded: Style) -> list[str]:
    first = _styles(recorded)[0]
    return [
        f"model {record.provenance.get('model') or 'unknown'}",
        f"mode {record.style['mode']}",
        *([f"persona {_short(first.persona)}"] if first.persona else []),
        *(["a rubric"] if first.rubric else []),
        *(["criteria"] if any(one.criteria for one in _styles(recorded)) else []),
    ]


def _styles(style: Style) -> list[JudgeStyle]:
    from palate.mechanisms.style import JudgeStyle

    return [style] if isinstance(style, JudgeStyle) else list(style.values())


def _short(text: str) -> str:
    from palate.llm.prompt import one_line

    line = one_line(text)
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}…"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
