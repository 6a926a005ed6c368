"""Each reply comes from one of several agents, chosen uniformly at random (Smith et al. 2020)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from modelhub.agents.base import BATCH, Agent, CandidateScorer
from modelhub.dialogue import Dialogue, Reply
from modelhub.errors import AgentFailed
from modelhub.progress import Progress


class RandomSkillAgent:
    """Chance is seeded by the talk and its length: asked again, it chooses the same skill."""

    def __init__(self, parts: Mapping[str, Agent]) -> None:
        self.parts = dict(parts)
        self._skills = list(self.parts)

    def choose(self, dialogue: Dialogue) -> str:
        """The skill that answers; uniform over talks and turns.

        A hash and not ``random.Random``: the choice must outlive Python's version.
        """
        seed = f"{dialogue.key}\n{len(dialogue.utterances)}".encode()
        drawn = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big")
        return self._skills[drawn % len(self._skills)]

    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        return reply_by_skill(self.parts, dialogues, [self.choose(dialogue) for dialogue in dialogues])

    def suggest(self, dialogue: Dialogue, n: int) -> list[Reply]:
        return suggest_by_skill(self.parts, dialogue, n, self.choose(dialogue))

    def score(
        self,
        dialogues: Sequence[Dialogue],
        candidates: Sequence[Sequence[str]],
        *,
        batch: int = BATCH,
        progress: Progress | None = None,
    ) -> list[list[float]]:
        """Scores by the skill that would answer (modelhub.agents.base.CandidateScorer)."""
        skills = [self.choose(dialogue) for dialogue in dialogues]
        return score_by_skill(self.parts, dialogues, candidates, skills, batch, progress)


def reply_by_skill(
    parts: Mapping[str, Agent], dialogues: Sequence[Dialogue], skills: Sequence[str]
) -> list[Reply]:
    """Each dialogue's reply by the part of its skill; each part is asked once."""
    replies: dict[int, Reply] = {}
    for skill, part in parts.items():
        places = [place for place, chosen in enumerate(skills) if chosen == skill]
        if places:
            answers = part.reply([dialogues[place] for place in places])
            replies.update(zip(places, (_chosen(answer, skill) for answer in answers), strict=True))
    return [replies[place] for place in range(len(dialogues))]


def suggest_by_skill(parts: Mapping[str, Agent], dialogue: Dialogue, n: int, skill: str) -> list[Reply]:
    return [_chosen(reply, skill) for reply in parts[skill].suggest(dialogue, n)]


def score_by_skill(
    parts: Mapping[str, Agent],
    dialogues: Sequence[Dialogue],
    candidates: Sequence[Sequence[str]],
    skills: Sequence[str],
    batch: int,
    progress: Progress | None,
) -> list[list[float]]:
    """Each dialogue's candidates' scores by the part of its skill; each part is asked once.

    Raises AgentFailed for a part that cannot score given candidates.
    """
    found: dict[int, list[float]] = {}
    for skill, part in parts.items():
        places = [place for place, chosen in enumerate(skills) if chosen == skill]
        if not places:
            continue
        if not isinstance(part, CandidateScorer):
            raise AgentFailed(
                f"the part for {skill} cannot score given candidates; make the model of retrieval models."
            )
        scores = part.score(
            [dialogues[place] for place in places],
            [candidates[place] for place in places],
            batch=batch,
            progress=_prefixed(progress, skill),
        )
        found.update(zip(places, scores, strict=True))
    return [found[place] for place in range(len(dialogues))]


def _prefixed(progress: Progress | None, skill: str) -> Progress | None:
    if progress is None:
        return None
    return lambda what, done, total: progress(f"{what} of {skill}", done, total)


def _chosen(reply: Reply, skill: str) -> Reply:
    return Reply(reply.text, {**reply.evidence, "skill": skill})
