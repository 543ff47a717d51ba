"""Who an agent is, in words: the first layer of its system prompt, from its DNA."""

import re
from collections.abc import Sequence

from .dna import AgentDNA, Personality


def identity_text(dna: AgentDNA) -> str:
    """Layer 1: who the agent is, from its DNA."""
    persona = dna.personality
    if persona.system_prompt_template:
        return _fill(persona.system_prompt_template, dna)
    parts = [
        f"{_opening(dna)} {_traits(persona.traits)}".strip(),
        _manner(persona),
        _rules("Always", persona.always_rules),
        _can("You can help with", dna.boundaries.can_do),
        _rules("Never", (*persona.never_rules, *dna.boundaries.cannot_do)),
        persona.custom_instructions.strip(),
        _voice(dna),
    ]
    return "\n".join(part for part in parts if part)


def short_identity(dna: AgentDNA) -> str:
    """The same in a few sentences, for a model that copies what it is shown: no examples, and what
    the agent is good at is left to its tagline."""
    persona = dna.personality
    if persona.system_prompt_template:
        return _fill(persona.system_prompt_template, dna, examples=False)
    parts = [
        f"{_opening(dna)} {_traits(persona.traits)}".strip(),
        _manner(persona),
        *(f"{_capital(rule).rstrip('.')}." for rule in persona.always_rules),
        _rules("Never", (*persona.never_rules, *dna.boundaries.cannot_do)),
        persona.custom_instructions.strip(),
    ]
    return " ".join(part for part in parts if part)


def _opening(dna: AgentDNA) -> str:
    """A tagline speaks to the person, the prompt to the agent: "your" is not the agent's."""
    tagline = re.sub(r"^your\b", "the user's", _lower_first(dna.tagline).strip().rstrip("."))
    return f"You are {dna.name}, {tagline}." if tagline else f"You are {dna.name}."


_TONES = {
    "professional": "professional",
    "friendly": "warm and friendly",
    "casual": "casual",
    "academic": "precise, as among scholars",
    "playful": "playful",
    "empathetic": "gentle and understanding",
    "direct": "direct",
}
_LENGTHS = {
    "concise": "You use few words.",
    "detailed": "You explain things in detail.",
    "verbose": "You explain things at length.",
}
_FORMS = {"formal": "and formal", "informal": "and informal"}
"""Settings that change nothing have no words here."""


def _manner(persona: Personality) -> str:
    tone = _TONES.get(persona.tone, "")
    words = " ".join(filter(None, (tone, _FORMS.get(persona.formality, ""))))
    manner = f"Your tone is {words.removeprefix('and ')}." if words else ""
    return f"{manner} {_LENGTHS.get(persona.verbosity, '')}".strip()


def _fill(template: str, dna: AgentDNA, *, examples: bool = True) -> str:
    """Puts the fields in by name and leaves every other brace as it is."""
    persona = dna.personality
    values = {
        "name": dna.name,
        "tagline": dna.tagline,
        "tone": persona.tone,
        "verbosity": persona.verbosity,
        "formality": persona.formality,
        "traits": _traits(persona.traits),
        "always_rules": _rules("Always", persona.always_rules),
        "never_rules": _rules("Never", (*persona.never_rules, *dna.boundaries.cannot_do)),
        "voice_examples": _voice(dna) if examples else "",
        "custom_instructions": persona.custom_instructions.strip(),
    }
    return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), template).strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _traits(traits: dict[str, float]) -> str:
    if not traits:
        return ""
    ranked = sorted(traits.items(), key=lambda pair: (-pair[1], pair[0]))
    words = [f"{_degree(weight)}{name.replace('_', ' ')}" for name, weight in ranked]
    return f"You are {_listed(words)}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _degree(weight: float) -> str:
    return "very " if weight >= 0.9 else "" if weight >= 0.5 else "a little "


def _rules(word: str, rules: Sequence[str]) -> str:
    return f"{word}: " + "; ".join(rule.rstrip(".") for rule in rules) + "." if rules else ""


def _can(words: str, things: Sequence[str]) -> str:
    return f"{words}: " + ", ".join(things) + "." if things else ""


def _voice(dna: AgentDNA) -> str:
    examples = dna.personality.voice_examples
    if not examples:
        return ""
    lines = [f"- User: {e.user_message}\n  {dna.name}: {e.agent_response}" for e in examples]
    return "How you sound:\n" + "\n".join(lines)
