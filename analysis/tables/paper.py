"""What the paper printed (Smith et al. 2020), for comparison beside our own figures."""

from __future__ import annotations

from ratings.axes import Axis

#: Table 7's means by row label; the order of the figures is that of ``Axis``. The paper gives intervals only as
#: "+-0.2 or 0.3".
_TABLE_7 = {
    "ConvAI2": (3.2, 3.1, 3.4, 3.0),
    "WoW": (3.3, 2.9, 2.7, 2.6),
    "ED": (3.4, 3.3, 3.0, 3.0),
    "BST": (3.5, 3.6, 3.1, 3.3),
    "Random-Skill": (3.2, 2.9, 3.2, 2.7),
    "MT Two-Stage": (3.7, 3.6, 3.3, 3.5),
    "MT Single-Skills": (3.7, 3.6, 3.0, 3.4),
    "MT Single-Skills +BST fine-tuning": (3.7, 3.8, 3.2, 3.6),
}


def table7_mean(model: str, axis: str) -> float | None:
    """The paper's mean for a row label, or None where the paper has no such row."""
    figures = _TABLE_7.get(model)
    return None if figures is None else figures[Axis.values.index(axis)]


#: Table 4's shares of selected utterances in per cent (ConvAI2, WoW, ED), by the slugs of our models. The debiased
#: versions are the ones that the paper goes on with, so they have the plain names.
_TABLE_4 = {
    "mt-single-skills-original": (64.4, 11.3, 24.2),
    "mt-single-skills": (38.9, 29.4, 31.6),
    "mt-single-skills-original-bst": (61.1, 10.0, 28.8),
    "mt-single-skills-bst": (48.1, 21.3, 30.5),
}
#: Table 5's hits@1 in per cent (ConvAI2, WoW, ED, their average), by section and slug.
_TABLE_5 = {
    "plain": {
        "reported": (87.3, 87.4, 66.0, 80.2),
        "convai2": (89.4, 78.4, 42.6, 70.1),
        "wow": (57.3, 91.8, 47.7, 65.6),
        "ed": (63.3, 81.0, 65.1, 69.8),
        "bst": (78.5, 84.1, 52.0, 71.5),
        "random-skill": (71.0, 83.9, 52.0, 69.0),
        "mt-two-stage": (84.7, 90.1, 63.4, 79.4),
        "mt-single-skills": (88.8, 92.8, 63.2, 81.6),
    },
    "added context": {"mt-single-skills": (88.9, 92.8, 63.2, 81.6)},
    "mixed candidates": {
        "single-task": (82.1, 88.2, 60.2, 76.8),
        "mt-two-stage": (77.2, 86.6, 59.0, 74.3),
        "mt-single-skills": (85.2, 92.1, 61.1, 79.5),
    },
}
#: Table 6's hits@1 on BST in per cent (zero-shot, fine-tuned on BST), by slug.
_TABLE_6 = {
    "convai2": (76.8, 81.7),
    "wow": (67.5, 79.4),
    "ed": (69.0, 80.4),
    "bst": (None, 79.2),
    "random-skill": (71.2, None),
    "mt-two-stage": (71.9, None),
    "mt-single-skills": (80.1, 83.8),
}
Figures = tuple[float | None, ...]


def table4_shares(slug: str) -> Figures:
    """The paper's row, or three times None where it has none."""
    return _TABLE_4.get(slug, (None, None, None))


def table5_hits(section: str, slug: str) -> Figures:
    """The paper's row of a section with its average, or four times None where it has none."""
    return _TABLE_5[section].get(slug, (None, None, None, None))


def table6_hits(slug: str) -> Figures:
    """The paper's row, or twice None where it has none."""
    return _TABLE_6.get(slug, (None, None))
