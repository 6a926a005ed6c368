"""Answer with an utterance of training dialogues that a poly-encoder chooses (Smith et al. 2020, 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from modelhub.agents.base import BATCH, already_said, normalise
from modelhub.agents.spoken import Spoken
from modelhub.dialogue import Dialogue, Reply
from modelhub.errors import CheckpointError, NoCandidateLeft
from modelhub.polyencoder.bank import Bank
from modelhub.polyencoder.cores import held_for
from modelhub.polyencoder.given import score_given
from modelhub.polyencoder.ranker import Ranker, Texts
from modelhub.polyencoder.scoring import search_of
from modelhub.polyencoder.tokens import context_lines
from modelhub.progress import Progress


class RetrievalAgent:
    """The highest-scored candidate of a bank that was not said yet; ties go to the earlier candidate.

    Without a skill of its own, the skill of an answer is the data set that it came from.
    """

    def __init__(self, network: Ranker, text_encoder: Texts, bank: Bank, skill: str = "") -> None:
        if bank.embeddings.shape[1] != network.width:
            raise CheckpointError(
                f"a bank of width {bank.embeddings.shape[1]} for a network of width "
                f"{network.width}; embed the bank again."
            )
        self.network = network
        self.skill = skill
        self._text_encoder = text_encoder
        self._bank = bank
        self._device = network.device
        self._search = search_of(network, bank)
        self._spoken = Spoken(bank.texts)

    def reply(self, dialogues: Sequence[Dialogue]) -> list[Reply]:
        """Raises NoCandidateLeft when a talk has used the whole bank."""
        if not dialogues:
            return []
        values, places = self._best(dialogues, 1)
        rows = zip(dialogues, places[:, 0].tolist(), values[:, 0].tolist(), strict=True)
        return [self._answer(dialogue, place, score) for dialogue, place, score in rows]

    def suggest(self, dialogue: Dialogue, n: int) -> list[Reply]:
        """Replies that differ from one another; fewer than ``n`` when the bank has no more."""
        wanted = n
        while True:
            values, places = self._best([dialogue], wanted)
            replies: dict[str, Reply] = {}
            for place, score in zip(places[0].tolist(), values[0].tolist(), strict=True):
                if place >= 0:
                    replies.setdefault(normalise(self._bank.texts[place]), self._reply(place, score))
            if len(replies) >= n or wanted >= len(self._bank):
                return list(replies.values())[:n]
            wanted *= 2  # Some of the best say the same.

    def score(
        self,
        dialogues: Sequence[Dialogue],
        candidates: Sequence[Sequence[str]],
        *,
        batch: int = BATCH,
        progress: Progress | None = None,
    ) -> list[list[float]]:
        """Scores of given candidates (modelhub.agents.base.CandidateScorer); the bank takes no part."""
        contexts = [context_lines(dialogue) for dialogue in dialogues]
        return score_given(
            self.network, self._text_encoder, contexts, candidates, batch=batch, progress=progress
        )

    @torch.inference_mode()
    def _best(self, dialogues: Sequence[Dialogue], k: int) -> tuple[Tensor, Tensor]:
        """Scores and places of the k best that were not said, both (B, k); -inf and -1 where there are fewer."""
        tokens, mask = self._text_encoder.contexts([context_lines(dialogue) for dialogue in dialogues])
        said = [
            [place for text in already_said(dialogue) for place in self._spoken.places(text)]
            for dialogue in dialogues
        ]
        with held_for(self._device):
            views = self.network.encode_context(tokens.to(self._device), mask.to(self._device))
            return self._search.top(views, k, said)

    def _answer(self, dialogue: Dialogue, place: int, score: float) -> Reply:
        if place < 0:
            raise NoCandidateLeft(
                f"All {len(self._bank)} candidates of the bank were said in this talk of "
                f"{len(dialogue.said)} utterances; give the model a larger bank, or set shorter talks."
            )
        return self._reply(place, score)

    def _reply(self, place: int, score: float) -> Reply:
        return Reply(
            self._bank.texts[place],
            {
                "candidate": place,
                "source": self._bank.sources[place],
                "score": round(score, 4),
                "skill": self.skill or self._bank.sources[place],
            },
        )
