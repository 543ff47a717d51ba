"""mem0's memories, as `get_all` gives them: `{"results": [{"id", "memory", …}]}`, or the list."""

from typing import Any

from skill_agent.errors import UsageError

from ..decoding import listed, mapping, moment, plain, text, texts, whole
from ..found import Fact, Items, LeftOut
from ..tree import Tree

LISTS = ("results", "memories", "data")
_WORDS = ("memory", "text", "data", "content")
_ABOUT = ("user_id", "agent_id", "app_id", "run_id", "actor_id", "categories", "metadata")


def read(tree: Tree, left: LeftOut) -> Items:
    """Raises UsageError for a file that is no list of memories."""
    for name in tree.names:
        if not name.endswith(".json"):
            continue
        with tree.open(name) as stream:
            value = whole(stream, name)
        found = value if isinstance(value, list) else _list_in(mapping(value))
        if found is None:
            raise UsageError(
                f"{name} holds no list of memories",
                hint='write what get_all gives: {"results": [{"id": …, "memory": …}]}',
            )
        for number, row in enumerate(found, 1):
            if fact := _fact(mapping(row)):
                yield fact
            else:
                left.problem("memories without a text", f"{name}, memory {number}", "no text")


def _list_in(value: dict[str, Any]) -> list[Any] | None:
    return next((listed(value[one]) for one in LISTS if isinstance(value.get(one), list)), None)


def _fact(row: dict[str, Any]) -> Fact | None:
    said = next((one for key in _WORDS if (one := text(row.get(key)).strip())), "")
    if not said:
        return None
    about = {key: value for key in _ABOUT if (value := plain(row.get(key)))}
    topics = texts(row.get("categories"))
    return Fact(
        id=f"{text(row.get('id'))}:{said}",
        text=said,
        at=moment(row.get("created_at")),
        changed_at=moment(row.get("updated_at")),
        subject=topics[0] if topics else None,
        metadata={"mem0": about} if about else {},
    )
