"""`open_model` -> `RewardModel`: a sequence classifier of transformers that gives one number.

Right padding with an attention mask leaves every number as it is for the text alone, provided that
the model tells padding from text: it does so by the `pad_token_id` of its own configuration, not by
the tokenizer's, so that one fills up the batch. A model that has none pools the last token of a
text alone; in a batch it is given an id that stands in none of its texts.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palate.errors import FileFormatError, InputError, UnknownNameError
from palate.mechanisms.reward.batching import padded, unused_id
from palate.mechanisms.reward.files import check_files, fingerprint, folder_of
from palate.mechanisms.reward.library import quiet, torch_and_transformers
from palate.mechanisms.reward.tokens import Tokens, Writer

MAX_LENGTH = 8192
"""Most tokens of a conversation where the model takes more and nothing else is asked for."""
DEVICES, DTYPES = ("auto", "cpu", "cuda"), ("auto", "float32", "bfloat16", "float16")
BATCH_SIZE = {"cpu": 8, "cuda": 32}
_LENGTH_KNOWN = 10**7  # tokenizers say a huge number where they do not know


@dataclass(frozen=True, eq=False)
class RewardModel:
    """A reward model that is ready to score.

    Parameters
    ----------
    name
        What the user called it.
    writer
        Turns conversations into tokens.
    device
        "cpu" or "cuda".
    dtype
        Type of its weights.
    label
        Name of the output that is the score; None where there is one only.
    fingerprint
        A hash of everything that a score depends on beside the conversation.
    """

    name: str
    writer: Writer
    device: str
    dtype: str
    label: str | None
    fingerprint: str
    _model: Any
    _column: int
    _log_odds: bool
    _padding: int | None
    _vocabulary: int

    @property
    def facts(self) -> dict[str, Any]:
        """How it scores, as a record says it."""
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "device": self.device,
            "dtype": self.dtype,
            "max_length": self.writer.max_length,
            "chat_template": self.writer.with_template,
            "label": self.label,
        }

    def logits(self, batch: Sequence[Tokens]) -> list[float]:
        """Return the score of every conversation; a batch that memory cannot hold is halved.

        Parameters
        ----------
        batch
            Their tokens, none empty.

        Raises
        ------
        InputError
            If a single one does not fit into the memory of the GPU, or the tokenizer is that of
            another model.
        """
        torch, _ = torch_and_transformers()
        try:
            return self._logits(batch)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            if len(batch) == 1:
                raise InputError(
                    f"{self.name}: a conversation of {len(batch[0].ids):,} tokens does not fit "
                    "into the memory of the GPU; expected a smaller --max-length."
                ) from None
        middle = len(batch) // 2
        return self.logits(batch[:middle]) + self.logits(batch[middle:])

    def _logits(self, batch: Sequence[Tokens]) -> list[float]:
        torch, _ = torch_and_transformers()
        rows = [tokens.ids for tokens in batch]
        highest = max(max(row) for row in rows)
        if highest >= self._vocabulary:
            raise InputError(
                f"{self.name}: the tokenizer gives the id {highest}, the model knows "
                f"{self._vocabulary:,} ids; expected the tokenizer of this model."
            )
        filler = self._padding
        settings = self._model.config.get_text_config()
        if filler is None:
            filler = unused_id(rows, self._vocabulary)
            if filler is None:  # every id of the vocabulary in one batch
                if len(batch) > 1:
                    return [score for tokens in batch for score in self._logits([tokens])]
                filler = 0
            settings.pad_token_id = filler if len(batch) > 1 else None
        ids, mask = padded(rows, filler)
        inputs = {"input_ids": ids, "attention_mask": mask}
        if all(tokens.types is not None for tokens in batch):
            inputs["token_type_ids"] = padded([tokens.types or () for tokens in batch], 0)[0]
        with torch.inference_mode(), quiet():
            tensors = {name: torch.from_numpy(x).to(self.device) for name, x in inputs.items()}
            logits = self._model(**tensors).logits.float()
            if self._log_odds:
                logits = logits.log_softmax(-1)
                logits = logits - torch.log1p(-logits.exp())
            return [float(x) for x in logits[:, self._column].cpu().tolist()]


def open_model(
    name: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    label: str | None = None,
    max_length: int | None = None,
) -> RewardModel:
    """Load a reward model; nothing that it brings is run.

    Parameters
    ----------
    name
        Its folder, or its name on the hub.
    revision
        Branch, tag or commit on the hub.
    device
        "auto" takes a GPU where there is one.
    dtype
        "auto" is bfloat16 on a GPU and float32 elsewhere.
    label
        Output that is the score, by name or number, for a model that has several.
    max_length
        Most tokens of a conversation; None for what the model takes, at most MAX_LENGTH.

    Raises
    ------
    MissingExtraError
        If torch or transformers is not installed.
    FileFormatError
        If it is no reward model, or cannot be loaded safely and whole.
    InputError
        If there is no such model, or an option cannot be kept.
    UnknownNameError
        If there is no such device, type or label.
    """
    for what, value, legal in (("device", device, DEVICES), ("dtype", dtype, DTYPES)):
        if value not in legal:
            raise UnknownNameError(what, value, legal)
    torch, transformers = torch_and_transformers()
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: found no GPU that torch can use; expected cpu or auto.")
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    dtype = ("bfloat16" if device == "cuda" else "float32") if dtype == "auto" else dtype
    folder = folder_of(name, revision=revision)
    check_files(folder, name)
    with quiet():
        config, tokenizer = _config_and_tokenizer(folder, name)
        column, told = _output(config, label, name)
        model = _weights(folder, name, config, getattr(torch, dtype)).eval().to(device)
    longest = _longest(model, tokenizer)
    if max_length is not None and longest is not None and max_length > longest:
        raise InputError(
            f"--max-length: found {max_length:,}; {name} takes at most {longest:,} tokens."
        )
    length = max_length or min(longest or MAX_LENGTH, MAX_LENGTH)
    padding = config.get_text_config().pad_token_id
    vocabulary = int(model.get_input_embeddings().num_embeddings)
    try:
        writer = Writer(tokenizer, length)
    except AttributeError as error:
        raise FileFormatError(
            f"{name}: the tokenizer does not name its control tokens ({_reason(error)}); expected "
            "a tokenizer of transformers."
        ) from None
    depends = [fingerprint(folder), dtype, told, length, transformers.__version__]
    return RewardModel(
        name=name,
        writer=writer,
        device=device,
        dtype=dtype,
        label=told,
        fingerprint=hashlib.blake2b(json.dumps(depends).encode(), digest_size=16).hexdigest(),
        _model=model,
        _column=column,
        _log_odds=config.num_labels > 1 and config.problem_type == "single_label_classification",
        _padding=padding if padding is not None and 0 <= padding < vocabulary else None,
        _vocabulary=vocabulary,
    )


def _config_and_tokenizer(folder: Path, name: str) -> tuple[Any, Any]:
    _, library = torch_and_transformers()
    parts = []
    kinds = (("configuration", library.AutoConfig), ("tokenizer", library.AutoTokenizer))
    for what, kind in kinds:
        try:
            parts.append(
                kind.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
            )
        except Exception as error:  # the library raises whatever its parts do
            raise FileFormatError(
                f"{name}: the {what} cannot be read ({_reason(error)}); expected a model that "
                "transformers knows, without code of its own."
            ) from None
    return parts[0], parts[1]


def _weights(folder: Path, name: str, config: Any, dtype: Any) -> Any:
    _, library = torch_and_transformers()
    try:
        model, loaded = library.AutoModelForSequenceClassification.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            trust_remote_code=False,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise FileFormatError(
            f"{name}: the weights cannot be loaded ({_reason(error)}); expected a whole reward "
            "model that transformers knows, in safetensors."
        ) from None
    absent = sorted(map(str, [*loaded["missing_keys"], *loaded["mismatched_keys"]]))
    if absent:
        more = f" and {len(absent) - 1:,} more" if len(absent) > 1 else ""
        raise FileFormatError(
            f"{name}: the weights {absent[0][:80]!r}{more} are missing, so that the scores would "
            "be random; expected a trained reward model."
        )
    return model


def _output(config: Any, label: str | None, name: str) -> tuple[int, str | None]:
    """Which output is the score, and its name where there are several."""
    names = [str(config.id2label.get(k, k)) for k in range(config.num_labels)]
    if len(names) == 1 and label in (None, "0", *names):
        return 0, None
    if label is None:
        raise InputError(
            f"{name}: found {len(names)} outputs ({', '.join(names)[:200]}); expected one, or "
            "--label with the name of the one that is the score."
        )
    if label in names:
        return names.index(label), label
    if label.isdecimal() and int(label) < len(names):
        return int(label), names[int(label)]
    raise UnknownNameError(f"label of {name}", label, names)


def _longest(model: Any, tokenizer: Any) -> int | None:
    """Most tokens that a model takes, None where nothing says so."""
    known = []
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        embeddings = getattr(getattr(model, "base_model", None), "embeddings", None)
        table = getattr(embeddings, "position_embeddings", None)
        before = getattr(table, "padding_idx", None)  # RoBERTa counts from behind its padding
        known.append(positions - (0 if before is None else before + 1))
    told = getattr(tokenizer, "model_max_length", None)
    if told is not None and math.isfinite(told) and 0 < told < _LENGTH_KNOWN:
        known.append(int(told))
    return min(known) if known else None


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
