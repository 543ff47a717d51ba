"""What is said in passing: greetings, moods, weather, and what concerns this conversation alone.

Rules of plain English over clauses; what they let through, a model may still sort out.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

_OPENS = re.compile(
    r"^(?:thanks?|thank you|thx|cheers|great|cool|nice|ok(?:ay)?|yes|yeah|yep|no|nope|sure|good|"
    r"perfect|sounds|hello|hi|hey+|kia ora|salaam|bye|see you|talk|never ?mind|got it|i see|"
    r"i understand|makes sense|awesome|lovely|exactly|right|true|i agree|haha|lol|wow|interesting|"
    r"puh|phew|ugh|argh|whew|oof|what an?\b|so (?:tired|true|funny|nice)|way (?:better|worse)|"
    r"more (?:formal|casual)|you won[’']?t believe|you know|guess what|same here|me too|"
    r"that(?:[’']s| is| was| sounds| looks| makes| helps| works| would|[’']d|[’']ll) (?!(?:my|our|"
    r"the reason|why|when|where|how)\b)|"
    r"(?:hold on|one sec|hang on|wait)|(?:one|a) (?:more|last|quick) (?:thing|one|question)$|"
    r"quick (?:one|question)|no (?:worries|problem|rush|idea)|fingers crossed|"
    r"(?:left|right) (?:it )?there)\b",
    re.IGNORECASE,
)
_HERE = re.compile(
    r"\b(?:your (?:answer|reply|help|suggestion|advice|idea)s?|this (?:error|code|bug|script|chat|"
    r"conversation)|you (?:are|were|can|could|said|gave|asked|mentioned|suggested)|"
    r"tell you|ask you|let you know|remind me (?:how|what|why|which|who|where)|"
    r"catch you|chat (?:later|soon)|"
    r"good (?:idea|point|morning|night|luck)|not much (?:else )?(?:new|going on|happening))\b",
    re.IGNORECASE,
)
_MOOD = (
    r"stuck|confused|trying|looking for|back|here|done|ready|wondering|curious|fine|ok(?:ay)?|"
    r"good|happy|sorry|not sure|bored|tired|exhausted|sleepy|hungry|thirsty|starving|wiped|beat|"
    r"knackered|in a (?:hurry|rush)|glad|excited|nervous|stressed|grumpy|sad|late|cold|hot|"
    r"off to|heading|about to|running (?:late|out)|just (?:about|checking|saying|thinking|"
    r"wondering|kidding|curious|tired|bored)|so (?:glad|happy|tired|sorry|excited|bored)|"
    r"having (?:a |my )?(?:coffee|tea|lunch|dinner|breakfast|break|good|great|bad|rough|slow|busy)|"
    r"not (?:sure|feeling|really)|feeling|guessing|thinking|hoping|afraid|kidding|joking|asking"
)
_SELF = re.compile(
    rf"^(?:I(?:[’']m| am)|we(?:[’']re| are))(?: (?:just|still|a bit|a little|really|very|so|pretty|"
    rf"quite|kind of|all|also|already|now|feeling))* (?:{_MOOD})\b(?!.*\b(?:every|since|until)\b)",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"^I (?:(?:just|really|still|also|only) )*(?:need (?:a|some|your|you|to ask|help|coffee|sleep|"
    r"to (?:go|run|think))|want (?:you|to (?:know|see|ask))|think|guess|see|mean|wonder|hope|"
    r"suppose|tried|did|misread|misspoke|will try|feel|look forward|"
    r"have to (?:go|run|dash)|(?:must|should|gotta|better) (?:go|run|dash|get (?:back|going))|"
    r"had (?:a|an) (?:\w+ ){0,2}(?:day|week|weekend|morning|night|evening|lunch|dinner|breakfast|"
    r"coffee|sleep|meal|sandwich)|slept|"
    r"don[’']?t (?:know|understand|get|think|mind|remember|care|feel like)|"
    r"can[’']?t (?:complain|wait|believe|remember|think|decide|tell))\b|"
    r"^I(?:[’']ll| will) (?:try|see|check|think|let|do that|have a look|take a look|get back|"
    r"be (?:back|right)|ask)\b|"
    r"^I(?:[’']d| would) (?:love|like|need) (?:some |a |an |your |to (?:know|hear|see) )|"
    r"^I (?:have|had|got) (?:a|an|another|one|some) (?:quick )?(?:question|idea|problem|error|"
    r"issue|bug)\b",
    re.IGNORECASE,
)
_WEATHER = re.compile(
    r"^(?:(?:it|the weather|the sun|the rain|the traffic|traffic|weather)(?:[’']s|[’']ll)?\b|"
    r"(?:still )?(?:raining|snowing|sunny|freezing|pouring|boiling|grey|windy|foggy)\b)"
    r".*?\b(?:rain\w*|snow\w*|sun(?:ny|shine)?|cold|hot|warm|wet|windy?|grey|gray|cloudy|freezing|"
    r"pouring|boiling|lovely|beautiful|nice|awful|terrible|horrible|miserable|gorgeous|crazy|bad|"
    r"mad|shining|again|chilly|humid|foggy|outside)\b|^(?:raining|snowing|pouring)\b",
    re.IGNORECASE,
)
_PASSES = re.compile(
    r"^(?:pretty|really|very|quite|so|not|all|doing|going)*\s*(?:well|good|fine|ok(?:ay)?|great|"
    r"bad|tired|busy|much|alright|same|nothing)\b.{0,14}$|"
    r"^I was (?:just |actually )?(?:thinking|wondering|hoping|curious)\b|"
    r"^(?:(?:loved?|liked?|enjoyed?|hated?) (?:it|that|them)|will do|can do|sure thing)\b",
    re.IGNORECASE,
)
_DAY = re.compile(
    r"^(?:(?:my|the|this|today|tonight|yesterday|what a|it[’']s been|been|such)\b)?\s*"
    r"(?:an?|the|my|whole)?\s*(?:(?:\w+ ){0,2})?"
    r"(?:day|week|weekend|morning|evening|night|monday|friday|commute|"
    r"lunch|coffee|meeting)\b(?: at work| today| so far| again| this morning)*"
    r"(?:(?:[’']s| is| was| has been| went| feels?| felt)(?: (?:a bit|so|really|pretty|very|quite|"
    r"going|been|just|kind of|super|too))*"
    r" (?:long|busy|quiet|slow|good|great|fine|ok(?:ay)?|nice|lovely|rough|hectic|awful|terrible|"
    r"crazy|relaxing|fun|tiring|over|here|well|bad|boring|hard|short|brutal|productive|amazing|"
    r"dragging))?(?: (?:again|today|already|so far|though|at last|here))*$",
    re.IGNORECASE,
)


_TELLING = re.compile(
    r"\d|(?<=[\w,] )(?!I\b)[A-Z][\w’'-]+|\b(?:every|each|always|never|only|usually|must|has to|"
    r"have to|allerg\w+|vegan|vegetarian|favou?rite|prefer\w*|love[sd]?|hate[sd]?|avoid|skip|"
    r"decided|agreed|moving|moved|married|wedding|deadline|due|since|until|"
    r"mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|january|february|"
    r"april|june|july|august|september|october|november|december|next (?:week|month|year)|"
    r"last (?:month|year)|wife|husband|partner|son|daughter|kids?|mother|mum|mom|father|dad|"
    r"two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|half|third|fourth|fortnight|"
    r"no (?!problem|worries|idea|rush|doubt|one|way)\w+|(?:for|since|until) .*(?:weeks?|months?|"
    r"years?)|sister|brother|boss|manager|colleague|neighbou?r|dog|cat|landlord|doctor|instead)\b"
)
_FLEETING = re.compile(
    r"\b(?:today|tonight|this (?:morning|afternoon|evening)|last night|right now|for now|"
    r"at the moment|just now|lol|haha)\b",
    re.IGNORECASE,
)


_TODAY = re.compile(
    r"\b(?:today|tonight|this (?:morning|afternoon|evening)|right now|at the moment)\b",
    re.IGNORECASE,
)


def telling(text: str) -> bool:
    """Whether a clause has a number, a name, a rule or a relative in it, and not just today."""
    return bool(_TELLING.search(text)) and not _FLEETING.search(text)


def in_passing(text: str) -> bool:
    """Whether a clause is small talk or about this conversation only."""
    return any(
        rule.search(text) for rule in (_OPENS, _HERE, _SELF, _DOES, _WEATHER, _DAY, _PASSES)
    ) or (bool(_TODAY.search(text)) and not _TELLING.search(text))


_ONCE = re.compile(
    r"^(?:I|we)(?:[’']ve| have)?(?: (?:\w+ly|just|also|even|had to))* "
    r"(?:watched|laughed|cooked|napped|"
    r"went|had|got|saw|ate|came|slept|woke|did|was|were|made|felt|spent|forgot|overslept|tried)\b|"
    r"^(?:I[’']m|I am|we[’']re|we are) (?:\w+ )?\w+ing\b",
    re.IGNORECASE,
)


def may_pass(text: str) -> bool:
    """Whether a clause tells of a moment: what somebody did once or is just doing."""
    return bool(_ONCE.match(text) or _FLEETING.search(text))


_OPEN = re.compile(
    r"(?:.*[,.] )?(?:and |so )?(?:what|which|where|who|when|how (?:many|much|long|often|old))\b"
    r"(?![’']?s? (?:is |are |else )?(?:up|new|going on|on your)\b)",
    re.IGNORECASE,
)


def asks_for_a_fact(question: str) -> bool:
    """Whether a question asks what, who, when or how many, and not how somebody is."""
    return bool(_OPEN.match(question))
