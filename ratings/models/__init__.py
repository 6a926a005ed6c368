"""What people say about a talk, and what was found and decided about their work."""

from ratings.models.attention import AttentionAnswer, GoldExpectation
from ratings.models.quality import Decision, Finding, Judgement, Policy, SafetyScore, StudyNorms
from ratings.models.rating import HIGHEST, LOWEST, Rating

__all__ = [
    "HIGHEST",
    "LOWEST",
    "AttentionAnswer",
    "Decision",
    "Finding",
    "GoldExpectation",
    "Judgement",
    "Policy",
    "Rating",
    "SafetyScore",
    "StudyNorms",
]
