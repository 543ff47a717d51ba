"""A SentencePiece model inside an ONNX graph, taken out: the graph then reads token ids, and the
tokenizer is one that the `tokenizers` library runs. So no library of custom operators is needed.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

_OPERATOR = "SentencepieceTokenizer"
IDS, STARTS = "ids", "starts"
"""Inputs of the graph without its tokenizer: the ids of all texts one after the other, and where
each text begins, with the end of the last."""
BEGIN, END = 1, 2
"""Ids that stand around each text; the operator adds them, a tokenizer of pieces does not."""


def take_apart(graph: Path, tokens: Path, tokenizer: Path) -> None:
    """Writes the graph as it reads ids, and its tokenizer. Raises ValueError where it has none."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(str(graph))
    node = next((one for one in model.graph.node if one.op_type == _OPERATOR), None)
    if node is None:
        raise ValueError(f"{graph.name} has no {_OPERATOR}")
    pieces = next(one.s for one in node.attribute if one.name == "model")
    _tokenizer(pieces).save(str(tokenizer), pretty=False)
    _without(model, node)
    model.graph.input.extend(
        [
            helper.make_tensor_value_info(IDS, TensorProto.INT32, ["tokens"]),
            helper.make_tensor_value_info(STARTS, TensorProto.INT64, ["bounds"]),
        ]
    )
    onnx.save(model, str(tokens))


def _without(model: "ModelProto", node: "NodeProto") -> None:
    """Takes the node out, what only it read, and the model's inputs; its readers read ids."""
    graph = model.graph
    named = dict(zip(node.output, (IDS, STARTS), strict=True))
    graph.node.remove(node)
    read: set[str] = set()
    for other in graph.node:
        for place, name in enumerate(other.input):
            other.input[place] = named.get(name, name)
        read.update(other.input)
    for unread in [one for one in graph.initializer if one.name not in read]:
        graph.initializer.remove(unread)
    del graph.input[:]


def _tokenizer(model: bytes) -> Any:
    """The tokenizer of a serialised SentencePiece model of unigrams."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    pieces: list[tuple[str, float]] = []
    letters = b""
    for field, value in _fields(model):
        if field == 1:
            piece = dict(_fields(value))
            pieces.append((piece[1].decode(), struct.unpack("<f", piece.get(2, bytes(4)))[0]))
        elif field == 3:
            letters = dict(_fields(value)).get(2, b"")
    made = Tokenizer(models.Unigram(pieces, unk_id=0))
    spaces = [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    # Without a map of letters they are read as they stand.
    made.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(letters), *spaces] if letters else spaces
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return made


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message as they stand there: number and raw value."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                value, at = _varint(message, at)
            case 2:
                size, at = _varint(message, at)
                value, at = message[at : at + size], at + size
            case kind:
                size = 8 if kind == 1 else 4
                value, at = message[at : at + size], at + size
        yield key >> 3, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
