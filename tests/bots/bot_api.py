"""A Bot API server of the tests' own, on loopback, that is as strict as the real one.

It keeps updates until they are confirmed, answers long polls, counts a text in UTF-16 units after
its entities were looked at, refuses what the real one refuses in its words, and records every call.
`trouble` makes it answer badly on cue.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "4711:AAF-tests-only-0123456789abcdefghijkl"
LONGEST = 4096
_KNOWN_ENTITIES = frozenset({
    "mention", "hashtag", "bot_command", "url", "bold", "italic", "underline", "strikethrough",
    "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "custom_emoji",
})  # fmt: skip


class Refused(Exception):
    """What the real one answers with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass(frozen=True, slots=True)
class Trouble:
    """How a call goes wrong: an HTTP status, `hang`, `cut` (before anything was done) or `lost`
    (done, and the connection cut before the answer)."""

    kind: int | str
    retry_after: int = 1
    only_with: Callable[[dict[str, Any]], bool] = lambda _: True


@dataclass(slots=True)
class Shown:
    """A message as a chat shows it."""

    id: int
    chat: int
    text: str
    entities: list[dict[str, Any]]
    buttons: list[list[dict[str, Any]]]
    reply_to: int | None
    own: bool = True
    versions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    method: str
    fields: dict[str, Any]
    at: float
    """When it came, by the loop's clock."""
    status: int = 0


class BotApi:
    """The server's whole state, and the hands of the people who write to the bot."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.calls: list[Call] = []
        self.shown: dict[tuple[int, int], Shown] = {}
        self.answers: list[dict[str, Any]] = []
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.files: dict[str, bytes] = {}
        self.troubles: defaultdict[str, deque[Trouble]] = defaultdict(deque)
        self.refuses_entities = False
        self.polls = 0
        self.url = ""
        self.moved = asyncio.Condition()
        self._updates: deque[dict[str, Any]] = deque()
        self._came = asyncio.Event()
        self._update, self._message, self._file = 1000, 0, 0

    # -- what people do ---------------------------------------------------------------------

    def writes(self, chat: int, text: str = "", **more: Any) -> dict[str, Any]:
        """A person writes to the bot in a private chat, or in a group where `group` is said."""
        group = more.pop("group", None)
        person = {"id": chat, "is_bot": False, "first_name": f"P{chat}", "language_code": "en"}
        person |= more.pop("person", {})
        place = {"id": chat, "type": "private", "first_name": f"P{chat}"}
        if group is not None:
            place = {"id": group, "type": "supergroup", "title": "Group"}
        self._message += 1
        message: dict[str, Any] = {
            "message_id": self._message, "date": 1_790_000_000, "chat": place, "from": person,
        }  # fmt: skip
        if text:
            message["text"] = text
        self.shown[place["id"], self._message] = Shown(
            self._message, place["id"], text, [], [], None, own=False
        )
        return self.happens(message=message | more)

    def presses(self, chat: int, message: int, data: str, *, by: int | None = None) -> None:
        """Somebody presses a button."""
        shown = self.shown[chat, message]
        kind = "private" if chat > 0 else "supergroup"
        place = {"id": chat, "type": kind, "title": "Group"}
        who = {"id": by or chat, "is_bot": False, "first_name": "P"}
        carried = {"message_id": message, "date": 1, "chat": place, "text": shown.text}
        query = {"id": f"q{self._update}", "from": who, "message": carried}
        self.happens(callback_query=query | {"chat_instance": "1", "data": data})

    def happens(self, **what: Any) -> dict[str, Any]:
        self._update += 1
        update = {"update_id": self._update, **what}
        self._updates.append(update)
        self._came.set()
        return update

    def repeats(self, update: dict[str, Any]) -> None:
        """The same update comes once more, as after a confirmation that was lost."""
        self._updates.append(update)
        self._came.set()

    def has_file(self, content: bytes) -> str:
        self._file += 1
        name = f"file{self._file}"
        self.files[name] = content
        return name

    def fails(self, method: str, *troubles: Trouble) -> None:
        self.troubles[method].extend(troubles)

    # -- what is seen -----------------------------------------------------------------------

    @property
    def pending(self) -> int:
        return len(self._updates)

    def in_chat(self, chat: int) -> list[Shown]:
        """The bot's messages there as they stand now."""
        return [one for (where, _), one in sorted(self.shown.items()) if where == chat and one.own]

    def texts(self, chat: int) -> list[str]:
        return [one.text for one in self.in_chat(chat)]

    def count(self, method: str) -> int:
        return sum(one.method == method for one in self.calls)

    async def until(self, holds: Callable[[], object]) -> None:
        """Returns once it holds; looked at whenever a call was answered."""
        async with self.moved:
            await self.moved.wait_for(lambda: bool(holds()))

    # -- the server -------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != self.token:
            return _refusal(Refused(401, "Unauthorized"))
        fields = await _fields(request)
        call = Call(method, fields, asyncio.get_running_loop().time())
        self.calls.append(call)
        response: web.StreamResponse | None = None
        try:
            response = await self._answered(request, call)
            return response
        finally:
            call.status = response.status if response is not None else -1
            async with self.moved:
                self.moved.notify_all()

    async def _answered(self, request: web.Request, call: Call) -> web.StreamResponse:
        trouble = self._trouble(call)
        if trouble is not None and trouble.kind != "lost":
            return await self._troubled(request, trouble)
        try:
            act = getattr(self, f"_on_{call.method}", None)
            if act is None:
                raise Refused(404, "Not Found: method not found")
            result = await act(call.fields)
        except Refused as refused:
            return _refusal(refused)
        if trouble is not None:
            return await self._troubled(request, Trouble("cut"))
        return web.json_response({"ok": True, "result": result})

    def _trouble(self, call: Call) -> Trouble | None:
        for name in (call.method, "*"):
            waiting = self.troubles[name]
            if waiting and waiting[0].only_with(call.fields):
                return waiting.popleft()
        return None

    async def _troubled(self, request: web.Request, trouble: Trouble) -> web.StreamResponse:
        match trouble.kind:
            case "hang":
                await asyncio.sleep(3600)
            case "cut":
                assert request.transport is not None
                request.transport.abort()
            case 429:
                told = f"Too Many Requests: retry after {trouble.retry_after}"
                return _refusal(Refused(429, told, retry_after=trouble.retry_after))
            case 409:
                return _refusal(Refused(409, "Conflict: terminated by other getUpdates request"))
            case 403:
                return _refusal(Refused(403, "Forbidden: bot was blocked by the user"))
            case int() as status if status >= 500:
                return web.Response(status=status, text="<html>Bad Gateway</html>")
            case int() as status:
                return _refusal(Refused(status, "Bad Request: trouble"))
        return web.Response(status=500)

    async def file(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return web.Response(status=404)
        found = self.files.get(request.match_info["name"])
        return web.Response(status=404) if found is None else web.Response(body=found)

    async def _on_getMe(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": int(self.token.split(":")[0]), "is_bot": True, "first_name": "Ska",
            "username": "ska_test_bot",
        }  # fmt: skip

    async def _on_getUpdates(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        self.polls += 1
        offset = int(fields.get("offset", 0))
        while offset > 0 and self._updates and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        waits = float(fields.get("timeout", 0))
        if not self._updates and waits:
            self._came.clear()
            async with self.moved:  # whoever waits for an idle bot sees that it polls
                self.moved.notify_all()
            try:
                await asyncio.wait_for(self._came.wait(), waits)
            except TimeoutError:
                return []
        return [*self._updates][: int(fields.get("limit", 100))]

    async def _on_sendMessage(self, fields: dict[str, Any]) -> dict[str, Any]:
        chat = int(fields["chat_id"])
        text, entities = self._checked(fields)
        reply = fields.get("reply_parameters") or {}
        to = reply.get("message_id")
        if to is not None and (chat, to) not in self.shown:
            if not reply.get("allow_sending_without_reply"):
                raise Refused(400, "Bad Request: message to be replied not found")
            to = None
        self._message += 1
        shown = Shown(self._message, chat, text, entities, _buttons(fields), to, versions=[text])
        self.shown[chat, self._message] = shown
        return _message(shown)

    async def _on_editMessageText(self, fields: dict[str, Any]) -> dict[str, Any]:
        shown = self._own(fields, "edit")
        text, entities = self._checked(fields)
        buttons = _buttons(fields)
        if (text, entities, buttons) == (shown.text, shown.entities, shown.buttons):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply "
                "markup are exactly the same as a current content and reply markup of the message",
            )
        shown.text, shown.entities, shown.buttons = text, entities, buttons
        shown.versions.append(text)
        return _message(shown)

    async def _on_deleteMessage(self, fields: dict[str, Any]) -> bool:
        shown = self._own(fields, "delete")
        del self.shown[shown.chat, shown.id]
        return True

    async def _on_answerCallbackQuery(self, fields: dict[str, Any]) -> bool:
        self.answers.append(fields)
        return True

    async def _on_sendChatAction(self, _: dict[str, Any]) -> bool:
        return True

    async def _on_setMyCommands(self, fields: dict[str, Any]) -> bool:
        for one in fields["commands"]:
            assert one["command"] == one["command"].lower()
            assert 1 <= len(one["command"]) <= 32
            assert 1 <= len(one["description"]) <= 256
        self.commands[str(fields.get("language_code", ""))] = fields["commands"]
        return True

    async def _on_deleteWebhook(self, fields: dict[str, Any]) -> bool:
        if fields.get("drop_pending_updates"):
            self._updates.clear()
        return True

    async def _on_getFile(self, fields: dict[str, Any]) -> dict[str, Any]:
        name = str(fields["file_id"])
        if name not in self.files:
            raise Refused(400, "Bad Request: invalid file_id")
        size = len(self.files[name])
        if size > 20 * 1024 * 1024:
            raise Refused(400, "Bad Request: file is too big")
        return {"file_id": name, "file_unique_id": name, "file_size": size, "file_path": name}

    def _own(self, fields: dict[str, Any], what: str) -> Shown:
        shown = self.shown.get((int(fields["chat_id"]), int(fields["message_id"])))
        if shown is None:
            raise Refused(400, f"Bad Request: message to {what} not found")
        if not shown.own:
            raise Refused(400, f"Bad Request: message can't be {what}ed")
        return shown

    def _checked(self, fields: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        text = str(fields.get("text", ""))
        entities = fields.get("entities") or []
        if entities and self.refuses_entities:
            raise Refused(400, "Bad Request: can't parse entities: unsupported entity")
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        units = len(text.encode("utf-16-le")) // 2
        for one in entities:
            _check_entity(one, text, units)
        if units > LONGEST:
            raise Refused(400, "Bad Request: message is too long")
        return text, entities


def _check_entity(one: dict[str, Any], text: str, units: int) -> None:
    begin, end = one["offset"], one["offset"] + one["length"]
    if one["type"] not in _KNOWN_ENTITIES:
        raise Refused(400, "Bad Request: can't parse entities: unsupported entity type")
    if one["length"] <= 0 or begin < 0 or end > units:
        raise Refused(400, "Bad Request: can't parse entities: entity out of bounds")
    raw = text.encode("utf-16-le")
    try:
        raw[begin * 2 : end * 2].decode("utf-16-le")
    except UnicodeDecodeError:
        raise Refused(
            400, "Bad Request: can't parse entities: entity begins in the middle of a character"
        ) from None
    if one["type"] == "text_link" and not str(one.get("url", "")).startswith(
        ("http://", "https://", "tg://", "mailto:", "tel:")
    ):
        raise Refused(400, "Bad Request: can't parse entities: unsupported URL")


def _buttons(fields: dict[str, Any]) -> list[list[dict[str, Any]]]:
    rows = (fields.get("reply_markup") or {}).get("inline_keyboard", [])
    for row in rows:
        for one in row:
            if len(str(one["callback_data"]).encode()) > 64:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return rows


def _message(shown: Shown) -> dict[str, Any]:
    kind = "private" if shown.chat > 0 else "supergroup"
    chat = {"id": shown.chat, "type": kind, "title": "Group"}
    return {"message_id": shown.id, "date": 1, "chat": chat, "text": shown.text}


async def _fields(request: web.Request) -> dict[str, Any]:
    """As the real one reads them: forms, with JSON in what is no plain text."""
    form = await request.post()
    found: dict[str, Any] = {}
    for name, value in form.items():
        text = str(value)
        if name in ("text", "chat_id", "file_id", "callback_query_id"):
            found[name] = text
            continue
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _refusal(refused: Refused) -> web.Response:
    told: dict[str, Any] = {"ok": False, "error_code": refused.code}
    told["description"] = refused.description
    if refused.parameters:
        told["parameters"] = refused.parameters
    return web.json_response(told, status=refused.code)


@asynccontextmanager
async def bot_api(token: str = TOKEN) -> AsyncIterator[BotApi]:
    """A server that runs in this loop; nothing is left of it afterwards."""
    api = BotApi(token)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/bot{token}/{method}", api.handle)
    app.router.add_get("/file/bot{token}/{name}", api.file)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    api.url = f"http://{host}:{port}"
    try:
        yield api
    finally:
        await runner.cleanup()
