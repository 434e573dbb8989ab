"""A real engine: llama.cpp with a tiny model of random weights, written when it is asked for.

    with serve_engine(folder) as base_url:
        ...  # any OpenAI client at base_url, model name "tiny"

Its answers mean nothing, but its decoding is held to the JSON schema of the request, so that every
answer has the asked shape. Words come from byte pairs learnt on the demo set, so that prompts have
about as many tokens as with a real tokenizer.
"""

from __future__ import annotations

import gzip
import heapq
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from palate.data.demo import demo_paths

WIDTH, HEADS, LAYERS, CONTEXT, SLOTS = 64, 2, 1, 16384, 2
MERGES = 1200
TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def byte_letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary (that of GPT-2)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    letters = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(rest)}
    return [letters[b] for b in range(256)]


@cache
def merges() -> list[tuple[str, str]]:
    """Byte pairs in the order in which they are joined, learnt on the words of the demo set."""
    letters = byte_letters()
    counts: Counter[str] = Counter()
    with gzip.open(demo_paths().pairs, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            for text in (row["prompt"], row["response_a"], row["response_b"]):
                counts.update(re.findall(r" ?[A-Za-z]+", text))
    words = [
        ([letters[b] for b in word.encode()], count) for word, count in counts.most_common(3000)
    ]
    weight: Counter[tuple[str, str]] = Counter()
    where: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for i, (parts, count) in enumerate(words):
        for pair in itertools.pairwise(parts):
            weight[pair] += count
            where[pair].add(i)
    waiting = [(-count, pair) for pair, count in weight.items()]
    heapq.heapify(waiting)
    found: list[tuple[str, str]] = []
    while waiting and len(found) < MERGES:
        count, best = heapq.heappop(waiting)
        if weight[best] != -count or not count:
            continue
        found.append(best)
        changed: set[tuple[str, str]] = set()
        for i in list(where[best]):
            parts, times = words[i]
            for pair in itertools.pairwise(parts):
                weight[pair] -= times
                changed.add(pair)
            joined: list[str] = []
            for part in parts:
                if joined and (joined[-1], part) == best:
                    joined[-1] += part
                else:
                    joined.append(part)
            words[i] = (joined, times)
            for pair in itertools.pairwise(joined):
                weight[pair] += times
                where[pair].add(i)
                changed.add(pair)
        for pair in changed:
            heapq.heappush(waiting, (-weight[pair], pair))
    return found


def write_model(path: Path, seed: int = 0) -> None:
    """Write the model; one dimension of its state is constant and carries a bias for each token."""
    import gguf

    pairs = merges()
    tokens = ["<unk>", "<s>", "</s>", *byte_letters(), *(a + b for a, b in pairs)]
    tokens = list(dict.fromkeys(tokens))
    special = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    types = [*special, *[gguf.TokenType.NORMAL] * (len(tokens) - 3)]
    rng = np.random.default_rng(seed)

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([int(t) for t in types])
    writer.add_token_merges([f"{a} {b}" for a, b in pairs])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)

    def random(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    def adding(*shape: int, scale: float) -> np.ndarray:  # what it adds leaves the constant alone
        weights = random(*shape, scale=scale)
        weights[0] = 0.0
        return weights

    embedded = random(len(tokens), WIDTH)
    embedded[:, 0] = 3.0  # the constant
    output = random(len(tokens), WIDTH, scale=0.2)
    output[:, 0] = [bias(token) for token in tokens]
    writer.add_tensor("token_embd.weight", embedded)
    norm = np.ones(WIDTH, np.float32)
    norm[0] = 5.0
    writer.add_tensor("output_norm.weight", norm)
    writer.add_tensor("output.weight", output)
    for layer in range(LAYERS):
        name, small = f"blk.{layer}", 2.0 / WIDTH**0.5
        half = WIDTH // HEADS
        writer.add_tensor(f"{name}.attn_norm.weight", np.ones(WIDTH, np.float32))
        writer.add_tensor(f"{name}.attn_q.weight", random(WIDTH, WIDTH, scale=small))
        writer.add_tensor(f"{name}.attn_k.weight", random(half, WIDTH, scale=small))
        writer.add_tensor(f"{name}.attn_v.weight", random(half, WIDTH, scale=small))
        writer.add_tensor(f"{name}.attn_output.weight", adding(WIDTH, WIDTH, scale=small))
        writer.add_tensor(f"{name}.ffn_norm.weight", np.ones(WIDTH, np.float32))
        writer.add_tensor(f"{name}.ffn_gate.weight", random(WIDTH, WIDTH, scale=small))
        writer.add_tensor(f"{name}.ffn_up.weight", random(WIDTH, WIDTH, scale=small))
        writer.add_tensor(f"{name}.ffn_down.weight", adding(WIDTH, WIDTH, scale=small))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def bias(token: str) -> float:
    """What a token gains whatever stands before it: words and ends of texts, not white space."""
    if token in ("</s>", '"', "]"):
        return 0.5 if token == "]" else 2.0
    if token in ("Ġ", "Ċ", "ĉ", "č", "\\"):
        return -30.0
    return 0.0 if len(token) > 1 or token.isascii() else -30.0


@contextmanager
def serve_engine(folder: Path) -> Iterator[str]:
    """Serve the model over HTTP on loopback and return the base address, with `/v1`."""
    import xllamacpp

    path = folder / "tiny.gguf"
    if not path.exists():
        write_model(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {"tiny"}
    params.n_ctx = CONTEXT * SLOTS
    params.n_parallel = SLOTS
    params.n_batch = 2048
    params.n_ubatch = 512
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.n_gpu_layers = 0
    params.warmup = False
    params.verbosity = -1
    params.port = 0
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server
