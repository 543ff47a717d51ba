"""Every rule that reads a fact in a clause, in the order they are asked."""

from collections.abc import Iterator

from .clauses import Clause
from .fact import Fact, sentence
from .identity_rules import name, place_and_age, work
from .people_rules import people
from .taste_rules import taste
from .third_person import third_person
from .work_rules import work_facts


def facts_in(clause: Clause) -> Iterator[Fact]:
    """Identity rules may all apply to a clause, of the others the first."""

    text, quote = clause.text, clause.quote
    identity = [*name(text, quote), *work(text, quote), *place_and_age(text, quote)]
    yield from identity
    if identity:
        return
    for rule in (
        people(text, quote),
        taste(text, quote),
        work_facts(text, quote, clause.following),
    ):
        if rest := list(rule):
            yield from rest
            return
    if clause.asked and len(text.split()) >= 3:
        yield Fact(
            content=sentence(third_person(text)),
            memory_type="semantic",
            subject=None,
            importance=10,
        )
