"""Writes a GGUF file of a tiny BERT with random weights: it loads, embeds and ranks, and knows
nothing."""

from pathlib import Path

import numpy as np
from gguf_file import gguf_with_weights

WIDTH, INNER, WINDOW = 32, 64, 64
_WORDS = ("the", "key", "cat", "dog", "lies", "sleeps", "where", "is", "harbour", "under", "mat")
_LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")


def tiny_encoder(path: Path, *, ranks: bool = False, seed: int = 0) -> Path:
    """A file that llama.cpp loads as an embedder, or with `ranks` as a cross-encoder."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens += [f"▁{word}" for word in (*_WORDS, *_LETTERS)] + list(_LETTERS)
    values = {
        "general.architecture": "bert",
        "general.name": "tiny",
        "bert.block_count": 1,
        "bert.context_length": WINDOW,
        "bert.embedding_length": WIDTH,
        "bert.feed_forward_length": INNER,
        "bert.attention.head_count": 2,
        "bert.attention.layer_norm_epsilon": 1e-12,
        "bert.attention.causal": False,
        "bert.pooling_type": 4 if ranks else 1,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.eos_token_id": 3,
        "tokenizer.ggml.unknown_token_id": 1,
        "tokenizer.ggml.seperator_token_id": 3,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.cls_token_id": 2,
        "tokenizer.ggml.mask_token_id": 4,
    }
    return gguf_with_weights(path, values, _weights(len(tokens), seed, ranks=ranks))


def _weights(vocabulary: int, seed: int, *, ranks: bool) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    made = {
        "token_embd.weight": some(vocabulary, WIDTH),
        "token_types.weight": some(2, WIDTH),
        "position_embd.weight": some(WINDOW, WIDTH),
    }
    for name in ("token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"):
        made |= {f"{name}.weight": np.ones(WIDTH, np.float32), f"{name}.bias": some(WIDTH)}
    shapes = {name: (WIDTH, WIDTH) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {"ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
    for name, shape in shapes.items():
        made |= {f"blk.0.{name}.weight": some(*shape), f"blk.0.{name}.bias": some(shape[0])}
    if ranks:
        made |= {"cls.weight": some(WIDTH, WIDTH), "cls.bias": some(WIDTH)}
        made |= {"cls.output.weight": some(1, WIDTH), "cls.output.bias": some(1)}
    return made
