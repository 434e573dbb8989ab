"""Throughput of a reward model: Palate's batches beside what a user would write, in the same run.

    python benchmarks/reward.py [--file FILE] [--responses 240] [--batch-size 8] [--device cpu]

    plain loop     one conversation at a time, the template and the model as the library shows them
    naive batches  batches in the order of the file, padded to the longest of each
    Palate         `score_conversations`: equal texts once, batches of like length

The texts are those of the demo set or of `--file`, prompt and response, every so many, in the order
of the file. The model is a Llama of random weights, so its scores mean nothing and its speed is
that of its size: 4 layers of 256 on a processor, 16 layers of 2,048 in bfloat16 on a GPU (about a
billion weights). Every way is run once to warm up and then in turn, `--rounds` times; the median
counts, which is of the CPU time of the process on a processor that is shared, and of wall time on a
GPU. The largest difference of scores from the plain loop stands beside it, and the part of the
tokens that is padding.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from palate.data.demo import load_demo
from palate.data.formats import read
from palate.mechanisms.reward.batching import batches
from palate.mechanisms.reward.conversation import Conversation, conversations
from palate.mechanisms.reward.library import quiet
from palate.mechanisms.reward.model import RewardModel, open_model
from palate.mechanisms.reward.scoring import score_conversations

TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
)
SIZES = {
    "cpu": {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 4},
    "cuda": {"hidden_size": 2048, "intermediate_size": 5504, "num_hidden_layers": 16},
}
VOCABULARY, MAX_LENGTH = 8000, 4096


def save_model(folder: Path, texts: Sequence[str], device: str) -> None:
    """Save a model of random weights, and a tokenizer that is trained on the texts."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    plain.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=["<pad>", "<|start|>", "<|end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    words = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="<pad>", eos_token="<|end|>")
    words.chat_template = TEMPLATE
    words.save_pretrained(folder)
    torch.manual_seed(0)
    heads = SIZES[device]["hidden_size"] // 64
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        num_labels=1,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=MAX_LENGTH,
        pad_token_id=0,
        **SIZES[device],
    )
    LlamaForSequenceClassification(config).save_pretrained(folder)


def plain_loop(
    folder: Path, device: str, dtype: str
) -> Callable[[list[Conversation]], list[float]]:
    """One conversation at a time, with the library alone."""
    return naive_batches(folder, device, dtype, 1)


def naive_batches(
    folder: Path, device: str, dtype: str, size: int
) -> Callable[[list[Conversation]], list[float]]:
    """Batches in the order of the file, with the library alone."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    words = AutoTokenizer.from_pretrained(folder)
    kind: Any = getattr(torch, dtype)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=kind).eval().to(device)

    def run(texts: list[Conversation]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(texts), size):
            messages = [
                [{"role": role, "content": said} for role, said in text.turns]
                for text in texts[start : start + size]
            ]
            inputs = words.apply_chat_template(
                messages, return_tensors="pt", return_dict=True, padding=True
            ).to(device)
            with torch.inference_mode():
                found += model(**inputs).logits[:, 0].float().tolist()
        return found

    return run


def palate_batches(model: RewardModel, size: int) -> Callable[[list[Conversation]], list[float]]:
    """Palate."""

    def run(texts: list[Conversation]) -> list[float]:
        return [one.value for one in score_conversations(model, texts, batch_size=size)]

    return run


def padding(lengths: Sequence[int], groups: Sequence[Sequence[int]]) -> float:
    """The part of the tokens of all batches that is padding."""
    whole = sum(max(lengths[i] for i in group) * len(group) for group in groups)
    return 1 - sum(lengths) / whole


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--file", help="preferences; the demo set if absent")
    parser.add_argument("--responses", type=int, default=240)
    parser.add_argument("--batch-size", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = args.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = "bfloat16" if device == "cuda" else "float32"
    size = args.batch_size or {"cpu": 8, "cuda": 32}[device]
    clock = time.process_time if device == "cpu" else time.perf_counter
    pairs = read(args.file) if args.file else load_demo()
    texts = [side for pair in conversations(pairs) for side in pair]
    step = max(1, len(texts) // args.responses)
    texts = texts[::step][: args.responses]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        save_model(folder, [f"{t.prompt}\n{t.response}" for t in texts], device)
        model = open_model(made, device=device, dtype=dtype)
        lengths = [len(tokens.ids) for tokens in model.writer.write(texts)]
        with quiet():
            ways = {
                "plain loop": plain_loop(folder, device, dtype),
                "naive batches": naive_batches(folder, device, dtype, size),
                "Palate": palate_batches(model, size),
            }
        waste = {
            "plain loop": 0.0,
            "naive batches": padding(
                lengths, [range(i, min(i + size, len(texts))) for i in range(0, len(texts), size)]
            ),
            "Palate": padding(lengths, batches(lengths, size)),
        }
        scores = {name: run(texts) for name, run in ways.items()}  # warms up as well
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(args.rounds):
            for name, run in ways.items():
                began = clock()
                run(texts)
                seconds[name].append(clock() - began)
    what = "CPU seconds" if device == "cpu" else "seconds"
    where = torch.cuda.get_device_name() if device == "cuda" else f"{args.threads} thread(s)"
    print(
        f"{len(texts)} conversations of {statistics.median(lengths):.0f} tokens (median; "
        f"{min(lengths)} to {max(lengths)}), {dtype} on {device} ({where}), batches of {size}, "
        f"median of {args.rounds} rounds"
    )
    head = f"{'':<14}{what:>12}{'a second':>10}{'tokens/s':>10}"
    print(f"{head}{'padding':>9}{'largest difference':>20}")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        apart = max(abs(a - b) for a, b in zip(scores[name], scores["plain loop"], strict=True))
        print(
            f"{name:<14}{median:>12.2f}{len(texts) / median:>10.1f}{sum(lengths) / median:>10,.0f}"
            f"{waste[name]:>9.0%}{apart:>20.1e}"
        )


if __name__ == "__main__":
    main()
