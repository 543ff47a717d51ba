"""Vectors for clients of OpenAI, by the embedder of the home."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import numpy as np
import openai
import pytest
from api_home import OpenApi
from fakes import HashEmbedder
from openai_client import client

from skill_agent.errors import ModelUnavailable
from skill_agent.models.embeddings import Embeddings

TEXTS = ["a cat sat", "a dog ran", "Grüße, 你好"]
PATH = "/v1/embeddings"


def numbers(embedding: Any) -> Any:
    if isinstance(embedding, str):
        return np.frombuffer(b64decode(embedding), "<f4")
    return np.array(embedding)


async def test_vectors_in_the_order_of_the_texts(open_api: OpenApi) -> None:
    wanted = HashEmbedder().embed(TEXTS)
    async with open_api() as api, client(api) as ai:
        for form in ("float", "base64", None):
            more: dict[str, Any] = {"encoding_format": form} if form else {}
            made = await ai.embeddings.create(model="hash-64", input=TEXTS, **more)
            assert made.model == "hash-64" and made.object == "list"
            assert [one.index for one in made.data] == [0, 1, 2]
            got = np.array([numbers(one.embedding) for one in made.data])
            assert np.allclose(got, wanted, atol=1e-6)
            assert made.usage.prompt_tokens == made.usage.total_tokens > 0
        alone = await ai.embeddings.create(model="embedded/hash-64", input=TEXTS[0], dimensions=64)
        assert np.allclose(alone.data[0].embedding, wanted[0], atol=1e-6)


async def test_many_texts_in_one_request(open_api: OpenApi) -> None:
    texts = [f"text number {number}" for number in range(200)]
    async with open_api() as api:
        made = (await api.http.post(PATH, json={"model": "hash-64", "input": texts})).json()
        assert np.allclose(
            [one["embedding"] for one in made["data"]], HashEmbedder().embed(texts), atol=1e-6
        )


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"input": ""}, "input"),
    ({"input": []}, "input"),
    ({"input": ["a", ""]}, "input"),
    ({"input": [1, 2, 3]}, "input"),
    ({"input": [[1, 2], [3]]}, "input"),
    ({"input": ["a", None]}, "input"),
    ({"input": ["a", {"text": "b"}]}, "input"),
    ({"input": ["a"] * 2049}, "input"),
    ({"input": "word " * 8192}, "input"),
    ({"input": 5}, "input"),
    ({"input": None}, "input"),
    ({"encoding_format": "int8"}, "encoding_format"),
    ({"dimensions": 32}, "dimensions"),
    ({"dimensions": "many"}, "dimensions"),
    ({"model": ""}, "model"),
)


async def test_what_cannot_be_embedded_is_named(open_api: OpenApi) -> None:
    async with open_api() as api, client(api) as ai:
        for change, param in WRONG:
            answer = await api.http.post(PATH, json={"model": "hash-64", "input": "a", **change})
            told = answer.json()["error"]
            assert (answer.status_code, told["param"]) == (400, param), (change, told)
        with pytest.raises(openai.NotFoundError, match="hash-64") as refused:
            await ai.embeddings.create(model="text-embedding-3-small", input="a")
        assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


class NoWords(HashEmbedder):
    """As the stand-in for a model that is not installed."""

    name = "words-only"
    dimensions = 1

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 1), np.float32)


async def test_without_a_model_it_says_how_to_get_one() -> None:
    for embedder in (None, NoWords):
        with pytest.raises(ModelUnavailable, match="no embedding model") as refused:
            await Embeddings(embedder).of(["a"])
        assert refused.value.hint == "fetch it with `ska models pull`"


async def test_a_model_that_is_fetched_meanwhile_is_found() -> None:
    made = iter([NoWords(), HashEmbedder(), NoWords()])
    embeddings = Embeddings(lambda: next(made))
    with pytest.raises(ModelUnavailable):
        await embeddings.of([])
    for _ in range(2):
        assert (await embeddings.of(["a"])).vectors.shape == (1, 64)
