"""A dialogue manager picks the skill of each turn; that skill's agent answers (Smith et al. 2020, 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from modelhub.agents.base import BATCH, Agent
from modelhub.agents.random_skill import reply_by_skill, score_by_skill, suggest_by_skill
from modelhub.dialogue import Dialogue, Reply
from modelhub.errors import CheckpointError
from modelhub.polyencoder.cores import held_for
from modelhub.polyencoder.manager import SkillClassifier
from modelhub.polyencoder.tokens import TextEncoder, said_lines
from modelhub.progress import Progress

#: The manager's two best classes closer than this: rounding could turn them with the other dialogues of a batch.
EVEN = 1e-4


class TwoStageAgent:
    """The manager reads what was said, without persona and topic, as it was trained."""

    def __init__(
        self, manager: SkillClassifier, text_encoder: TextEncoder, parts: Mapping[str, Agent]
    ) -> None:
        if missing := sorted(set(manager.config.classes) - set(parts)):
            raise CheckpointError(
                f"the manager chooses {', '.join(missing)}, but no part has that skill; "
                f"parts are {', '.join(sorted(parts))}. Register one model for each class."
            )
        self.manager = manager
        self.parts = dict(parts)
        self._text_encoder = text_encoder

    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        if not dialogues:
            return []
        shares = self.shares(dialogues)
        chosen = [max(share, key=lambda skill: share[skill]) for share in shares]
        replies = reply_by_skill(self.parts, dialogues, chosen)
        return [_with_manager(reply, share) for reply, share in zip(replies, shares, strict=True)]

    def suggest(self, dialogue: Dialogue, n: int) -> list[Reply]:
        share = self.shares([dialogue])[0]
        skill = max(share, key=lambda name: share[name])
        return [_with_manager(reply, share) for reply in suggest_by_skill(self.parts, dialogue, n, skill)]

    def score(
        self,
        dialogues: Sequence[Dialogue],
        candidates: Sequence[Sequence[str]],
        *,
        batch: int = BATCH,
        progress: Progress | None = None,
    ) -> list[list[float]]:
        """Scores by the skill that the manager picks (modelhub.agents.base.CandidateScorer)."""
        skills = self.choose(dialogues, batch, progress)
        return score_by_skill(self.parts, dialogues, candidates, skills, batch, progress)

    def choose(
        self, dialogues: Sequence[Dialogue], batch: int = BATCH, progress: Progress | None = None
    ) -> list[str]:
        """The skill that answers each dialogue, whatever the size of the batch; many dialogues are welcome."""
        by_length = sorted(range(len(dialogues)), key=lambda place: _characters(dialogues[place]))
        found: dict[int, str] = {}
        for start in range(0, len(by_length), batch):
            places = by_length[start : start + batch]
            shares = self.shares([dialogues[place] for place in places])
            found.update(
                (place, self._favourite(dialogues[place], share))
                for place, share in zip(places, shares, strict=True)
            )
            if progress:
                progress("manager's choices", len(found), len(dialogues))
        return [found[place] for place in range(len(dialogues))]

    def _favourite(self, dialogue: Dialogue, share: Mapping[str, float]) -> str:
        """The likeliest skill; an even contest is decided by what the dialogue gives alone."""
        first, second = sorted(share.values(), reverse=True)[:2]
        decided = self.shares([dialogue])[0] if first - second < EVEN else share
        return max(decided, key=lambda skill: decided[skill])

    @torch.inference_mode()
    def shares(self, dialogues: Sequence[Dialogue]) -> list[dict[str, float]]:
        """The manager's probability (0-1) of each skill, for each dialogue."""
        config = self.manager.config
        tokens, mask = self._text_encoder.contexts([said_lines(d, config.last_utterances) for d in dialogues])
        device = next(self.manager.parameters()).device
        with held_for(device):
            rows = self.manager(tokens.to(device), mask.to(device)).softmax(-1).tolist()
        return [dict(zip(config.classes, row, strict=True)) for row in rows]


def _with_manager(reply: Reply, share: Mapping[str, float]) -> Reply:
    return Reply(
        reply.text, {**reply.evidence, "manager": {skill: round(p, 4) for skill, p in share.items()}}
    )


def _characters(dialogue: Dialogue) -> int:
    return sum(len(utterance.text) for utterance in dialogue.said)
