"""LMArena votes: `model_a, model_b, winner, conversation_a, conversation_b`.

`winner` is `model_a`, `model_b`, `tie`, `both_bad` or `tie (bothbad)`; the last two are ties, and
the metadata column `winner` keeps the word. A file without that column has no verdicts (yet: a
judge may give them). The mechanism is "human", or the kind of `judge` where
the file has that column ("arena_user_973" is human, "expert_2" is expert, "gpt4_pair" itself).

A conversation is a list of messages or one text. The prompt is what both conversations begin with
alike, message by message (texts: word by word); everything from the first difference on is the
response, later user turns included, because the vote was on all of it. Where `turn` says that an
earlier turn was judged, later ones are left out. Domains: "all", or by `domain_column`
`language`, `is_code`, `category_tag` (the names of its true categories) or any other column.
Votes of one session are a cluster: see `provenance["cluster_column"]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from palate.data.formats.base import Format, Head, Raw, ReadOptions, Where, WriteReport
from palate.data.formats.common_prefix import common_messages, common_text
from palate.data.formats.one_mechanism import one_mechanism
from palate.data.formats.rows import leftover, read_rows, write_rows
from palate.data.formats.source import Source
from palate.data.messages import check_messages, pair_texts
from palate.data.preferences import Preferences

SESSION = "evaluation_session_id"
_VERDICTS = {"model_a": 1.0, "model_b": -1.0, "tie": 0.0, "both_bad": 0.0, "tie (bothbad)": 0.0}
_BOTH_BAD = ("both_bad", "tie (bothbad)")
_NUMBERED = re.compile(r"(arena_user|expert|author)_\w+")
_CATEGORY = re.compile(r"(.+)_v[\d.]+")
_USED = (
    *("id", "domain", "winner", "judge_kind", "conversation_a", "conversation_b"),
    *("full_conversation", "prompt", "response_a", "response_b"),
)


def to_row(raw: Raw, where: Where, *, voted: bool = True) -> Raw:
    """Return the canonical row of one vote, or of a battle that nobody voted on."""
    parts = _split(raw, where)
    texts, messages = pair_texts(parts, where)
    winner = where.need(raw, "winner") if voted else raw.get("winner")
    if winner is not None and (not isinstance(winner, str) or winner not in _VERDICTS):
        raise where.error("winner", winner, "one of " + ", ".join(_VERDICTS))
    meta = leftover(raw, *_USED) | messages
    if winner in _BOTH_BAD:
        meta["winner"] = winner
    if "category_tag" in raw:
        meta["category"] = _category(raw["category_tag"])
    judge = where.optional_text(raw, "judge")
    return {
        "id": raw.get("id"),
        "domain": raw.get("domain"),
        **texts,
        "labels": {} if winner is None else {_mechanism(judge): _VERDICTS[winner]},
        "meta": meta,
    }


def read(source: Source, options: ReadOptions) -> Preferences:
    """Read LMArena votes."""
    if options.domain_column == "category_tag":
        options = replace(options, domain_column="category")
    head = source.head(options)
    about = {"cluster_column": SESSION} if SESSION in head.keys else {}
    row = partial(to_row, voted="winner" in head.keys)
    return read_rows(source, options, row, format="lmarena", provenance=about)


def write(preferences: Preferences, path: Path) -> WriteReport:
    """Write LMArena votes of one mechanism."""
    mechanism = one_mechanism(preferences, "lmarena")
    verdict = preferences.verdicts[mechanism]
    dropped = []
    n_soft = int(((verdict.abs() < 1) & (verdict != 0)).sum())
    if n_soft:
        dropped.append(f"Preferences whose strength was left out, only their side kept: {n_soft}.")

    def rows() -> Iterator[Raw]:
        for row in preferences.to_rows():
            meta = dict(row["meta"])
            value = row["labels"].get(mechanism)
            word = meta.pop("winner", None)
            if value is None:
                winner = None
            elif value == 0:
                winner = word if word in _BOTH_BAD else "tie"
            else:
                winner = "model_a" if value > 0 else "model_b"
            prompt = _messages(meta.pop("prompt_messages", None), "user", row["prompt"])
            sides = {
                x: _messages(meta.pop(name, None), "assistant", row[f"response_{x}"])
                for x, name in (("a", "response_a_messages"), ("b", "response_b_messages"))
            }
            judge = {} if mechanism == "human" else {"judge": mechanism}
            yield {
                "id": row["id"],
                "domain": row["domain"],
                "model_a": meta.pop("model_a", "a"),
                "model_b": meta.pop("model_b", "b"),
                "winner": winner,
                **judge,
                "conversation_a": prompt + sides["a"],
                "conversation_b": prompt + sides["b"],
                **{k: v for k, v in meta.items() if k not in (*_USED, *judge)},
            }

    write_rows(path, rows())
    return WriteReport(path, "lmarena", preferences.n_pairs, tuple(dropped))


def _split(raw: Raw, where: Where) -> Raw:
    """Return prompt and responses of a vote, as texts or as messages."""
    a, b = where.need(raw, "conversation_a"), where.need(raw, "conversation_b")
    if isinstance(a, str) and isinstance(b, str):
        n = common_text(a, b)
        return {"prompt": a[:n], "response_a": a[n:], "response_b": b[n:]}
    a = check_messages(a, where, "conversation_a")
    b = check_messages(b, where, "conversation_b")
    turn = raw.get("turn")
    if isinstance(turn, int) and not isinstance(turn, bool) and turn > 0:
        a, b = a[: 2 * turn], b[: 2 * turn]
    n = common_messages(a, b)
    return {"prompt": a[:n], "response_a": a[n:], "response_b": b[n:]}


def _mechanism(judge: str | None) -> str:
    if judge is None:
        return "human"
    numbered = _NUMBERED.fullmatch(judge)
    kind = numbered[1] if numbered else judge
    return "human" if kind == "arena_user" else kind


def _category(tag: Any) -> str:
    """Return the names of the true categories of a `category_tag`, "other" for none."""
    if isinstance(tag, str):
        return tag
    names = []
    for key, flags in tag.items() if isinstance(tag, dict) else ():
        match = _CATEGORY.fullmatch(key)
        name = match[1] if match else key
        if flags is True or (isinstance(flags, dict) and flags.get(name) is True):
            names.append(name)
    return "+".join(names) or "other"


def _messages(messages: Any, role: str, text: str) -> list[Any]:
    if messages is not None:
        return list(messages)
    return [{"role": role, "content": text}]


def _sniff(head: Head) -> bool:
    return head.has("conversation_a", "conversation_b")


FORMAT = Format(
    name="lmarena",
    description="LMArena votes: model_a, model_b, winner, conversation_a, conversation_b",
    suffixes=(".parquet", ".jsonl", ".json"),
    sniff=_sniff,
    read=read,
    write=write,
    needs="conversation_a, conversation_b, winner where it was voted on",
)
