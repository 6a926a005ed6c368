"""The rules of one study's policy, asked of a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from chat.models import Study
from ratings.models import Policy
from ratings.quality import reading, writing
from ratings.quality.attention import attention, gold_talks
from ratings.quality.disclosure import Disclosure
from ratings.quality.evidence import Flag, TalkWork, WorkerWork
from ratings.quality.policy import settings_of
from ratings.quality.typed import generated_text, pasted_text

#: Rules about one worker's work: the work and the threshold.
ALONE: Mapping[str, Callable[[WorkerWork, float], Flag | None]] = {
    "short_messages": writing.short_writing,
    "shouting": writing.shouting,
    "repeating": writing.repeating,
    "greeting_openings": writing.greeting_openings,
    "persona_copies": writing.persona_copies,
    "unsafe_messages": writing.unsafe_messages,
    "pasted_text": pasted_text,
    "generated_text": generated_text,
    "attention": attention,
    "gold_talks": gold_talks,
}


class Judge:
    """Asks whatever the policy asks and one worker's work alone can answer."""

    #: Findings of these are cleared when they hold no longer.
    rules = (*ALONE, "unblinded")

    def __init__(self, study: Study, policy: Policy) -> None:
        self.policy = policy
        self.settings = settings_of(policy)
        disclosure = Disclosure(reading.arms_names(study))
        # Retrieved replies come again and again.
        self._discloses = lru_cache(maxsize=100_000)(disclosure.in_text)

    def flags(self, work: WorkerWork) -> list[Flag]:
        """Everything that is found when one looks at this worker alone."""
        return [*self._alone(work), *self._unblinded(work)]

    def _alone(self, work: WorkerWork) -> Iterator[Flag]:
        for name, rule in ALONE.items():
            if name in self.settings and (flag := rule(work, self.settings[name].threshold)):
                yield flag

    def _unblinded(self, work: WorkerWork) -> Iterator[Flag]:
        if "unblinded" in self.settings:
            yield from filter(None, map(self._unblinded_talk, work.talks))

    def _unblinded_talk(self, talk: TalkWork) -> Flag | None:
        positions = [position for position, text in talk.heard if self._discloses(text)]
        if len(positions) < self.settings["unblinded"].threshold:
            return None
        return Disclosure.flag(talk, positions)
