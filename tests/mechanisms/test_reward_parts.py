"""Parts of scoring with a reward model that need neither torch nor a model."""

from __future__ import annotations

import importlib
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palate.data.preferences import Preferences
from palate.errors import DataError, FileFormatError, InputError, MissingExtraError
from palate.mechanisms.reward.batching import USUAL_LENGTH, batches, padded, unused_id
from palate.mechanisms.reward.conversation import Conversation, conversation, conversations
from palate.mechanisms.reward.files import check_files, fingerprint, folder_of
from palate.mechanisms.reward.kept import Kept
from palate.mechanisms.reward.library import torch_and_transformers
from palate.mechanisms.reward.scoring import score, score_conversations
from palate.mechanisms.reward.tokens import Tokens

from .judges import preferences


class Letters:
    """A model whose tokens are characters and whose score is a sum; it counts what it is asked."""

    fingerprint = "letters"

    def __init__(self, fails_after: int | None = None) -> None:
        self.writer, self.batches = self, [0][:0]
        self.fails_after = fails_after

    def write(self, conversations: Sequence[Conversation]) -> list[Tokens]:
        return [Tokens(tuple(map(ord, c.response))) for c in conversations]

    def logits(self, batch: Sequence[Tokens]) -> list[float]:
        if self.fails_after is not None and len(self.batches) >= self.fails_after:
            raise KeyboardInterrupt
        self.batches.append(len(batch))
        return [math.inf if 33 in tokens.ids else sum(tokens.ids) / 100 for tokens in batch]


@given(st.lists(st.integers(0, 5000), max_size=60), st.integers(1, 9))
def test_every_text_is_in_one_batch_of_like_lengths(lengths: list[int], size: int) -> None:
    found = batches(lengths, size)
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    flat = [lengths[i] for batch in found for i in batch]
    assert flat == sorted(flat, reverse=True)
    for batch in found:
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= size * USUAL_LENGTH
        assert len(batch) <= size


def test_padding_stands_at_the_right_end() -> None:
    ids, mask = padded([[5, 6, 7], [8]], 9)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert unused_id([[0, 1], [3, 1]], 5) == 2
    assert unused_id([[0, 1], [2]], 3) is None


def test_messages_become_turns() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "image"}]},
    ]
    row = next(iter(preferences(1).to_rows()))
    pairs = Preferences.from_rows([{**row, "meta": {"prompt_messages": messages}}])
    ((a, b),) = conversations(pairs)
    assert a.turns == (
        ("system", "Be brief."),
        ("user", "A\n[image]"),
        ("assistant", row["response_a"]),
    )
    assert b.turns[:2] == a.turns[:2]
    assert a.plain == (("user", row["prompt"]), ("assistant", row["response_a"]))
    ((c, _),) = conversations(Preferences.from_rows([row]))
    assert c == conversation(row["prompt"], row["response_a"])
    assert len({a.key, b.key, c.key}) == 3
    assert conversation("a\x00", "\ud800").turns == (("user", "a\ufffd"), ("assistant", "\ufffd"))


def test_equal_texts_are_scored_once_and_the_order_of_rows_says_nothing() -> None:
    texts = [conversation("ask", "x" * (k % 7)) for k in range(40)]
    model = Letters()
    found = score_conversations(model, texts, batch_size=4)
    assert sum(model.batches) == 6  # the empty response has no token
    assert [one.value for one in found[1:7]] == [120 * k / 100 for k in range(1, 7)]
    assert math.isnan(found[0].value)
    assert found[0].failure == "there is no token to score"
    mixed = list(range(40))
    random.Random(0).shuffle(mixed)
    other, told = Letters(), []
    again = score_conversations(
        other,
        [texts[i] for i in mixed],
        batch_size=4,
        progress=lambda done, total: told.append((done, total)),
    )
    assert [repr(one) for one in again] == [repr(found[i]) for i in mixed]
    assert (other.batches, told[-1]) == (model.batches, (7, 7))


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    texts = [conversation("ask", "x" * k) for k in range(1, 21)]
    file = tmp_path / "scores.jsonl"
    with pytest.raises(KeyboardInterrupt), Kept(file) as kept:
        score_conversations(Letters(fails_after=2), texts, batch_size=4, kept=kept)
    with file.open("a") as torn:
        torn.write('{"key": "12')
    model = Letters()
    with Kept(file) as kept:
        found = score_conversations(model, texts, batch_size=4, kept=kept)
    assert (kept.used, kept.added, sum(model.batches)) == (8, 12, 12)
    assert [one.value for one in found] == [120 * k / 100 for k in range(1, 21)]
    with Kept(file) as kept:
        assert score_conversations(Letters(fails_after=0), texts, batch_size=4, kept=kept) == found
    other = Letters()
    other.fingerprint = "another model"
    with Kept(file) as kept:
        score_conversations(other, texts, batch_size=4, kept=kept)
    assert sum(other.batches) == 20


def test_scores_become_verdicts_of_pairs() -> None:
    rows = list(preferences(6).to_rows())
    rows[1]["response_b"] = "not finite!"
    pairs = Preferences.from_rows(rows)
    scored = score(pairs, Letters(), name="letters")
    sums = [[sum(map(ord, row[s])) / 100 for s in ("response_a", "response_b")] for row in rows]
    margins = np.array([a - b for a, b in sums])
    margins[1] = np.nan
    np.testing.assert_allclose(scored.margins, margins)
    added = scored.add_to(pairs)
    assert added.mechanisms == ("truth", "letters")
    assert added.swap().metadata.columns == ["letters_score_b", "letters_score_a"]
    assert added.metadata["letters_score_b"].null_count() == 1
    assert scored.b[1].failure == "the model gave no finite number"
    turned = score(pairs.swap(), Letters(), name="letters").add_to(pairs.swap())
    np.testing.assert_array_equal(turned.verdict("letters"), added.swap().verdict("letters"))
    with pytest.raises(InputError, match="letters"):
        score(added, Letters(), name="letters")
    with pytest.raises(InputError, match="--batch-size"):
        score(pairs, Letters(), name="r", batch_size=0)
    empty = Preferences.from_rows([{**r, "response_a": "", "response_b": ""} for r in rows])
    with pytest.raises(DataError, match="None of the 6 pairs got a score"):
        score(empty, Letters(), name="r")


def folder(path: Path, *, weights: str = "model.safetensors", **config: Any) -> Path:
    path.mkdir()
    kinds = {"architectures": ["LlamaForSequenceClassification"], **config}
    (path / "config.json").write_text(json.dumps(kinds))
    (path / weights).write_bytes(b"0" * 10)
    return path


def test_only_whole_safe_reward_models_are_taken(tmp_path: Path) -> None:
    good = folder(tmp_path / "good")
    check_files(good, "good")
    check_files(folder(tmp_path / "silent", architectures=None), "silent")
    writer = folder(tmp_path / "writer", architectures=["LlamaForCausalLM"])
    with pytest.raises(FileFormatError, match="found LlamaForCausalLM; expected a reward model"):
        check_files(writer, "writer")
    pickled = folder(tmp_path / "pickled", weights="pytorch_model.bin")
    with pytest.raises(FileFormatError, match=r"pytorch_model.bin, which may run code"):
        check_files(pickled, "pickled")
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(FileFormatError, match=r"weights: found none"):
        check_files(pickled, "pickled")
    (pickled / "config.json").write_text("[]")
    with pytest.raises(FileFormatError, match="not the configuration"):
        check_files(pickled, "pickled")
    (pickled / "config.json").write_text("{")
    with pytest.raises(FileFormatError, match="cannot be read"):
        check_files(pickled, "pickled")
    (pickled / "config.json").unlink()
    with pytest.raises(FileFormatError, match=r"found no config\.json"):
        check_files(pickled, "pickled")
    (pickled / "adapter_config.json").write_text("{}")
    with pytest.raises(FileFormatError, match="merge the adapter"):
        check_files(pickled, "pickled")
    before = fingerprint(good)
    assert fingerprint(good) == before
    (good / "tokenizer.json").write_text("{}")
    assert fingerprint(good) != before


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert folder_of(str(tmp_path)) == tmp_path
    for name in (str(tmp_path / "nothing"), "nothing", "./a/b", "../a"):
        with pytest.raises(InputError, match="there is no such folder"):
            folder_of(name)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="found a file"):
        folder_of(str(tmp_path / "file"))
    with pytest.raises(InputError, match="--revision"):
        folder_of(str(tmp_path), revision="main")


def test_a_model_of_the_hub_is_downloaded_without_pickles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub as hub

    asked: list[dict[str, Any]] = []

    def download(name: str, **options: Any) -> str:
        asked.append({"name": name, **options})
        if name == "some/absent":
            raise OSError("Got: no connection\nmore")
        return str(tmp_path)

    monkeypatch.setattr(hub, "snapshot_download", download)
    monkeypatch.chdir(tmp_path)
    assert folder_of("some/model", revision="v2") == tmp_path
    (call,) = asked
    assert (call["name"], call["revision"]) == ("some/model", "v2")
    assert not any("bin" in pattern or "py" in pattern for pattern in call["allow_patterns"])
    with pytest.raises(InputError, match=r"some/absent: .* \(no connection\)"):
        folder_of("some/absent")


def test_without_the_extra_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'palate\[reward\]'"):
        torch_and_transformers()
