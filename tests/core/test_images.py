"""Pictures beside a message: what they may be, and that they live and go with it."""

from base64 import b64encode
from pathlib import Path

import pytest
from fakes import OpenRuntime, StepClock
from in_process import open_in_process

from skill_agent.conversations.images import LARGEST, checked_images, image_of, size_of
from skill_agent.errors import Conflict, UsageError
from skill_agent.files.home import Home
from skill_agent.host.runtime import Runtime
from skill_agent.identifiers import new_id
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.values import ClientContext, Image, Message, ModelProfile, TurnRequest

HEADS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/webp": b"RIFF\x10\0\0\0WEBP",
    "image/gif": b"GIF89a",
}
PNG = HEADS["image/png"] + b"quokka-4711" * 9


def encoded(raw: bytes, media_type: str = "") -> Image:
    return Image(data=b64encode(raw).decode(), media_type=media_type)


SHOWN = encoded(PNG, "image/png")


def seeing(*replies: str) -> ScriptedModel:
    return ScriptedModel(list(replies), otherwise="Yes.", profile=ModelProfile(vision=True))


@pytest.mark.parametrize(("media_type", "head"), HEADS.items())
@pytest.mark.parametrize("more", [0, 1, 2])
def test_the_bytes_say_what_it_is(media_type: str, head: bytes, more: int) -> None:
    (image,) = checked_images([encoded(head + bytes(more), "image/wrong")])
    assert image == encoded(head + bytes(more), media_type)
    assert size_of(image) == len(head) + more


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (encoded(b"%PDF-1.7"), "image 1 is no PNG, JPEG, WebP or GIF"),
        (encoded(b""), "image 1 is no PNG"),
        (Image(data="data:image/png;base64,AAAA"), "image 1 is not base64"),
        (Image(data="\u00e9"), "image 1 is not base64"),
        (encoded(PNG + bytes(LARGEST)), "image 1 has 5.1 MB; an image has at most 5 MB"),
    ],
)
def test_what_is_no_image(image: Image, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        checked_images([image])


def test_the_largest_and_several() -> None:
    largest = image_of(PNG + bytes(LARGEST - len(PNG)), "x.png")
    assert checked_images([largest]) == (largest,)
    with pytest.raises(UsageError, match=r"the images have 10 MB together; a message takes 7 MB"):
        checked_images([largest, largest])


def pictures(request: ModelRequest) -> list[tuple[Image, ...]]:
    return [one.images for one in request.messages if one.role == "user"]


async def say(runtime: Runtime, request: TurnRequest) -> None:
    async for _ in runtime.turns.ask(request):
        pass


async def messages(runtime: Runtime) -> list[Message]:
    (session,) = await runtime.conversations.list()
    return await runtime.conversations.messages(session.id)


async def test_it_is_seen_now_and_in_later_turns(open_runtime: OpenRuntime) -> None:
    model = seeing()
    async with open_runtime(model) as runtime:
        await say(runtime, TurnRequest("What is this?", images=(SHOWN,)))
        await say(runtime, TurnRequest("Which colour?", session="latest"))
        assert [pictures(one) for one in model.requests] == [[(SHOWN,)], [(SHOWN,), ()]]
        asked = model.requests[1].messages[1].content
        assert asked.endswith("[image: image/png, 1 kB]\n\nWhat is this?")
        kept = await messages(runtime)
        assert kept[0].content == "What is this?"
        assert await runtime.conversations.search("colour")


async def test_a_model_that_cannot_see_refuses_and_leaves_nothing(
    open_runtime: OpenRuntime,
) -> None:
    async with open_runtime(ScriptedModel()) as runtime:
        with pytest.raises(UsageError, match="scripted/model reads no images") as caught:
            await runtime.turns.submit(TurnRequest("What is this?", images=(SHOWN,)))
        assert "-m MODEL" in caught.value.hint and "openai/gpt-4o-mini" in caught.value.hint
        assert await runtime.conversations.list() == []


async def test_a_key_stands_for_the_picture_too(open_runtime: OpenRuntime) -> None:
    asked = TurnRequest("What is this?", images=(SHOWN,), key=new_id())
    async with open_runtime(seeing()) as runtime:
        await say(runtime, asked)
        begun = await runtime.turns.submit(asked)
        assert begun.turn == asked.key
        with pytest.raises(Conflict):
            await runtime.turns.submit(TurnRequest("What is this?", key=asked.key))


async def test_it_goes_along_in_an_export(
    open_runtime: OpenRuntime, clock: StepClock, tmp_path: Path
) -> None:
    file = tmp_path / "mine.zip"
    async with open_runtime(seeing()) as runtime:
        await say(runtime, TurnRequest("What is this?", images=(SHOWN,)))
        said = await messages(runtime)
        assert said[0].client_context == ClientContext(images=(SHOWN,))
        key = (await runtime.user_data.export(str(file))).key
    opened = open_in_process(
        tmp_path / "other", create=True, gateway=ScriptedGateway(seeing()), clock=clock
    )
    async with opened as other:
        await other.user_data.import_(str(file), trust=True, key=key)
        assert await messages(other) == said
        assert (await other.memory.verify()).problems == ()


async def test_it_comes_along_from_anybody(open_runtime: OpenRuntime, tmp_path: Path) -> None:
    file = tmp_path / "mine.zip"
    async with open_runtime(seeing()) as runtime:
        await say(runtime, TurnRequest("What is this?", images=(SHOWN,)))
        await runtime.user_data.export(str(file))
    gateway = ScriptedGateway(seeing())
    async with open_in_process(tmp_path / "other", create=True, gateway=gateway) as other:
        await other.user_data.import_(str(file))
        first, *_ = await messages(other)
        assert (first.client_context, first.origins) == (
            ClientContext(images=(SHOWN,)),
            ("file", "import"),
        )


def every_byte(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file())


async def test_it_is_erased_with_what_was_said(open_runtime: OpenRuntime, home: Home) -> None:
    async with open_runtime(seeing()) as runtime:
        await say(runtime, TurnRequest("Remember that my code is quokka-12", images=(SHOWN,)))
        await runtime.memory.settle()
    assert SHOWN.data.encode() in every_byte(home.root)
    async with open_runtime(seeing()) as runtime:
        ids = [one.id for one in await runtime.memory.list()]
        plan = await runtime.eraser.plan(ids)
        await runtime.eraser.erase(ids, expected=plan.digest)
    assert SHOWN.data.encode() not in every_byte(home.root)
