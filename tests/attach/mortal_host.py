"""A host that kills itself on cue: `python mortal_host.py HOME MODE`.

Modes: `before` the message is saved, `answer` after it is saved and before that is told, `middle`
of the reply, `finished` once the reply is saved and before that is told, `never`; `asks` never dies
either, and its first turn asks whether it may fetch a page. A mode that begins with `/` is a path:
a POST to what ends with it is carried out and never answered.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import HashEmbedder
from skill_agent.cli.opening.home_files import init_home
from skill_agent.cli.opening.hosting import Hosted
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.store.lock import HomeLock

from skill_agent.files.home import Home
from skill_agent.models.scripted import Pause, ScriptedGateway, ScriptedModel
from skill_agent.values import ToolCall

REPLY = ["It was ", "a dark ", "and stormy night."]
FETCH = ToolCall(id="c", name="http_get", arguments={"url": "http://127.0.0.1:9/weather"})


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Hosted):
    """Serves what the real one serves, until its hour has come."""

    mode = "never"

    def _app_for(self, **how: Any) -> Any:
        app = super()._app_for(**how)

        async def mortal(scope: Any, receive: Any, send: Any) -> None:
            submits = (scope["method"], scope["path"]) == ("POST", "/v1/turns")
            if submits and self.mode == "before":
                die()

            last = scope["method"] == "POST" and scope["path"].endswith(self.mode)

            async def watched(message: Any) -> None:
                body = message.get("body", b"")
                if last or (submits and self.mode == "answer"):
                    die()
                if self.mode == "finished" and b"event: turn_finished" in body:
                    die()
                await send(message)
                if self.mode == "middle" and b"a dark" in body:
                    die()

            await app(scope, receive, watched)

        return mortal


async def main(root: str, mode: str) -> None:
    home = Home(Path(root))
    init_home(home)
    lock = HomeLock(home.lock, role="mortal")
    lock.acquire()
    slow = [REPLY[0], REPLY[1], Pause(60.0), REPLY[2]] if mode == "middle" else REPLY
    asks: list[Any] = [[FETCH], REPLY] if mode == "asks" else []
    model = ScriptedModel(asks, otherwise=slow)
    options = OpenOptions(role="mortal", gateway=ScriptedGateway(model), embedder=HashEmbedder())
    host = Mortal(home, lock, options)
    host.mode = mode
    await host.open()
    await host._door.open_socket()
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
