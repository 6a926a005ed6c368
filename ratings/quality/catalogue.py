"""Every rule: what it asks, its version, its default threshold with the reason, and what follows from a flag. Pure.

A rule's version changes with what it computes; findings keep the version that made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """What a study's policy says about a worker whom a rule flags."""

    EXCLUDE = "exclude"  # due for exclusion; a person or ``quality --apply`` carries it out
    REVIEW = "review"  # somebody should look
    OFF = "off"  # the rule is not asked


class About(StrEnum):
    """What a rule looks at."""

    WRITING = "writing"
    RATINGS = "ratings"
    TIME = "time"
    ACCOUNTS = "accounts"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Rule:
    """``threshold`` is the default; it lies within ``low`` and ``high``. ``unit`` says what it counts.

    ``review_only`` rules are signals that honest workers give too often: no policy may let them exclude.
    """

    name: str
    label: str
    about: About
    asks: str
    threshold: float
    unit: str
    why: str
    act: Act = Act.REVIEW
    low: float = 0.0
    high: float = 1.0
    review_only: bool = False
    version: int = 1


RULES: tuple[Rule, ...] = (
    Rule(
        "same_answer_everywhere",
        "One answer everywhere",
        About.RATINGS,
        "every rating of all talks is the same number, over at least this many talks",
        3,
        "talks",
        "With one talk 5 to 57 of 100 honest workers would be flagged, with three at most a few in a study of the "
        "paper's kind; each finding states its own probability.",
        Act.EXCLUDE,
        low=3,
        high=100,
    ),
    Rule(
        "same_answers_each_talk",
        "The same answers in each talk",
        About.RATINGS,
        "the four answers are the same in every talk, over at least this many talks",
        3,
        "talks",
        "The paper's other reading of “the same ratings across all conversations”.",
        Act.EXCLUDE,
        low=3,
        high=100,
    ),
    Rule(
        "unsafe_messages",
        "Unsafe messages",
        About.WRITING,
        "a message is unsafe with at least this probability, as the safety classifier says",
        0.9,
        "probability",
        "The built-in classifier is a weak filter: from .9 on it was right in all cases of its test, and still finds "
        "1 of 1,000 ordinary messages. The paper excludes; by default somebody reads the messages.",
    ),
    Rule(
        "short_messages",
        "Short messages",
        About.WRITING,
        "at least this share of the worker's messages has fewer than three words",
        0.5,
        "share of messages",
        "“Yes” and “thank you” are part of any talk; who writes little else says nothing that can be answered.",
        Act.EXCLUDE,
    ),
    Rule(
        "shouting",
        "All capitals",
        About.WRITING,
        "at least this share of the worker's messages is in capitals, and at least two are",
        0.2,
        "share of messages",
        "One shout is a mood; numbers and abbreviations are none.",
        Act.EXCLUDE,
    ),
    Rule(
        "repeating",
        "Repeats",
        About.WRITING,
        "at least this share of the worker's messages repeats an earlier one of the same talk, and at least two do",
        0.2,
        "share of messages",
        "Any repeat of three words or more counts, not only of the first message.",
        Act.EXCLUDE,
    ),
    Rule(
        "greeting_openings",
        "Greets in the middle",
        About.WRITING,
        "at least this share of the talks opens with a greeting although something was said before",
        0.5,
        "share of talks",
        "A rule of data collection: in a rated study the page shows what was said before, and many greet all the same.",
    ),
    Rule(
        "persona_copies",
        "Tries to copy the persona",
        About.WRITING,
        "in at least this share of the talks, and at least two, a copy of the persona was refused",
        0.5,
        "share of talks",
        "The copy was refused as it was sent, so the talk is none the worse; once is a misunderstanding.",
    ),
    Rule(
        "talk_time",
        "Hurried talks",
        About.TIME,
        "the worker's median talk takes less than this share of the study's median talk",
        1 / 3,
        "share of the study's median",
        "Flags .1 of 100 honest workers where talking speeds spread as in the simulations of docs/quality.md.",
    ),
    Rule(
        "message_time",
        "Hurried messages",
        About.TIME,
        "the worker's median time a message is less than this share of the study's",
        1 / 3,
        "share of the study's median",
        "As for talks; who is quick at everything is seen by both.",
    ),
    Rule(
        "pasted_text",
        "Pasted messages",
        About.WRITING,
        "at least this share of the messages was pasted, or came faster than anybody types",
        0.5,
        "share of messages",
        "The page counts keys and pastes without their content. People paste for good reasons too.",
        review_only=True,
    ),
    Rule(
        "copied_text",
        "The same text elsewhere",
        About.WRITING,
        "at least this many messages are nearly the same as messages of other talks",
        3,
        "messages",
        "Eight words or more, six shingles of ten alike; what over 20 workers say alike is a commonplace.",
        low=1,
        high=1000,
        review_only=True,
    ),
    Rule(
        "generated_text",
        "Reads as generated",
        About.WRITING,
        "at least this many messages hold what assistants write: stock phrases, lists, long dashes",
        2,
        "messages",
        "No rule can tell for sure; people write so, too.",
        low=1,
        high=1000,
        review_only=True,
    ),
    Rule(
        "unrelated_ratings",
        "Ratings unlike others'",
        About.RATINGS,
        "the chance of ratings so little like the others' is at most this for an honest worker",
        0.01,
        "probability",
        "Finds half of random raters and flags honest ones with a taste of their own: look, do not exclude.",
        review_only=True,
    ),
    Rule(
        "shared_account",
        "Shared device or network",
        About.ACCOUNTS,
        "at least this many other workers came from the same device or network",
        1,
        "workers",
        "Families, classrooms and cafés share networks; a shared device says more. Traces are kept 30 days.",
        low=1,
        high=1000,
        review_only=True,
    ),
    Rule(
        "attention",
        "Missed attention items",
        About.RATINGS,
        "at least this share of the attention items was answered otherwise than asked, and at least two were",
        0.5,
        "share of items",
        "One slip is human: of 1,000 who read, and slip at one item in fifty, at most three miss two and half of all.",
        review_only=True,
    ),
    Rule(
        "gold_talks",
        "Gold talks misjudged",
        About.RATINGS,
        "at least this share of the ratings of gold talks lies outside what was stated for them, and at least two do",
        0.5,
        "share of ratings",
        "A gold talk is one with a model whose failings anybody can see.",
        review_only=True,
    ),
    Rule(
        "unblinded",
        "The model named itself",
        About.MODEL,
        "at least this many replies of a talk name a model or say that it is a program",
        1,
        "replies",
        "The talk was not blind. It says nothing about the worker.",
        low=1,
        high=100,
        review_only=True,
    ),
)
BY_NAME = {rule.name: rule for rule in RULES}
