"""Pay: approved, a bonus, or rejected by two people; who is to be paid stands in a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from chat import exclusion
from chat.models import Participation
from chat.participation import completion_code
from ratings import payment
from ratings.errors import DecisionRefused, NotPayableSo
from ratings.models import Decision
from ratings.payment import Pay

pytestmark = pytest.mark.django_db
TEXT = (
    "In all of your three talks every message is one word, such as “ok”. The instructions ask for whole sentences, and "
    "we cannot use such talks."
)
GOOD = "Thank you for your long and careful talks."


@pytest.fixture
def paid(worked: Callable[..., Participation]) -> Callable[..., Participation]:
    """``paid()``: somebody who came to the end."""

    def make(**options: str) -> Participation:
        person = worked(**options)
        Participation.objects.filter(pk=person.pk).update(state=Participation.State.DONE)
        return person

    return make


def now(person: Participation) -> payment.Standing:
    return payment.standing(person.decisions.all())


def ask(person: Participation, actor: str = "ada", note: str = TEXT) -> Decision:
    return payment.ask_rejection(person, reason="writing", actor=actor, note=note)


def bonus(person: Participation, amount: str = "1.50", **given: object) -> Decision:
    told = {"reason": "extra", "actor": "ada", "note": GOOD, **given}
    return payment.give_bonus(person, amount=amount, **told)


# --- What can be decided ------------------------------------------------------------------------------------------


def test_work_is_approved_once(paid) -> None:
    person = paid()
    assert now(person).pay is Pay.OPEN
    payment.approve(person, reason="work", actor="ada")
    assert now(person).pay is Pay.APPROVED
    with pytest.raises(NotPayableSo, match="approved already"):
        payment.approve(person, reason="work", actor="bob")


def test_a_rejection_holds_once_a_second_person_confirms_it(paid) -> None:
    person = paid()
    ask(person)
    assert now(person).pay is Pay.ASKED
    with pytest.raises(NotPayableSo, match="somebody else"):
        payment.confirm_rejection(person, actor="ada")
    payment.confirm_rejection(person, actor="bob")
    standing = now(person)
    assert standing.pay is Pay.REJECTED and standing.asked and standing.last
    assert (standing.asked.note, standing.asked.actor, standing.last.actor) == (TEXT, "ada", "bob")
    assert standing.last.reason == "writing"


def test_without_somebody_who_asked_nothing_is_confirmed(paid) -> None:
    person = paid()
    with pytest.raises(NotPayableSo, match="No rejection waits"):
        payment.confirm_rejection(person, actor="bob")
    ask(person)
    payment.confirm_rejection(person, actor="bob")
    with pytest.raises(NotPayableSo, match="No rejection waits"):
        payment.confirm_rejection(person, actor="eve")


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_rejection_is_taken_back_by_approving(paid, confirmed: bool) -> None:
    person = paid()
    ask(person)
    if confirmed:
        payment.confirm_rejection(person, actor="bob")
    payment.approve(person, reason="appeal", actor="ada")
    assert now(person).pay is Pay.APPROVED
    with pytest.raises(NotPayableSo, match="approved"):
        ask(person)


@pytest.mark.parametrize("length", [0, 99, 501])
def test_what_the_person_reads_has_a_length(paid, length: int) -> None:
    person = paid()
    with pytest.raises(DecisionRefused, match=f"has {length} characters; write 100 to 500") as refused:
        ask(person, note="x" * length)
    assert refused.value.field == "note"
    ask(person, note="x" * 100)


@pytest.mark.parametrize("amount", ["0", "-1", "1.505", "100.01", "much", "nan", "inf", ""])
def test_an_amount_is_money(paid, amount: str) -> None:
    person = paid()
    payment.approve(person, reason="work", actor="ada")
    with pytest.raises(DecisionRefused) as refused:
        bonus(person, amount)
    assert refused.value.field == "amount"


def test_bonuses_add_up_in_their_currency(paid, settings) -> None:
    person = paid()
    payment.approve(person, reason="work", actor="ada")
    settings.PAY_CURRENCY = "GBP"
    bonus(person, "1.5")
    bonus(person, " 0.25 ")
    assert now(person).bonus_total == Decimal("1.75")
    assert [str(each) for each in now(person).bonuses] == ["1.50 GBP", "0.25 GBP"]


def test_a_bonus_needs_approved_work_and_a_text(paid) -> None:
    person = paid()
    with pytest.raises(NotPayableSo, match="approve it before"):
        bonus(person)
    payment.approve(person, reason="work", actor="ada")
    with pytest.raises(DecisionRefused, match="10 to 500"):
        bonus(person, note="thanks")


def test_a_form_that_is_sent_twice_gives_one_bonus(paid) -> None:
    person = paid()
    payment.approve(person, reason="work", actor="ada")
    bonus(person, already=0)
    with pytest.raises(NotPayableSo, match="look again"):
        bonus(person, already=0)
    assert len(now(person).bonuses) == 1


def test_who_has_no_code_is_not_decided_about(paid, worked) -> None:
    with pytest.raises(NotPayableSo, match="not come to the end"):
        payment.approve(worked(), reason="work", actor="ada")
    with pytest.raises(NotPayableSo, match="A program"):
        payment.approve(paid(simulated_as="honest"), reason="work", actor="ada")
    assert not Decision.objects.filter(act="approve").exists()


def test_who_is_excluded_can_be_paid(paid) -> None:
    person = paid()
    exclusion.take_out(person.pk)
    payment.approve(person, reason="work", actor="ada")
    assert now(person).pay is Pay.APPROVED


# --- The record ---------------------------------------------------------------------------------------------------


def test_the_database_keeps_decisions_about_pay_as_they_are(paid) -> None:
    person = paid()
    ask(person)
    with pytest.raises(IntegrityError, match="never changed"):
        Decision.objects.filter(act="reject").update(actor="eve")


@pytest.mark.django_db(transaction=True)
def test_migrating_back_and_forth_keeps_decisions_unchangeable() -> None:
    try:
        MigrationExecutor(connection).migrate([("ratings", "0004_attention_and_gold_talks")])
        before = triggers()
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    for names in (before, triggers()):
        assert {"ratings_decision_no_update", "ratings_decision_no_delete"} <= names


def triggers() -> set[str]:
    of = {"sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'"}
    with connection.cursor() as cursor:
        cursor.execute(of.get(connection.vendor, "SELECT tgname FROM pg_trigger"))
        return {name for (name,) in cursor.fetchall()}


# --- The file and the command -------------------------------------------------------------------------------------


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("study", "pay", *arguments, stdout=out)
    return out.getvalue()


def listed(study) -> dict[str, dict[str, str]]:
    return {row["worker"]: row for row in csv.DictReader(io.StringIO(command(study.slug)))}


def test_everybody_who_has_a_code_stands_in_the_file(paid, worked, django_assert_num_queries) -> None:
    people = [paid() for _ in range(3)]
    worked()
    slug, names = people[0].study.slug, [str(each.worker_id) for each in people]
    payment.approve(people[0], reason="work", actor="ada")
    bonus(people[0])
    ask(people[1], note=f"={TEXT}")
    payment.confirm_rejection(people[1], actor="bob")
    with django_assert_num_queries(3):  # the study, the people, the decisions
        rows = listed(people[0].study)
    assert list(rows) == names
    assert [rows[name]["completion_code"] for name in names] == [completion_code(each) for each in people]
    assert [rows[name]["pay"] for name in names] == ["approved", "rejected", "open"]
    first, second, third = (rows[name] for name in names)
    assert (first["bonus"], first["currency"], first["bonus_text"]) == ("1.50", "USD", GOOD)
    assert (second["text"], second["by"], second["asked_by"]) == (f"'={TEXT}", "bob", "ada")
    assert (third["by"], third["bonus"], third["study"]) == ("", "", slug)


def test_the_command_decides(paid, monkeypatch: pytest.MonkeyPatch) -> None:
    person = paid()
    name, slug = str(person.worker_id)[:13], person.study.slug
    command(slug, "--reject", name, "--reason", "writing", "--text", TEXT)
    with pytest.raises(CommandError, match="somebody else"):
        command(slug, "--confirm", name)
    monkeypatch.setattr("getpass.getuser", lambda: "bob")
    assert command(slug, "--confirm", name).endswith(": confirmed the rejection\n")
    command(slug, "--approve", name, "--reason", "appeal")
    command(slug, "--bonus", name, "--amount", "2", "--reason", "extra", "--text", GOOD)
    assert [each.act for each in person.decisions.exclude(act="declare").order_by("pk")] == [
        *("reject", "confirm", "approve", "bonus")
    ]


def test_the_command_refuses_whom_it_does_not_find(paid) -> None:
    with pytest.raises(CommandError, match="names none or several"):
        command(paid().study.slug, "--approve", "nobody")


# --- The page -----------------------------------------------------------------------------------------------------


def send(client: Client, name: str, person: Participation, **sent: str) -> HttpResponse:
    return client.post(reverse(name, args=[person.study.slug, person.pk]), sent, follow=True)


def text_of(client: Client, person: Participation) -> str:
    return client.get(reverse("worker", args=[person.study.slug, person.pk])).content.decode()


def test_two_researchers_reject_on_the_page(paid, researcher: Client) -> None:
    person = paid()
    assert "Approve for pay" in text_of(researcher, person)
    answer = send(researcher, "reject_pay", person, reason="writing", note=TEXT).content.decode()
    assert "it holds once somebody else confirms it" in answer and "Confirm the rejection" not in answer
    assert send(researcher, "confirm_rejection", person).status_code == 409
    other = Client()
    other.force_login(User.objects.create_user("bob", is_staff=True))
    assert "Confirm the rejection" in text_of(other, person)
    assert "The rejection is confirmed." in send(other, "confirm_rejection", person).content.decode()
    assert now(person).pay is Pay.REJECTED


def test_a_bonus_is_given_on_the_page_once(paid, researcher: Client) -> None:
    person = paid()
    send(researcher, "approve_pay", person, reason="work")
    sent = {"amount": "0.75", "reason": "extra", "note": GOOD, "already": "0"}
    assert "A bonus of 0.75 USD is given." in send(researcher, "give_bonus", person, **sent).content.decode()
    assert send(researcher, "give_bonus", person, **sent).status_code == 409
    assert send(researcher, "give_bonus", person, **{**sent, "already": "²"}).status_code == 409
    assert now(person).bonus_total == Decimal("0.75")


def test_a_refused_text_keeps_what_was_entered_at_its_field(paid, researcher: Client) -> None:
    person = paid()
    answer = send(researcher, "reject_pay", person, reason="writing", note="too short")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'id="reject-note-error">The text that the person will read has 9 characters' in page
    assert ">too short</textarea>" in page and 'href="#reject-note"' in page
    assert page.count(">too short<") == 1


def test_nobody_is_paid_for_a_program_or_before_the_end(paid, worked, researcher: Client) -> None:
    assert "not come to the end" in text_of(researcher, worked())
    assert "Approve for pay" not in text_of(researcher, paid(simulated_as="honest"))


def test_decisions_about_pay_stand_among_all_decisions(paid, researcher: Client) -> None:
    person = paid()
    payment.approve(person, reason="work", actor="ada")
    bonus(person)
    page = researcher.get(reverse("decisions", args=[person.study.slug])).content.decode()
    assert "Approved for pay" in page and "Gave a bonus" in page and "1.50 USD" in page
