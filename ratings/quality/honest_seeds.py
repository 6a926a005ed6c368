"""How often the rules flag honest workers: the study's own talks, held again by simulated honest workers.

For each seed every worker has as many talks as before, with the same models and as many messages. Ratings come from the
rating model fitted to the study, times from its pace, and texts from the lines of ``ratings.simulation``, answering the
replies that the models really gave. What the rules of the policy in force flag then is flagged falsely.

The texts are those of programs: for what people write the rates of docs/quality.md, measured on real dialogues, say
more. Rules that need what a simulation has not (typing, accounts, attention items, the classifier) flag nobody here and
are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from chat.models import Study
from ratings.models import Policy
from ratings.quality import columns, crowd, norms, reading
from ratings.quality.columns import Columns
from ratings.quality.evidence import Said, TalkWork, WorkerWork
from ratings.quality.norms import Norms
from ratings.quality.rules import Judge
from ratings.quality.study_ratings import UNRATED
from ratings.simulation.behaviours import Behaviour
from ratings.simulation.talking import Card, Talker

SEEDS = 20
#: Of a larger study so many workers are drawn; 20 seeds of them tell rates of one in a thousand.
MOST_WORKERS = 300
TOLD = (*crowd.RULES, "short_messages", "shouting", "repeating", "generated_text")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many honest workers a rule flagged, of how many over all seeds."""

    flagged: int
    workers: int

    @property
    def share(self) -> float:
        return self.flagged / self.workers if self.workers else 0.0


def rates(
    study: Study,
    policy: Policy,
    *,
    simulated: bool,
    seeds: int = SEEDS,
    on_progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Rate]:
    """The false-positive rate of each rule that the policy asks; empty for a study without rated talks."""
    judge = Judge(study, policy)
    everybody = columns.read(study, simulated=simulated)
    measured = norms.measure(everybody, judge.settings)
    if measured is None:
        return {}
    rng = Random(study.seed)
    people = sorted(rng.sample(everybody.people, min(MOST_WORKERS, len(everybody.people))))
    works = reading.read(people)
    data = columns.read(study, simulated=simulated, only=people)
    flagged: Counter[str] = Counter()
    for seed in range(seeds):
        flagged += _flags(judge, measured, data, works, seed)
        on_progress(seed + 1, seeds)
    asked = [name for name in TOLD if name in judge.settings]
    return {name: Rate(flagged[name], seeds * len(people)) for name in asked}


def _flags(
    judge: Judge, measured: Norms, data: Columns, works: Sequence[WorkerWork], seed: int
) -> Counter[str]:
    """Honest workers whom each rule flags, for one seed."""
    honest = _honest_numbers(data, measured, np.random.default_rng(seed))
    found = crowd.flags(honest, measured, judge.settings)
    counts = Counter(flag.rule for flags in found.values() for flag in flags)
    rng = Random(f"honest {seed}")
    for work in works:
        counts.update(flag.rule for flag in judge.flags(_honest_text(work, rng)) if flag.talk is None)
    return counts


def _honest_numbers(data: Columns, measured: Norms, rng: np.random.Generator) -> Columns:
    """The same talks, rated by the model and as long as honest ones."""
    table = data.ratings.talks
    answers = measured.honest.simulate(table, rng)
    row = {int(number): n for n, number in enumerate(table.number)}
    rows = np.array([row[int(talk)] for talk in data.rated_talk], dtype=np.int64)
    scores = answers[rows, data.axis]
    assert (scores != UNRATED).all()
    own = rng.standard_normal(len(data.people))
    pace = measured.talk
    spread = pace.between * own[data.worker] + pace.within * rng.standard_normal(len(data.worker))
    return replace(data, score=scores + data.ratings.low, seconds=np.exp(np.log(pace.median_s) + spread))


def _honest_text(work: WorkerWork, rng: Random) -> WorkerWork:
    return replace(work, talks=tuple(_spoken(talk, rng) for talk in work.talks))


def _spoken(talk: TalkWork, rng: Random) -> TalkWork:
    talker, heard = Talker(Behaviour.HONEST, Card(), rng), [text for _, text in talk.heard]
    said = tuple(Said(each.position, talker.next(heard[:n])) for n, each in enumerate(talk.said))
    return replace(talk, said=said)
