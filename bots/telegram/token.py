"""The bot's token: from the environment or the system's keyring, and from no file."""

import os
import re

from skill_agent.errors import SkillAgentError, UsageError

VARIABLE = "TELEGRAM_BOT_TOKEN"
SERVICE, NAME = "skill-agent", "telegram-bot-token"
_SHAPE = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{30,80}")


def found_token() -> str:
    """Empty where there is none, or no keyring that could be asked."""
    if said := os.environ.get(VARIABLE, "").strip():
        return said
    import keyring
    import keyring.errors

    try:
        return (keyring.get_password(SERVICE, NAME) or "").strip()
    except (keyring.errors.KeyringError, RuntimeError, OSError):
        return ""


def store_token(token: str) -> None:
    """Into the keyring; raises UsageError for what is none, SkillAgentError without a keyring."""
    import keyring
    import keyring.errors

    token = token.strip()
    if not _SHAPE.fullmatch(token):
        raise UsageError(
            "this is no bot token", hint="@BotFather gives one: digits, a colon, 35 characters"
        )
    try:
        keyring.set_password(SERVICE, NAME, token)
    except (keyring.errors.KeyringError, RuntimeError, OSError) as error:
        raise SkillAgentError(
            f"the token cannot be kept in a keyring: {type(error).__name__}",
            hint=f"set {VARIABLE} where the host is started instead",
        ) from None


def forget_token() -> bool:
    """Out of the keyring; whether there was one."""
    import keyring
    import keyring.errors

    try:
        keyring.delete_password(SERVICE, NAME)
    except (keyring.errors.KeyringError, RuntimeError, OSError):
        return False
    return True
