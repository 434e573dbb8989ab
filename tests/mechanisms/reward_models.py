"""Tiny reward models of random weights, with a tokenizer that is trained on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n"
    "{% endfor %}"
)
WORDS = "the quick brown fox jumps over a lazy dog while people rate an answer user assistant"
SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "[CLS]", "[SEP]"]


def tokenizer(
    *, template: str | None = TEMPLATE, pair: bool = False, pad: str | None = "<pad>"
) -> Any:
    """A byte-level BPE tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    plain.train_from_iterator([WORDS] * 20, trainer)
    if pair:
        plain.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[(word, plain.token_to_id(word)) for word in ("[CLS]", "[SEP]")],
        )
    made = PreTrainedTokenizerFast(
        tokenizer_object=plain,
        eos_token="<|im_end|>",
        extra_special_tokens=["<|im_start|>", "[CLS]", "[SEP]"],
        **({} if pad is None else {"pad_token": pad}),
    )
    made.chat_template = template
    return made


SMALL: dict[str, Any] = {
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
}


def save_model(folder: Path, kind: str, *, seed: int = 0, **settings: Any) -> Path:
    """Save a model of random weights, and its tokenizer.

    `kind` is "llama", "neox" (a decoder without a padding token) or "deberta" (an encoder that
    takes a pair of texts); `settings` go into its configuration.
    """
    import torch
    import transformers as t

    torch.manual_seed(seed)
    encoder = kind == "deberta"
    words = tokenizer(template=None if encoder else TEMPLATE, pair=encoder)
    about = {"num_labels": 1, **SMALL, "initializer_range": 0.3}
    about["pad_token_id"] = None if kind == "neox" else words.pad_token_id
    config: Any
    if kind == "llama":
        config = t.LlamaConfig(**{**about, "num_key_value_heads": 2, **settings})
        model = t.LlamaForSequenceClassification(config)
    elif kind == "neox":
        config = t.GPTNeoXConfig(**{**about, **settings})
        model = t.GPTNeoXForSequenceClassification(config)
    else:
        config = t.DebertaV2Config(
            **{**about, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], **settings}
        )
        model = t.DebertaV2ForSequenceClassification(config)
    model.eval().save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def change(folder: Path, file: str, **values: Any) -> None:
    """Change values of a JSON file of a saved model."""
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
