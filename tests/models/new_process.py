"""A process of its own that asks SmolLM2 once; `test_embedded` runs it.

Arguments: the home, then the request's text. Prints one JSON object.
"""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from listening import PERSONA, listen, user
from model_files import smollm2_settings

from skill_agent.files.home import Home
from skill_agent.models.gateway import Gateway
from skill_agent.ports import ModelRequest


async def main(root: str, text: str) -> None:
    gateway = Gateway(smollm2_settings(), Home(Path(root)))
    model = await gateway.model("default")
    request = ModelRequest(messages=(PERSONA, user(text)), max_tokens=8)
    heard = await listen(model, request)
    usage = heard.end.usage
    await gateway.close()
    print(json.dumps({"prompt": usage.prompt_tokens, "cached": usage.cached_tokens}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
