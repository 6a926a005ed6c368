"""Keyed traces of accounts: who shares a device or a network, for thirty days, and nothing that can be read."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async as in_database
from django.conf import settings
from django.core import signing
from django.db import connection
from django.db.models import F
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import devices, sweeper, traces
from chat import participation as participations
from chat.models import AccountTrace, Participation, Study
from chat.traces import Facts, Shared

DEVICE, NETWORK = AccountTrace.Kind.DEVICE, AccountTrace.Kind.NETWORK
#: Of networks for documentation, so that neither stands anywhere by chance.
HERE, NEARBY, ELSEWHERE = "198.51.100.203", "198.51.100.9", "203.0.113.77"
pytestmark = pytest.mark.django_db


def agree(browser: Client, study: Study, address: str = HERE) -> HttpResponse:
    """Enter by the study's link and agree; the answer to that."""
    browser.get(reverse("enter", args=[study.slug]), REMOTE_ADDR=address)
    form = {"choice": "agree", "agreed": "yes"}
    return browser.post(reverse("consent", args=[study.slug]), form, REMOTE_ADDR=address)


def arrive(browser: Client, study: Study, address: str = HERE) -> Participation:
    """Somebody new, at this browser, who agrees."""
    browser.cookies.pop(settings.WORKER_COOKIE_NAME, None)
    agree(browser, study, address)
    return Participation.objects.latest("created_at")


def stored() -> list[tuple[str, str]]:
    return sorted(AccountTrace.objects.values_list("kind", "keyed_hash"))


def age(days: int) -> None:
    """Let the days pass that separate the rows from their last one."""
    AccountTrace.objects.update(expires_on=F("expires_on") - timedelta(days=days))


# --- What is left -------------------------------------------------------------------------------------------------


def test_two_people_at_one_browser_are_linked_by_their_device(study: Study, client: Client) -> None:
    first, second = arrive(client, study, HERE), arrive(client, study, ELSEWHERE)
    assert first.worker != second.worker
    assert traces.shared_traces(study) == [Shared(DEVICE, (first.pk, second.pk))]


def test_two_browsers_in_one_network_are_linked_by_that(study: Study) -> None:
    first, second = (arrive(Client(), study, address) for address in (HERE, NEARBY))
    arrive(Client(), study, ELSEWHERE)
    assert traces.shared_traces(study) == [Shared(NETWORK, (first.pk, second.pk))]


def test_devices_come_first_and_groups_are_read_in_one_query(
    study: Study, client: Client, django_assert_num_queries: Callable[..., object]
) -> None:
    people = tuple(arrive(client, study).pk for _ in range(3))
    with django_assert_num_queries(1):
        assert traces.shared_traces(study) == [Shared(DEVICE, people), Shared(NETWORK, people)]


def test_one_person_who_comes_back_shares_with_nobody(study: Study, client: Client) -> None:
    agree(client, study)
    for address in (HERE, HERE, ELSEWHERE):
        client.get(reverse("enter", args=[study.slug]), REMOTE_ADDR=address)
    assert [kind for kind, _ in stored()] == [DEVICE, NETWORK, NETWORK]
    assert traces.shared_traces(study) == []


def test_traces_of_two_studies_cannot_be_compared(make_study: Callable[..., Study], client: Client) -> None:
    ours, theirs = make_study(), make_study()
    arrive(client, ours), arrive(client, theirs)
    assert len({keyed_hash for _, keyed_hash in stored()}) == 4
    assert traces.shared_traces(ours) == traces.shared_traces(theirs) == []


def test_a_trace_is_an_hmac_under_a_key_of_the_site_s(study: Study, client: Client, settings) -> None:
    arrive(client, study)
    [(_, network)] = AccountTrace.objects.filter(kind=NETWORK).values_list("kind", "keyed_hash")
    assert re.fullmatch("[0-9a-f]{64}", network)
    assert network == traces.keyed_hash(study.pk, "network", "198.51.100.0/24")
    settings.SECRET_KEY = "another"
    assert network != traces.keyed_hash(study.pk, "network", "198.51.100.0/24")


# --- Who leaves none ----------------------------------------------------------------------------------------------


def test_who_has_not_agreed_leaves_none_and_gets_no_cookie(study: Study, client: Client) -> None:
    client.get(reverse("enter", args=[study.slug]), REMOTE_ADDR=HERE)
    client.post(reverse("consent", args=[study.slug]), {"choice": "decline"}, REMOTE_ADDR=HERE)
    assert stored() == [] and settings.DEVICE_COOKIE_NAME not in client.cookies


def test_a_simulated_worker_leaves_none_and_gets_no_cookie(study: Study, client: Client) -> None:
    link = reverse("enter", args=[study.slug]) + "?sim=" + participations.simulation_token("honest")
    client.get(link, REMOTE_ADDR=HERE)
    agree(client, study)
    assert Participation.objects.get().state == Participation.State.CONSENTED
    assert stored() == [] and settings.DEVICE_COOKIE_NAME not in client.cookies


def test_a_study_that_keeps_no_paradata_gets_none(study: Study, client: Client) -> None:
    Study.objects.update(keeps_paradata=False)
    agree(client, study)
    assert stored() == [] and settings.DEVICE_COOKIE_NAME not in client.cookies


# --- The device's cookie ------------------------------------------------------------------------------------------


def test_the_device_s_cookie_is_a_mark_of_its_own_out_of_reach_of_scripts(
    study: Study, client: Client
) -> None:
    cookie = agree(client, study).cookies[settings.DEVICE_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    assert cookie["max-age"] == 90 * 24 * 3600
    worker = client.cookies[settings.WORKER_COOKIE_NAME].value
    assert devices.token_of({settings.DEVICE_COOKIE_NAME: worker}) == ""
    assert len(devices.token_of({settings.DEVICE_COOKIE_NAME: cookie.value})) == 22


def test_a_device_that_has_its_mark_keeps_it(study: Study, client: Client) -> None:
    assert settings.DEVICE_COOKIE_NAME in agree(client, study).cookies
    client.cookies.pop(settings.WORKER_COOKIE_NAME)
    assert settings.DEVICE_COOKIE_NAME not in agree(client, study).cookies


@pytest.mark.parametrize("forged", ["", "abc", signing.dumps("abc", salt="another"), "x:y:z"], ids=range(4))
def test_a_mark_that_is_not_ours_is_replaced(study: Study, client: Client, forged: str) -> None:
    client.cookies[settings.DEVICE_COOKIE_NAME] = forged
    given = agree(client, study).cookies[settings.DEVICE_COOKIE_NAME].value
    assert devices.token_of({settings.DEVICE_COOKIE_NAME: given})


def test_a_mark_ends_with_its_days(study: Study, client: Client, settings) -> None:
    agree(client, study)
    cookies = {settings.DEVICE_COOKIE_NAME: client.cookies[settings.DEVICE_COOKIE_NAME].value}
    settings.DEVICE_COOKIE_AGE_S = -1
    assert devices.token_of(cookies) == ""


# --- For how long -------------------------------------------------------------------------------------------------


def test_a_trace_is_kept_for_thirty_days_and_seen_again_for_no_longer(study: Study, client: Client) -> None:
    agree(client, study)
    age(1)
    client.get(reverse("enter", args=[study.slug]), REMOTE_ADDR=HERE)
    last_day = timezone.now().date() + timedelta(days=29)
    assert set(AccountTrace.objects.values_list("expires_on", flat=True)) == {last_day}


def test_the_sweeper_deletes_what_has_come_to_its_day_and_nothing_else(study: Study, client: Client) -> None:
    arrive(client, study)
    age(29)
    kept = arrive(Client(), study)
    assert sweeper.sweep_once().forgotten == 0
    age(1)
    assert sweeper.sweep_once().forgotten == 2
    assert {trace.participation for trace in AccountTrace.objects.all()} == {kept}


def test_traces_are_deleted_in_batches_until_none_is_left(study: Study, join, monkeypatch) -> None:
    monkeypatch.setattr(traces, "FORGOTTEN_AT_ONCE", 2)
    person = join(study)
    for number in range(5):
        traces.remember(person, Facts(device=f"device {number}"))
    assert traces.forget_expired(timezone.now() + timedelta(days=30)) == 5
    assert not AccountTrace.objects.exists()


def test_what_has_come_to_its_day_is_shown_no_more_although_nobody_swept(
    study: Study, client: Client
) -> None:
    arrive(client, study), arrive(client, study)
    age(30)
    assert traces.shared_traces(study) == [] and len(stored()) == 4


def test_the_days_are_a_setting(study: Study, client: Client, settings) -> None:
    settings.ACCOUNT_TRACE_DAYS = 7
    agree(client, study)
    last_day = timezone.now().date() + timedelta(days=7)
    assert set(AccountTrace.objects.values_list("expires_on", flat=True)) == {last_day}


# --- Nothing that can be read -------------------------------------------------------------------------------------


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """``logged()``: every field of every line, at every level."""
    import evalsite.asgi  # noqa: F401 (whose first import sets logging up again, past caplog)

    caplog.set_level(logging.DEBUG)
    for name in ("chat", "evalsite", "ratings", "django", "uvicorn"):
        caplog.set_level(logging.DEBUG, name)
    return lambda: "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)


def database() -> str:
    """Every value of every table."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return "\n".join(map(str, rows))


def pages(browser: Client, study: Study, address: str) -> str:
    """Every page that somebody gets on their way into a talk, and what comes with it."""
    answers = [
        browser.get(reverse("enter", args=[study.slug]), REMOTE_ADDR=address),
        browser.get(reverse("consent", args=[study.slug]), REMOTE_ADDR=address),
        agree(browser, study, address),
        browser.get(reverse("start_talk", args=[study.slug]), REMOTE_ADDR=address),
        browser.post(reverse("start_talk", args=[study.slug]), REMOTE_ADDR=address, follow=True),
        browser.get(reverse("talk", args=["0" * 8 + "-0000-4000-8000-" + "0" * 12]), REMOTE_ADDR=address),
        browser.get(reverse("leave", args=[study.slug]), REMOTE_ADDR=address),
    ]
    return "\n".join(f"{answer.headers} {answer.content.decode()}" for answer in answers)


@pytest.mark.parametrize("address", [HERE, "2001:db8:77:1502::203"])
def test_no_address_stands_in_the_database_a_log_or_a_page(
    study: Study, client: Client, researcher: Client, logged: Callable[[], str], address: str
) -> None:
    shown = pages(client, study, address)
    shown += researcher.get(reverse("talks", args=[study.slug])).content.decode()
    token = devices.token_of({settings.DEVICE_COOKIE_NAME: client.cookies[settings.DEVICE_COOKIE_NAME].value})
    assert [kind for kind, _ in stored()] == [DEVICE, NETWORK] and "study entered" in logged()
    network = "198.51.100" if address == HERE else "2001:db8:77"
    for where in (shown, database(), logged()):
        assert network not in where and token not in where


@pytest.mark.django_db(transaction=True)
async def test_no_address_of_a_socket_is_stored_or_logged(talk, open_page, logged: Callable[[], str]) -> None:
    page = await open_page(talk, address=HERE)
    await page.say("I had a quiet day.")
    assert "198.51.100" not in logged() and "message stored" in logged()
    assert "198.51.100" not in await in_database(database)()


def test_the_dump_would_show_an_address(study: Study) -> None:
    Study.objects.update(contact=HERE)
    assert HERE in database()
