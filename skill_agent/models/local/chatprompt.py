"""Chat messages as the plain roles every chat template knows; templates themselves are not here."""

from collections.abc import Sequence

from skill_agent.ports import ChatMessage

from .toolchoice import NEXT_STEP, ToolMenu


def plain_messages(
    messages: Sequence[ChatMessage], menu: ToolMenu, *, aside: bool = False
) -> list[dict[str, str]]:
    """Messages of the roles system, user and assistant, no two of a role in a row.

    With tools, the system message ends in their description and the assistant's messages open
    with their action; tool results become user messages. `aside` puts the description after the
    newest request instead: tools that it has in play must not change what all prompts share. The
    same input gives the same bytes.
    """
    plain: list[dict[str, str]] = []
    users = [at for at, one in enumerate(messages) if one.role == "user"]
    asking = users[-1] if menu and aside and users else -1
    if menu and not aside and not (messages and messages[0].role == "system"):
        messages = (ChatMessage(role="system", content=""), *messages)
    for at, message in enumerate(messages):
        content = message.content
        if at == 0 and message.role == "system" and menu and not aside:
            content = f"{content}\n{menu.describe()}".lstrip()
        if at == asking:
            content = f"{content}\n{menu.describe(examples=False)}"
        match message.role:
            case "assistant" if (menu and not aside) or message.tool_calls:
                content = menu.as_text(message)
            case "tool":
                content = _result(message, messages, menu)
        role = "user" if message.role == "tool" else message.role
        if plain and plain[-1]["role"] == role:
            plain[-1]["content"] += f"\n\n{content}"
        else:
            plain.append({"role": role, "content": content})
    return plain


def _result(result: ChatMessage, messages: Sequence[ChatMessage], menu: ToolMenu) -> str:
    calls = (call for message in messages for call in message.tool_calls)
    call = next((call for call in calls if call.id == result.tool_call_id), None)
    if call is None:
        return f"Result of the tool:\n{result.content}"
    text = f"Result of {menu.name_of(call)}:\n{result.content}"
    return f"{text}\n\n{NEXT_STEP}" if menu.picks(call) else text
