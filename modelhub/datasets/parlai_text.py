"""Examples as ParlAI builds them: what published models read, and what published sizes count.

ParlAI shows a dialogue turn by turn. The first text holds what stands before the dialogue, a line each: the model's
persona, the topic, the seed pair; every text ends with what the other side said last. A model keeps earlier texts
and labels as its history, parted by newlines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelhub.datasets.convai2 import PERSONA
from modelhub.datasets.episodes import Episode, Example, examples
from modelhub.dialogue import Context, Skill, Speaker, Utterance


@dataclass(frozen=True, slots=True)
class Act:
    """One turn of ParlAI's: ``text`` is what is new since the last one, ``label`` what a person answered."""

    text: str
    label: str
    candidates: tuple[str, ...]
    episode_done: bool


def acts(episode: Episode) -> list[Act]:
    """The dialogue's turns from the model's side."""
    built = list(official_examples(episode))
    return [Act(text(each), label(each), each.candidates, episode_done=each is built[-1]) for each in built]


def official_examples(episode: Episode) -> Iterator[Example]:
    """The examples that published sizes and results count.

    Where a wizard begins, ParlAI leaves out that wizard's last turn (18,430 train dialogues of WoW have 74,092
    examples). Everything else is as ``examples`` has it.
    """
    built = list(examples(episode))
    wizard_begins = episode.source is Skill.WOW and episode.turns[0].speaker is Speaker.MODEL
    yield from built[:-1] if wizard_begins else built


def text(example: Example) -> str:
    """What is new since the last example of the same dialogue."""
    said = _heard(example)
    last = [utterance.text for utterance in said[-1:] if utterance.speaker is Speaker.WORKER]
    if any(utterance.speaker is Speaker.MODEL for utterance in said):
        return "\n".join(last)
    return "\n".join(_before(example.dialogue.context) + last)


def history(example: Example) -> str:
    """Everything that a model reads before it answers."""
    said = [utterance.text for utterance in _heard(example)]
    return "\n".join(_before(example.dialogue.context) + said)


def label(example: Example) -> str:
    """The answer; ED's are shown without outer white space."""
    return example.label.strip() if example.source is Skill.ED else example.label


def _before(context: Context) -> list[str]:
    """What stands before the dialogue. An ED situation is never shown, and no persona of the other side."""
    persona = [PERSONA + sentence for sentence in context.model_persona]
    topic = [context.topic] if context.topic else []
    return persona + topic + [seed.text for seed in context.seeds]


def _heard(example: Example) -> tuple[Utterance, ...]:
    """What was said, as far as ParlAI shows it: ED from the speaker's side begins with what the listener said."""
    said = example.dialogue.utterances
    if example.source is Skill.ED:
        while said and said[0].speaker is Speaker.MODEL:
            said = said[1:]
    return said
