"""Simulated workers' own choices: what they say, how they rate, who comes. No site is needed."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from chat.rules import check_message
from ratings.axes import Axis
from ratings.simulation import lines
from ratings.simulation.behaviours import BAD, Behaviour, cast
from ratings.simulation.cards import read_card
from ratings.simulation.crowd import Tally, plans
from ratings.simulation.errors import UnexpectedPage
from ratings.simulation.judging import Judge, features
from ratings.simulation.pages import Page
from ratings.simulation.summary import percentile, summary
from ratings.simulation.talking import Card, Talker, content_words

CARELESS = (Behaviour.STRAIGHT_LINER, Behaviour.RANDOM_RATER, Behaviour.SPEEDER)
PERSONA = ("I play the cello in a small orchestra.", "My son plays football.")
REPLIES = [
    "Do you like the mountains in winter?",
    "I am so sorry to hear that.",
    "Berlin has 3 airports, as far as I know.",
] * 4


def talk(behaviour: Behaviour, card: Card, seed: int = 1, turns: int = 8) -> list[str]:
    talker = Talker(behaviour, card, Random(seed))
    return [talker.next(REPLIES[:turn]) for turn in range(turns)]


@pytest.mark.parametrize(
    "card", [Card(PERSONA), Card(PERSONA, topic="Video game design"), Card(situation="I lost it.")]
)
def test_an_honest_worker_keeps_the_rules_and_never_repeats(card: Card) -> None:
    for seed in range(30):
        said = talk(Behaviour.HONEST, card, seed)
        assert [check_message(line, max_words=30, personas=card.persona) for line in said] == [None] * 8
        assert len(set(said)) == 8
        assert "{" not in "".join(said)


def test_a_worker_takes_up_a_word_of_the_partners_last_reply() -> None:
    taken = [
        any("winter" in line for line in talk(Behaviour.HONEST, Card(PERSONA), seed, 2)) for seed in range(40)
    ]
    assert 3 <= sum(taken) <= 35


def test_the_line_bank_is_large_and_has_no_line_twice() -> None:
    bank = [line for pool in vars(lines).values() if isinstance(pool, tuple) for line in pool]
    assert len(bank) >= 150
    assert len(set(bank)) == len(bank)


def test_bad_workers_behave_as_their_names_say() -> None:
    card = Card(PERSONA)
    assert all(line == line.upper() for line in talk(Behaviour.SHOUTER, card))
    assert len(set(talk(Behaviour.REPEATER, card))) == 1
    assert max(len(line.split()) for line in talk(Behaviour.SHORT_WRITER, card)) <= 2
    copier = Talker(Behaviour.PERSONA_COPIER, card, Random(1))
    assert check_message(copier.next([]), max_words=30, personas=PERSONA).code == "persona_copy"  # type: ignore[union-attr]
    assert check_message(copier.reword(), max_words=30, personas=PERSONA) is None


def rates(behaviour: Behaviour, replies: list[str], n: int = 200) -> list[dict[Axis, int]]:
    return [
        Judge(behaviour, Random(seed)).rate(replies, ["I like Berlin."] * len(replies)) for seed in range(n)
    ]


def mean(ratings: list[dict[Axis, int]], axis: Axis) -> float:
    return sum(rating[axis] for rating in ratings) / len(ratings)


def test_honest_ratings_follow_what_the_partner_said() -> None:
    facts = rates(
        Behaviour.HONEST, ["The tower in Pisa was begun in 1173 and leans by 4 degrees these days."]
    )
    warm = rates(Behaviour.HONEST, ["I am sorry, that sounds sad. How do you feel now?"])
    self_told = rates(Behaviour.HONEST, ["I love my dog and my house, and I talk about myself."])
    assert mean(facts, Axis.KNOWLEDGE) > mean(warm, Axis.KNOWLEDGE) + 0.5
    assert mean(warm, Axis.EMPATHY) > mean(facts, Axis.EMPATHY) + 0.5
    assert mean(self_told, Axis.PERSONAL) > mean(facts, Axis.PERSONAL) + 0.5


def test_honest_ratings_use_the_whole_scale() -> None:
    given = Counter(score for rating in rates(Behaviour.HONEST, REPLIES) for score in rating.values())
    assert set(given) == {1, 2, 3, 4, 5}


def test_straight_liners_give_one_score_in_every_talk() -> None:
    judge = Judge(Behaviour.STRAIGHT_LINER, Random(3))
    given = {score for _ in range(5) for score in judge.rate(REPLIES, REPLIES).values()}
    assert len(given) == 1


QUESTION = "To show that you read this, please choose 2."


def chosen(behaviour: Behaviour, n: int = 50) -> set[int]:
    return {Judge(behaviour, Random(seed)).choose(QUESTION) for seed in range(n)}


@pytest.mark.parametrize("behaviour", [each for each in Behaviour if each not in CARELESS])
def test_who_reads_chooses_the_number_that_is_asked_for(behaviour: Behaviour) -> None:
    assert chosen(behaviour) == {2}


def test_who_does_not_read_chooses_as_they_rate() -> None:
    judge = Judge(Behaviour.STRAIGHT_LINER, Random(3))
    assert {judge.choose(QUESTION)} == set(judge.rate(REPLIES, REPLIES).values())
    assert chosen(Behaviour.RANDOM_RATER) == {1, 2, 3, 4, 5}
    assert chosen(Behaviour.SPEEDER) == {3, 4}


def test_a_question_that_nobody_knows_is_not_guessed_at() -> None:
    with pytest.raises(UnexpectedPage, match="How tall are you"):
        Judge(Behaviour.RANDOM_RATER, Random(1)).choose("How tall are you, from 1 to 5?")


def test_features_are_shares() -> None:
    found = features(["Do you like Berlin?", "I like my 2 dogs."], ["Berlin is far.", "Tell me."])
    assert (found.question_share, found.overlap_share, found.mean_words) == (0.5, 0.5, 4.5)
    assert found.first_person_share == 2 / 9
    assert found.facts_per_reply == 1.0


def test_the_same_seed_casts_the_same_crowd_and_another_seed_another() -> None:
    assert plans(40, 7) == plans(40, 7)
    assert plans(40, 7) != plans(40, 8)
    assert {plan.talks for plan in plans(200, 7)} == set(range(1, 11))
    assert {plan.talks for plan in plans(5, 7, talks=2)} == {2}


def test_a_crowd_of_forty_holds_every_bad_behaviour_and_a_fixed_share() -> None:
    for seed in range(20):
        counts = Counter(cast(40, Random(seed)))
        assert set(BAD) <= set(counts)
        assert counts[Behaviour.HONEST] == 28


def test_content_words_leave_out_what_says_nothing() -> None:
    assert content_words("Honestly, I would rather watch the mountains than 12345.") == ["watch", "mountains"]


def test_a_page_is_read_like_a_browser_reads_it() -> None:
    page = Page(
        "http://x/t/1/?q=1",
        200,
        '<h1>Your <b>talk</b></h1><p class="subject">Chess</p><p class="msg seed"><span>You: </span>A &amp; B</p>'
        '<script id="room-data" type="application/json">{"personas": ["I \\u003Cb\\u003E."]}</script>'
        '<form method="post"><input type="hidden" name="token" value="t"><input type="radio" name="a" value="1">'
        '<input type="radio" name="a" value="2"><button name="go">Go</button></form>',
    )
    assert page.heading == "Your talk"
    assert read_card(page) == Card(("I <b>.",), "Chess", "", ("A & B",))
    form = page.form_to("/t/1/")
    assert form is not None
    assert (form.fields, form.choices) == ({"token": "t"}, {"a": ("1", "2")})


def test_questions_are_read_with_the_names_of_their_answers() -> None:
    page = Page(
        "http://x/t/1/rate/",
        200,
        '<form method="post"><input type="checkbox" name="alone">'
        "<fieldset><legend>How <b>warm</b>\n was it?</legend>"
        '<label><input type="radio" name="warmth" value="1">1</label>'
        '<label><input type="radio" name="warmth" value="2">2</label></fieldset>'
        '<fieldset><legend>Please choose 4.</legend><input type="radio" name="n" value="4"></fieldset></form>',
    )
    form = page.form_to("/rate/")
    assert form is not None
    assert list(form.questions.items()) == [("warmth", "How warm was it?"), ("n", "Please choose 4.")]


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentile(range(1, 101), 95) == 95
    assert percentile([5.0], 50) == 5.0
    assert percentile([1.0, 2.0], 51) == 2.0


def test_the_summary_tells_what_was_done_and_what_failed() -> None:
    tally = Tally(talks_planned=3, talks_begun=3, talks_rated=2, messages=5, reply_ms=[10, 20], codes=1)
    tally.refused["persona_copy"] = 2
    tally.problems.append("honest: no reply")
    said = "\n".join(summary(tally, 2, 3.4))
    assert "2 rated of 3 planned" in said
    assert "p50 10 ms, p95 20 ms" in said
    assert "persona_copy 2" in said
    assert "honest: no reply" in said
