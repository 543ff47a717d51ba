"""Who an agent is, in words: the first layer of its system prompt, from its DNA."""

import re
from collections.abc import Sequence

from .dna import AgentDNA


def identity_text(dna: AgentDNA) -> str:
    """Layer 1: who the agent is, from its DNA."""
    persona = dna.personality
    if persona.system_prompt_template:
        return _fill(persona.system_prompt_template, dna)
    opening = f"You are {dna.name}" + (f", {_lower_first(dna.tagline)}" if dna.tagline else "")
    parts = [
        opening.rstrip(".") + ".",
        _traits(persona.traits),
        f"Your tone is {persona.tone}; your answers are {persona.verbosity} and "
        f"{persona.formality}. Answer in the language with code '{persona.language}'.",
        _rules("Always", persona.always_rules),
        _rules("Never", persona.never_rules),
        _can("You can help with", dna.boundaries.can_do),
        _can("You do not do", dna.boundaries.cannot_do),
        persona.custom_instructions.strip(),
        _voice(dna),
    ]
    return "\n".join(part for part in parts if part)


def _fill(template: str, dna: AgentDNA) -> str:
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
        "never_rules": _rules("Never", persona.never_rules),
        "voice_examples": _voice(dna),
        "custom_instructions": persona.custom_instructions.strip(),
    }
    return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), template).strip()


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _traits(traits: dict[str, float]) -> str:
    if not traits:
        return ""
    ranked = sorted(traits.items(), key=lambda pair: (-pair[1], pair[0]))
    words = ", ".join(f"{_degree(weight)}{name.replace('_', ' ')}" for name, weight in ranked)
    return f"You are {words}."


def _degree(weight: float) -> str:
    return "very " if weight >= 0.85 else "" if weight >= 0.5 else "slightly "


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
