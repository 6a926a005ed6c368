"""Attention items: asked in their turn, answered once with the ratings, and silent about whether they were right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from chat import assignment
from chat.models import Conversation, Message, Participation, Study
from ratings.attention import AttentionItem, attention_item
from ratings.errors import RatingsRefused
from ratings.forms import asked
from ratings.models import AttentionAnswer
from ratings.submit import check_scores, item_of, submit

GOOD = {"knowledge": "4", "empathy": "5", "personal": "2", "overall": "1"}
TALK = UUID("3f2b8f1e-6f7c-4a55-9a51-0c2f3b7d9e10")


@pytest.fixture
def due(
    make_study: Callable[..., Study],
    join: Callable[..., Participation],
    converse: Callable[..., Message],
) -> Conversation:
    """A talk that waits for its ratings, with an item among the questions."""
    talk = assignment.start_talk(join(make_study(min_turns=2, max_turns=4, attention_every=1, seed=5)))
    converse(talk, finish=True)
    return talk


@pytest.fixture
def browser(due: Conversation, browser_of: Callable[..., Client]) -> Client:
    return browser_of(due.participation.worker)


@pytest.fixture
def path(due: Conversation) -> str:
    return reverse("rate", args=[due.pk])


def right(talk: Conversation) -> int:
    item = item_of(talk)
    assert item is not None
    return item.number


def wrong(talk: Conversation) -> int:
    return right(talk) % 5 + 1


# --- Drawn ------------------------------------------------------------------------------------------------


def test_it_comes_with_every_nth_talk_and_never_by_default() -> None:
    asked_in = [ordinal for ordinal in range(1, 10) if attention_item(3, ordinal, 1, TALK)]
    assert asked_in == [3, 6, 9]
    assert not any(attention_item(0, ordinal, 1, TALK) for ordinal in range(1, 10))


def test_number_and_place_are_those_of_the_seed_and_the_talk() -> None:
    # The first and the next eight bytes of SHA-256, as sha256sum gives them, modulo 5 and 3.
    assert attention_item(1, 1, 7, TALK) == AttentionItem(number=5, place=1)
    assert attention_item(1, 1, 8, TALK) == AttentionItem(number=4, place=2)


def test_every_number_and_every_place_between_the_questions_is_as_likely() -> None:
    drawn = [attention_item(1, 1, 1, uuid4()) for _ in range(3000)]
    numbers = Counter(item.number for item in drawn if item)
    places = Counter(item.place for item in drawn if item)
    # Six standard deviations of a binomial: a fair draw leaves them once in half a billion.
    assert set(numbers) == {1, 2, 3, 4, 5} and all(abs(n - 600) < 6 * 22 for n in numbers.values())
    assert set(places) == {1, 2, 3} and all(abs(n - 1000) < 6 * 26 for n in places.values())


@pytest.mark.parametrize("place", [1, 2, 3])
def test_it_stands_at_its_place_between_the_four(place: int) -> None:
    names = [question.name for question in asked(AttentionItem(4, place))]
    assert names.index("attention") == place
    assert [name for name in names if name != "attention"] == list(GOOD)


# --- Told beforehand --------------------------------------------------------------------------------------


def test_people_read_of_it_before_their_talk_where_it_may_come(
    participation: Participation, browser_of: Callable[..., Client]
) -> None:
    browser, path = browser_of(participation.worker), reverse("start_talk", args=[participation.study.slug])
    assert "Four questions, from 1 to 5.</li>" in browser.get(path).content.decode()
    Study.objects.update(attention_every=2)
    assert "sometimes one more, which asks for a certain number" in browser.get(path).content.decode()


@pytest.mark.parametrize(
    ("every", "says"), [(1, "one item with each talk"), (4, "one item every 4 talks of a person"), (0, "")]
)
def test_the_study_s_page_says_how_often(every: int, says: str, study: Study, researcher: Client) -> None:
    Study.objects.update(attention_every=every)
    page = researcher.get(reverse("study", args=[study.slug])).content.decode()
    assert re.findall(r"<dt>Attention</dt><dd>(.*?)</dd>", page) == ([says] if says else [])


# --- On the page ------------------------------------------------------------------------------------------


def test_it_looks_like_the_others_and_asks_for_its_number(
    browser: Client, path: str, due: Conversation
) -> None:
    page = browser.get(path).content.decode()
    legends = re.findall(r"<legend>(.*?)</legend>", page)
    assert len(legends) == 5
    assert legends[item_of(due).place] == f"To show that you read this, please choose {right(due)}."
    groups = re.findall(r"<fieldset.*?</fieldset>", page, re.DOTALL)
    shapes = {re.sub(r'>[^<]+<|"[^"]*"', "", group) for group in groups}
    assert len(shapes) == 1


def test_the_number_stands_in_the_question_alone(browser: Client, path: str, due: Conversation) -> None:
    def page() -> str:
        found = browser.get(path).content.decode()
        return re.sub(r"please choose \d|[A-Za-z0-9]{64}", "", found)

    first, number, place = page(), right(due), item_of(due).place
    for seed in range(100):
        Study.objects.update(seed=seed)
        due.participation.study.seed = seed
        if right(due) != number and item_of(due).place == place:
            break
    assert right(due) != number and page() == first


def test_only_about_the_partner_the_page_then_claims_no_right_answer(browser: Client, path: str) -> None:
    assert "About your partner there is no right answer" in browser.get(path).content.decode()
    Study.objects.update(attention_every=0)
    page = browser.get(path).content.decode()
    assert "There is no right answer" in page and "please choose" not in page


def test_the_second_talk_of_two_has_it(
    make_study: Callable[..., Study],
    join: Callable[..., Participation],
    converse: Callable[..., Message],
    browser_of: Callable[..., Client],
) -> None:
    person = join(make_study(min_turns=2, attention_every=2))
    counts = []
    for _ in range(2):
        talk = assignment.start_talk(person)
        converse(talk, finish=True)
        browser, path = browser_of(person.worker), reverse("rate", args=[talk.pk])
        counts.append(browser.get(path).content.decode().count("<fieldset"))
        browser.post(path, GOOD)
    assert counts == [4, 5]
    assert not AttentionAnswer.objects.exists()


@pytest.mark.parametrize("answer", [right, wrong])
def test_right_or_wrong_it_is_stored_and_leads_on_alike(
    answer: Callable[[Conversation], int], browser: Client, path: str, due: Conversation
) -> None:
    reply = browser.post(path, GOOD | {"attention": str(answer(due))})
    assert reply["Location"] == reverse("enter", args=[due.participation.study.slug])
    stored = AttentionAnswer.objects.get(conversation=due)
    assert (stored.asked, stored.given) == (right(due), answer(due))
    due.refresh_from_db()
    assert due.state == Conversation.State.COMPLETE


def test_it_is_no_rating(browser: Client, path: str, due: Conversation) -> None:
    browser.post(path, GOOD | {"attention": str(wrong(due))})
    assert {axis: str(score) for axis, score in due.ratings.values_list("axis", "score")} == GOOD


@pytest.mark.parametrize("answer", ["", "6", "2.5", "three"])
def test_a_missing_or_odd_answer_is_refused_as_any_other(
    answer: str, browser: Client, path: str, due: Conversation
) -> None:
    reply = browser.post(path, GOOD | {"attention": answer})
    page = reply.content.decode()
    assert reply.status_code == 400
    assert re.findall(r'<li><a href="#([\w-]+)">', page) == ["attention-1"]
    assert 'id="attention-1"' in page and 'id="attention-error"' in page
    assert not due.ratings.exists() and not AttentionAnswer.objects.exists()


def test_a_page_that_is_refused_never_tells_whether_the_number_was_right(
    browser: Client, path: str, due: Conversation
) -> None:
    def page(number: int) -> str:
        found = browser.post(path, {"attention": str(number)}).content.decode()
        assert re.search(rf'id="attention-{number}" value="{number}" required checked', found)
        return re.sub(r' checked|"[A-Za-z0-9]{64}"', "", found)

    assert page(right(due)) == page(wrong(due))


def test_who_is_still_there_keeps_what_was_chosen(browser: Client, path: str) -> None:
    page = browser.post(path, {"attention": "2", "stay": "yes"}).content.decode()
    assert re.search(r'id="attention-2" value="2" required checked', page)


def test_a_second_submission_changes_no_answer(browser: Client, path: str, due: Conversation) -> None:
    browser.post(path, GOOD | {"attention": str(right(due))})
    browser.post(path, GOOD | {"attention": str(wrong(due))})
    assert AttentionAnswer.objects.get().given == right(due)


def test_the_code_is_given_whatever_was_chosen(browser: Client, path: str, due: Conversation) -> None:
    browser.post(path, GOOD | {"attention": str(wrong(due))})
    browser.post(reverse("leave", args=[due.participation.study.slug]))
    page = browser.get(reverse("thanks", args=[due.participation.study.slug])).content.decode()
    assert re.search(r"([A-Z2-7]{5}-){3}[A-Z2-7]{5}", page)


# --- Stored -----------------------------------------------------------------------------------------------


def test_it_is_refused_where_it_is_not_asked() -> None:
    with pytest.raises(RatingsRefused) as refused:
        check_scores(GOOD | {"attention": "3"})
    assert refused.value.reasons == {"attention": "There is no such question."}


def test_ratings_and_answer_are_stored_together_or_not_at_all(due: Conversation) -> None:
    AttentionAnswer.objects.create(conversation=due, asked=1, given=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        submit(due.pk, due.participation_id, GOOD | {"attention": 3})
    due.refresh_from_db()
    assert not due.ratings.exists() and due.state == Conversation.State.RATING


@pytest.mark.parametrize(("asked", "given"), [(0, 3), (6, 3), (3, 0), (3, 6)])
def test_the_database_itself_refuses_a_number_off_the_scale(
    asked: int, given: int, due: Conversation
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ratings_attentionanswer (conversation_id, asked, given, created_at) "
            "VALUES (%s, %s, %s, %s)",
            [due.pk.hex if connection.vendor == "sqlite" else due.pk, asked, given, due.started_at],
        )
