"""A dialogue manager picks the skill of each turn; that skill's agent answers (Smith et al. 2020, 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from modelhub.agents.base import Agent
from modelhub.agents.random_skill import reply_by_skill, suggest_by_skill
from modelhub.dialogue import Dialogue, Reply
from modelhub.errors import CheckpointError
from modelhub.polyencoder.cores import core
from modelhub.polyencoder.manager import SkillClassifier
from modelhub.polyencoder.tokens import TextEncoder, said_lines


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

    @torch.inference_mode()
    def shares(self, dialogues: Sequence[Dialogue]) -> list[dict[str, float]]:
        """The manager's probability (0-1) of each skill, for each dialogue."""
        config = self.manager.config
        tokens, mask = self._text_encoder.contexts([said_lines(d, config.last_utterances) for d in dialogues])
        device = next(self.manager.parameters()).device
        with core:
            rows = self.manager(tokens.to(device), mask.to(device)).softmax(-1).tolist()
        return [dict(zip(config.classes, row, strict=True)) for row in rows]


def _with_manager(reply: Reply, share: Mapping[str, float]) -> Reply:
    return Reply(
        reply.text, {**reply.evidence, "manager": {skill: round(p, 4) for skill, p in share.items()}}
    )
