"""Texts as vectors, by the embedder of the home, in OpenAI's words."""

from base64 import b64encode
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from skill_agent.api.answers.error_answers import answer
from skill_agent.api.door.auth import require
from skill_agent.text.shaping import estimate_tokens
from skill_agent.workstation import Workstation

from .openai_errors import OpenAIRoute, UnknownModel, Unsupported

MOST_TEXTS, MOST_TOKENS = 2048, 8192
SLICE = 32
"""Texts between two looks whether the client is still there."""


class EmbeddingRequest(BaseModel):
    """Which texts, and in which form their vectors are wanted."""

    model_config = ConfigDict(extra="allow")

    model: Annotated[str, Field(min_length=1)]
    input: str | list[Any]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None


def embeddings_router(station: Workstation) -> APIRouter:
    """`POST /v1/embeddings`."""
    router = APIRouter(tags=["openai"], route_class=OpenAIRoute)

    @router.post("/v1/embeddings", dependencies=[Depends(require("chat"))])
    async def embeddings(request: Request, body: EmbeddingRequest) -> Response:
        """Vectors of length 1, in the order of the texts."""
        texts = _texts(body.input)
        none = await station.models.embed([])
        _check(body, none.model, none.vectors.shape[1])
        rows: list[Any] = []
        tokens = 0
        for start in range(0, len(texts), SLICE):
            if await request.is_disconnected():
                return Response(status_code=204)  # nobody is there to read it
            made = await station.models.embed(texts[start : start + SLICE])
            rows.extend(made.vectors)
            tokens += made.tokens
        written = _as_base64 if body.encoding_format == "base64" else _as_numbers
        data = [
            {"object": "embedding", "index": index, "embedding": written(row)}
            for index, row in enumerate(rows)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return answer({"object": "list", "data": data, "model": none.model, "usage": usage})

    return router


def _texts(given: str | list[Any]) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not 1 <= len(texts) <= MOST_TEXTS:
        raise Unsupported(f"input is a text, or 1 to {MOST_TEXTS} of them", "input")
    for place, text in enumerate(texts):
        if isinstance(text, int | list):
            raise Unsupported("token ids are not read here; send the texts themselves", "input")
        if not isinstance(text, str) or not text:
            raise Unsupported(f"input[{place}]: it is no text, or an empty one", "input")
        if estimate_tokens(text) > MOST_TOKENS:
            raise Unsupported(
                f"input[{place}]: at most about {MOST_TOKENS} tokens; send it in parts", "input"
            )
    return texts


def _check(body: EmbeddingRequest, model: str, dimensions: int) -> None:
    if body.model.removeprefix("embedded/") != model:
        raise UnknownModel(
            f"there is no embedding model {body.model!r}",
            hint=f"this home has {model}; another one is named by models.roles.embed",
        )
    if body.dimensions not in (None, dimensions):
        raise Unsupported(
            f"{model} gives vectors of {dimensions} dimensions and no shorter ones", "dimensions"
        )


def _as_numbers(row: Any) -> list[float]:
    return row.tolist()


def _as_base64(row: Any) -> str:
    return b64encode(row.astype("<f4").tobytes()).decode()
