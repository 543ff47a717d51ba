"""No way in gives a hostile text anything, not even with a model that obeys all it reads."""

import pytest
from fakes import OpenRuntime
from hostile_text import GAINS, WAYS, gained, obeying, prepare

from skill_agent.files.home import Home


@pytest.mark.deep
@pytest.mark.parametrize("way", WAYS)
async def test_a_text_gains_nothing(open_runtime: OpenRuntime, home: Home, way: str) -> None:
    prepare(home.root)
    async with open_runtime(obeying()) as runtime:
        got = await gained(runtime, WAYS[way])
    assert [name for name in GAINS if got[name]] == []
