"""Simulated workers on a running site: they go through the front door, and count for nothing that people's do."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.site.running import Site
from tests.site_process import PROJECT, free_port, fresh_environment

TAKEN = "SELECT sum(taken), sum(simulated_taken) FROM chat_arm"


def simulate(site: Site, *options: str, status: int = 0) -> str:
    return site.manage("simulate", "--url", site.url, *options, status=status)


def test_a_crowd_talks_and_rates_and_takes_no_persons_slot(site: Site) -> None:
    people, simulated = site.rows(TAKEN)[0]
    said = simulate(site, "--study", "table7", "--workers", "8", "--talks", "1", "--seed", "3")
    assert "8 rated of 8 planned" in said
    assert "codes      8" in said
    assert site.rows(TAKEN)[0] == (people, simulated + 8)
    talks = site.rows(
        "SELECT c.state, count(r.id) FROM chat_conversation c JOIN ratings_rating r ON r.conversation_id = c.id "
        "JOIN chat_arm a ON a.id = c.arm_id JOIN chat_study s ON s.id = a.study_id "
        "WHERE c.simulated = 1 AND s.slug = 'table7' GROUP BY c.id"
    )
    assert talks == [("complete", 4)] * 8
    arms = site.one("SELECT count(DISTINCT arm_id) FROM chat_conversation WHERE simulated = 1")
    assert arms == 8


def test_simulated_talks_are_reported_as_simulated_and_never_with_peoples(site: Site) -> None:
    asked = ("report", "--study", "table7", "--format", "markdown")
    assert "simulated" in site.manage(*asked, "--simulated").lower()
    by_people = site.one(
        "SELECT count(*) FROM chat_conversation c JOIN chat_arm a ON a.id = c.arm_id "
        "JOIN chat_study s ON s.id = a.study_id WHERE s.slug = 'table7' AND c.simulated = 0 AND c.state = 'complete'"
    )
    assert ("simulated" in site.manage(*asked).lower()) is (by_people == 0)


def test_the_same_seed_brings_the_same_workers_and_the_same_words(site: Site) -> None:
    before = crowds(site)
    runs = []
    for _ in range(2):
        simulate(site, "--study", "plain", "--workers", "6", "--talks", "1", "--seed", "5")
        runs.append(sorted(crowds(site)[len(before) :]))
        before = crowds(site)
    assert len(runs[0]) == 6
    assert runs[0] == runs[1]


def crowds(site: Site) -> list[tuple[str, str, str]]:
    """Behaviour, words and scores of each simulated talk of the small study, in order."""
    return site.rows(
        "SELECT w.behaviour, (SELECT group_concat(text, '|') FROM chat_message m WHERE m.conversation_id = c.id "
        "AND m.speaker = 'worker' ORDER BY position), (SELECT group_concat(score) FROM ratings_rating r WHERE "
        "r.conversation_id = c.id ORDER BY r.axis) FROM chat_conversation c JOIN chat_participation p "
        "ON p.id = c.participation_id JOIN chat_worker w ON w.id = p.worker_id JOIN chat_study s "
        "ON s.id = p.study_id WHERE c.simulated = 1 AND s.slug = 'plain' ORDER BY c.started_at"
    )


def test_attention_items_are_answered_as_each_kind_of_worker_answers(site: Site) -> None:
    said = simulate(site, "--study", "attentive", "--workers", "24", "--talks", "2", "--seed", "1")
    assert "48 rated of 48 planned" in said
    answers = site.rows(
        "SELECT w.behaviour, a.asked, a.given, (SELECT group_concat(DISTINCT r.score) FROM ratings_rating r "
        "WHERE r.conversation_id = c.id) FROM ratings_attentionanswer a JOIN chat_conversation c "
        "ON c.id = a.conversation_id JOIN chat_participation p ON p.id = c.participation_id "
        "JOIN chat_worker w ON w.id = p.worker_id WHERE c.simulated = 1"
    )
    assert len(answers) == 48
    honest = [(asked, given) for behaviour, asked, given, _ in answers if behaviour == "honest"]
    assert len(honest) == 34 and all(asked == given for asked, given in honest)
    straight = [
        (str(given), scores) for behaviour, _, given, scores in answers if behaviour == "straight_liner"
    ]
    assert straight and all(given == scores for given, scores in straight)


def test_a_copier_is_refused_and_rewords(site: Site) -> None:
    said = simulate(site, "--study", "plain", "--workers", "24", "--talks", "1", "--seed", "1")
    assert "24 rated of 24 planned" in said
    assert "refused    persona_copy" in said
    kinds = {kind for (kind,) in site.rows("SELECT DISTINCT behaviour FROM chat_worker WHERE simulated = 1")}
    assert kinds == {
        *("honest", "straight_liner", "random_rater", "speeder"),
        *("shouter", "repeater", "short_writer", "persona_copier"),
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--study", "nowhere"], "no study named 'nowhere'"),
        (["--study", "shut"], "not open"),
        (["--workers", "0"], "count from 1"),
        (["--url", f"http://localhost:{free_port()}"], "is it running?"),
    ],
    ids=["unknown study", "closed study", "nobody", "no site"],
)
def test_what_cannot_be_simulated_is_told_in_a_sentence(
    site: Site, options: list[str], sentence: str
) -> None:
    said = simulate(site, "--workers", "2", *options, status=1)
    assert sentence in said
    assert "Traceback" not in said


def test_ctrl_c_stops_and_tells_what_was_done(site: Site) -> None:
    command = [sys.executable, "manage.py", "simulate", "--study", "plain", "--workers", "4", "--talks", "5"]
    command += ["--think", "0.5", "--url", site.url, "--data", str(site.data)]
    begun = site.one("SELECT count(*) FROM chat_conversation")
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=fresh_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    end = time.monotonic() + 60
    while site.one("SELECT count(*) FROM chat_conversation") == begun and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=20)[0]
    assert process.returncode == 130
    assert "Stopped." in said
    assert "planned" in said
    assert "Traceback" not in said
