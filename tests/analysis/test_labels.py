"""Names broken into lines."""

from __future__ import annotations

import pytest

from analysis.writeup.labels import ems, lines, most_lines

ROOM = 15
FAMILY = [f"organisation/checkpoint-of-a-large-model-with-a-long-name-{number:02d}" for number in range(25)]


def test_a_name_that_fits_stays_in_one_line() -> None:
    assert lines("Random skill", ROOM, 3) == ("Random skill",)


def test_words_stay_whole_and_in_their_order() -> None:
    assert lines("MT Single-Skills + BST fine-tuning", 11, 3) == ("MT Single-Skills +", "BST fine-tuning")


@pytest.mark.parametrize(
    "name", [*FAMILY[:2], "Модель диалога с очень длинным названием для проверки — 60бк", "x" * 60]
)
def test_sixty_letters_stand_whole_in_three_lines(name: str) -> None:
    found = lines(name, ROOM, 3)
    assert len(found) == most_lines([name], ROOM, 3) == 3
    assert "".join(found).replace(" ", "") == name.replace(" ", "")


def test_names_that_differ_at_their_ends_stay_different() -> None:
    for room, most in ((ROOM, 2), (11, 3), (8, 1)):
        assert len({lines(name, room, most) for name in FAMILY}) == len(FAMILY)


@pytest.mark.parametrize(
    "name", ["W" * 80, "多" * 80, "🤖" * 80, "wide WORDS " * 20, "a/b_c-" * 30, "e\u0301" * 90]
)
@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_line_is_wider_than_its_room(name: str, most: int) -> None:
    found = lines(name, ROOM, most)
    assert len(found) == most and "…" in found[-1]
    assert all(0 < ems(line) <= ROOM for line in found)


def test_signs_that_make_one_letter_are_not_parted() -> None:
    family = "\U0001f469\u200d\U0001f467"
    assert all(set(line) - set("…") == set(family) for line in lines(family * 40, ROOM, 3))
    assert not any(line.lstrip("…").startswith("\u0301") for line in lines("e\u0301" * 200, ROOM, 3))


def test_no_name_is_an_empty_line() -> None:
    assert lines("", ROOM, 3) == ("",) and most_lines([], ROOM, 3) == 1
