"""A process of its own that calls a remote model for the first time; `test_first_call` runs it.

Argument: the server's address. Prints one JSON object.
"""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from listening import listen, user

from skill_agent.models.remote import RemoteModel
from skill_agent.models.wire.litellm_ready import close_clients
from skill_agent.ports import ModelRequest
from skill_agent.values import ModelInfo

WAIT_S = 2.5
"""Less than the library alone takes to import on any machine under load."""


def imported() -> set[str]:
    return {name for name in sys.modules if name.split(".")[0] in ("litellm", "openai", "httpcore")}


async def main(base: str) -> None:
    info = ModelInfo(name="openai/m", provider="openai")
    model = RemoteModel(info, timeout_s=WAIT_S, base=base)
    ask = ModelRequest(messages=(user("hi"),), max_tokens=9)
    told: dict[str, object] = {"before": len(imported())}
    if "--load" in sys.argv:
        await model.load()
        ready = imported()
        told["text"] = (await listen(model, ask)).text
        told["late"] = sorted(imported() - ready)
    else:
        told["text"] = (await listen(model, ask)).text
    await close_clients()
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
