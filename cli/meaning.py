"""What somebody probably meant who typed a command there is not, wherever it stands."""

from collections.abc import Iterator
from typing import Any

from skill_agent.text.nearest import nearest


def meant(word: str, context: Any) -> str:
    """The nearest command in words: of the group first, then any group's of just that name, then
    an option of the group, then whatever is like it; empty where nothing is."""
    group, root = context.command, context.find_root()
    here = {name: f"{context.command_path} {name}" for name in group.commands}
    elsewhere = dict(_below(root.command, root.command_path, root))
    options = {
        option.lstrip("-"): f"{context.command_path} {option}"
        for one in group.params
        for option in one.opts
    }
    plain = word.casefold()
    found = options.get(plain) or elsewhere.get(plain)
    for known, floor in ((here, 0.7), (elsewhere, 0.75), (here, 0.6)):
        if not found and (name := nearest(plain, known, floor=floor)):
            found = known[name]
    return f"did you mean `{found}`?" if found else ""


def _below(group: Any, path: str, context: Any) -> Iterator[tuple[str, str]]:
    """Every command of every group by its name, with how it is called. The first of a name is the
    last in a dictionary, so they come from behind."""
    found = list[tuple[str, str]]()
    for name in group.commands:
        command = group.get_command(context, name)
        found.append((name, f"{path} {name}"))
        if hasattr(command, "commands"):
            found += _below(command, f"{path} {name}", context)
    yield from reversed(found)
