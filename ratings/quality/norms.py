"""What single workers are measured against: how honest workers rate and how long they take, in this study.

Norms are measured from all finished talks of one population and stored. They are measured again by each whole run, and
when a quarter more talks were finished since: so a study's first talks are judged anew often, its last ones seldom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chat.models import Conversation, Study
from ratings.models import StudyNorms
from ratings.quality import columns
from ratings.quality.columns import Columns
from ratings.quality.honest import HonestModel, fit_honest_model
from ratings.quality.normal_scores import Shares
from ratings.quality.pace import PaceModel, expected_hurried, fit_pace
from ratings.quality.policy import Setting
from ratings.quality.repeated_answers import Reading

#: Norms of so many talks hold until there are a quarter more.
GROWTH = 1.25


@dataclass(frozen=True)
class Norms:
    """``talk`` and ``message`` are the paces of a talk and of a message, in seconds.

    ``expected`` are flags that honest workers with the talks of this study would get, by rule.
    """

    talks: int
    arms: tuple[int, ...]
    honest: HonestModel
    talk: PaceModel
    message: PaceModel
    expected: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        return {
            "arms": list(self.arms),
            # The first and the last cut are infinite, which JSON has no word for.
            "cuts": self.honest.cuts[..., 1:-1].tolist(),
            "shares": asdict(self.honest.shares),
            "talk": asdict(self.talk),
            "message": asdict(self.message),
            "expected": dict(self.expected),
        }

    @classmethod
    def from_json(cls, talks: int, values: Mapping[str, Any]) -> Norms:
        inner = np.array(values["cuts"], dtype=float)
        ends = np.full((*inner.shape[:2], 1), np.inf)
        return cls(
            talks=talks,
            arms=tuple(values["arms"]),
            honest=HonestModel(np.concatenate([-ends, inner, ends], axis=-1), Shares(**values["shares"])),
            talk=PaceModel(**values["talk"]),
            message=PaceModel(**values["message"]),
            expected=values["expected"],
        )


def measure(data: Columns, settings: Mapping[str, Setting]) -> Norms | None:
    """Norms of these talks; None without a rated one."""
    if not len(data.score):
        return None
    honest = fit_honest_model(data.ratings)
    talk = fit_pace(data.worker, data.seconds)
    message = fit_pace(data.worker, data.message_seconds)
    return Norms(
        talks=len(data.talks),
        arms=data.arms,
        honest=honest,
        talk=talk,
        message=message,
        expected={
            name: flags
            for name, flags in _expected(data, honest, talk, message, settings).items()
            if name in settings
        },
    )


def _expected(
    data: Columns,
    honest: HonestModel,
    talk: PaceModel,
    message: PaceModel,
    settings: Mapping[str, Setting],
) -> dict[str, float]:
    """Expected flags if everybody were honest: the sum of each one's own probability."""
    talks_of = np.bincount(data.worker)
    found = {}
    for reading in Reading:
        if reading.value in settings:
            judged = data.ratings.talks.of(talks_of >= settings[reading.value].threshold)
            found[reading.value] = float(np.nansum(honest.null_probabilities(judged, reading)))
    times = {"talk_time": (data.seconds, talk), "message_time": (data.message_seconds, message)}
    for name, (seconds, pace) in times.items():
        if name in settings:
            found[name] = expected_hurried(data.worker, seconds, settings[name].threshold, pace)
    return found


def store(study: Study, norms: Norms, *, simulated: bool) -> None:
    StudyNorms.objects.update_or_create(
        study=study, simulated=simulated, defaults={"talks": norms.talks, "values": norms.as_json()}
    )


def current(study: Study, settings: Mapping[str, Setting], *, simulated: bool) -> Norms | None:
    """The stored norms; measured anew where there are none or many talks were finished since. None without a talk."""
    stored = StudyNorms.objects.filter(study=study, simulated=simulated).first()
    finished = Conversation.objects.filter(
        arm__study=study, state=Conversation.State.COMPLETE, simulated=simulated
    ).count()
    arms = list(study.arms.order_by("position").values_list("pk", flat=True))
    if stored and finished < GROWTH * stored.talks and stored.values["arms"] == arms:
        return Norms.from_json(stored.talks, stored.values)
    norms = measure(columns.read(study, simulated=simulated), settings)
    if norms:
        store(study, norms, simulated=simulated)
    return norms
