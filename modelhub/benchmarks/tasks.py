"""What a model is asked in a benchmark: a data set's examples, each with its candidates. No torch.

Candidates are those that the file lists, the same text counted once; where it lists none, the label and seeded
random labels of other dialogues of the split. Mixed candidates triple them with as many of each of the other two
single-skill tasks; added context gives every dialogue a persona and a topic (Smith et al. 2020, sections 3.2, 4.3).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modelhub.benchmarks.candidates import Question, TooFewLabels, questions
from modelhub.datasets import layout, personas
from modelhub.datasets.debias import debiased
from modelhub.datasets.episodes import Example, examples_of
from modelhub.datasets.errors import DatasetError, DatasetMissing
from modelhub.dialogue import Skill

SINGLE_SKILLS = (Skill.CONVAI2, Skill.WOW, Skill.ED)
#: Candidates of the paper's benchmarks (section 4.1); BST's files list 20.
CANDIDATES = {Skill.CONVAI2: 20, Skill.WOW: 100, Skill.ED: 100, Skill.BST: 20}
SEED = 7
PERSONA_LISTS = ("persona_list.txt", "topic_to_persona_list.txt")


class LabelNotListed(DatasetError):
    """A file's candidates for an example do not hold what was said."""

    code = "label_not_listed"


class NoExamples(DatasetError):
    """A split holds nothing that a model could be asked."""

    code = "no_examples"


@dataclass(frozen=True, slots=True)
class Options:
    """How a task is asked.

    ``split`` "" is test, and for ConvAI2 valid where there is no test, as its official one was never published.
    ``candidates`` is how many there are where the file lists none, 0 for the paper's number. ``max_examples``
    takes whole dialogues in a seeded order until there are so many; 0 takes all.
    """

    split: str = ""
    candidates: int = 0
    mixed_candidates: bool = False
    added_context: bool = False
    seed: int = SEED
    max_examples: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A task's questions, the label being each one's first candidate, and what they were made from.

    ``sha256`` is that of the questions: two models with the same one were asked the same.
    """

    task: Skill
    split: str
    options: Options
    questions: tuple[Question, ...]
    listed: int
    folder: Path
    data_sha256: str
    sha256: str

    @property
    def candidates_kind(self) -> str:
        """``listed`` by the file, ``random``, or ``both`` where the file lists some."""
        return "random" if not self.listed else "listed" if self.listed == len(self.questions) else "both"

    @property
    def dialogues(self) -> list[str]:
        """The dialogue of each question."""
        return [question.example.episode for question in self.questions]


def ask(task: Skill, folder: Path, options: Options) -> Asked:
    """Make the questions. Raises DatasetError, naming the file."""
    split = options.split or _default_split(task, folder)
    examples = _examples(task, split, folder, options)
    chosen = {example.dialogue.key for example in _bounded(examples, options)}
    made = [
        each
        for each in _questions(task, split, folder, examples, options)
        if each.example.dialogue.key in chosen
    ]
    listed = sum(bool(question.example.candidates) for question in made)
    if options.mixed_candidates:
        made = list(_mixed(made, task, folder, options))
    made = [_keyed(question, options.seed) for question in made]
    return Asked(
        task=task,
        split=split,
        options=options,
        questions=tuple(made),
        listed=listed,
        folder=folder,
        data_sha256=_data_sha256(task, split, folder, options),
        sha256=_questions_sha256(made),
    )


def _default_split(task: Skill, folder: Path) -> str:
    if task is Skill.CONVAI2:
        try:
            layout.find(task, "test", folder)
        except DatasetMissing:
            return "valid"
    return "test"


def _examples(task: Skill, split: str, folder: Path, options: Options) -> list[Example]:
    """The official side's examples."""
    episodes = layout.read(task, split, folder)
    if options.added_context:
        lists = personas.read(folder)
        episodes = [debiased(episode, lists, options.seed) for episode in episodes]
    if found := examples_of(episodes):
        return found
    raise NoExamples(f"{layout.find(task, split, folder)}: no utterance that a model could be asked for")


def _bounded(examples: Sequence[Example], options: Options) -> list[Example]:
    if not options.max_examples:
        return list(examples)
    order = list(dict.fromkeys(example.episode for example in examples))
    random.Random(f"{options.seed}/bound").shuffle(order)
    place = {episode: position for position, episode in enumerate(order)}
    # The sort is stable: a dialogue's examples keep their order.
    return sorted(examples, key=lambda example: place[example.episode])[: options.max_examples]


def _questions(
    task: Skill, split: str, folder: Path, examples: Sequence[Example], options: Options
) -> list[Question]:
    if all(example.candidates for example in examples):
        return [_listed(example, layout.find(task, split, folder)) for example in examples]
    try:
        drawn = questions(examples, options.seed, options.candidates or CANDIDATES[task])
    except TooFewLabels as error:
        raise _too_few(layout.find(task, split, folder), error) from error
    path = layout.find(task, split, folder)
    return [_listed(each.example, path) if each.example.candidates else each for each in drawn]


def _too_few(path: Path, error: TooFewLabels) -> TooFewLabels:
    return TooFewLabels(f"{path}: {error}; ask with fewer by --candidates")


def _listed(example: Example, path: Path) -> Question:
    if example.label not in example.candidates:
        raise LabelNotListed(
            f"{path}: {example.dialogue.key} (dialogue and turn, counted from 0): what was said is not among its "
            f"{len(example.candidates)} listed candidates; correct the file, or remove its candidates to draw them"
        )
    return Question(example, tuple(dict.fromkeys((example.label, *example.candidates))))


def _mixed(made: Sequence[Question], task: Skill, folder: Path, options: Options) -> Iterator[Question]:
    pools = {skill: _labels(skill, folder, options) for skill in SINGLE_SKILLS if skill is not task}
    for question in made:
        candidates = list(question.candidates)
        for skill, (path, labels) in pools.items():
            candidates += _others(question, candidates, path, labels, f"{options.seed}/{skill.value}")
        yield Question(question.example, tuple(candidates))


def _labels(skill: Skill, folder: Path, options: Options) -> tuple[Path, list[str]]:
    """What the other task's own benchmark asks for."""
    split = options.split or _default_split(skill, folder)
    labels = {example.label for example in examples_of(layout.read(skill, split, folder))}
    return layout.find(skill, split, folder), sorted(labels)


def _others(
    question: Question, taken: Sequence[str], path: Path, labels: Sequence[str], seed: str
) -> list[str]:
    """As many labels as the question had candidates of its own, none of them taken."""
    wanted = len(question.candidates)
    rng = random.Random(f"{seed}/{question.example.dialogue.key}")
    drawn = rng.sample(labels, min(len(labels), wanted + len(taken)))
    free = [label for label in drawn if label not in taken][:wanted]
    if len(free) < wanted:
        raise TooFewLabels(
            f"{path}: {len(labels)} different utterances are too few to draw {wanted} beside {len(taken)} others; "
            "ask with fewer by --candidates"
        )
    return free


def _keyed(question: Question, seed: int) -> Question:
    """With the seed in the dialogue's key: it draws Random-Skill's choice too."""
    dialogue = question.example.dialogue
    keyed = replace(dialogue, key=f"{seed}/{dialogue.key}")
    return replace(question, example=replace(question.example, dialogue=keyed))


def _data_sha256(task: Skill, split: str, folder: Path, options: Options) -> str:
    """Over the files that the questions were made from."""
    paths = [layout.find(task, split, folder)]
    if options.mixed_candidates:
        others = [skill for skill in SINGLE_SKILLS if skill is not task]
        paths += [
            layout.find(other, options.split or _default_split(other, folder), folder) for other in others
        ]
    if options.added_context:
        paths += [layout.auxiliary(name, folder) for name in PERSONA_LISTS]
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def _questions_sha256(made: Sequence[Question]) -> str:
    total = hashlib.sha256()
    for question in made:
        dialogue = question.example.dialogue
        said = [[utterance.speaker, utterance.text] for utterance in dialogue.said]
        context = [dialogue.context.model_persona, dialogue.context.topic, said]
        asked = [dialogue.key, context, question.candidates[0], sorted(question.candidates)]
        total.update(json.dumps(asked).encode() + b"\n")
    return total.hexdigest()
