"""The paper's four axes in its words (Smith et al. 2020, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models


class Axis(models.TextChoices):
    """The four axes, in the order of Table 7."""

    KNOWLEDGE = "knowledge", "Knowledge"
    EMPATHY = "empathy", "Empathy"
    PERSONAL = "personal", "Personal"
    OVERALL = "overall", "Overall quality"


@dataclass(frozen=True, slots=True)
class Question:
    """How an axis is asked: the question and what its two ends mean."""

    axis: Axis
    text: str
    low: str
    high: str


QUESTIONS: tuple[Question, ...] = (
    Question(Axis.KNOWLEDGE, "How knowledgeable was your chat partner?", "not at all", "very"),
    Question(
        Axis.EMPATHY,
        "Did the responses of your chat partner show understanding of your feelings?",
        "not at all",
        "very much",
    ),
    Question(Axis.PERSONAL, "How much did your chat partner talk about themselves?", "not at all", "a lot"),
    Question(
        Axis.OVERALL,
        "Overall, how much would you like to have a long conversation with this conversation partner?",
        "not at all",
        "a lot",
    ),
)
