"""The researcher's pages of a study's policy, and of everything that was decided in it."""

from __future__ import annotations

import logging

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from chat.models import Conversation, Study
from chat.staff import staff_only
from ratings import policy_form
from ratings.errors import PolicyRefused
from ratings.models import Policy
from ratings.quality import audit, history
from ratings.quality import policy as policies

log = logging.getLogger(__name__)

DECISIONS_PER_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def quality_policy(request: HttpRequest, slug: str) -> HttpResponse:
    """What each rule asks and what follows, and the versions so far; a new one is declared here."""
    study = get_object_or_404(Study, slug=slug)
    policy = policies.held(study)
    return _declare(request, study, policy) if request.method == "POST" else _page(request, study, policy)


def _declare(request: HttpRequest, study: Study, policy: Policy) -> HttpResponse:
    """A new version with what differs from the present one, on which the page must rest."""
    sent = {name: request.POST[name] for name in request.POST if name != "csrfmiddlewaretoken"}
    if sent.get("version") != str(policy.version):
        refusal = (
            f"Version {policy.version} holds now, and was declared after this page was shown. What you entered is "
            "below; look at it again, then declare it."
        )
        return _page(request, study, policy, sent, refusal=refusal, status=409)
    changes = policy_form.changes(policy, sent)
    reasons = dict(policy_form.refusals(changes))
    if reasons:
        return _page(request, study, policy, sent, reasons=reasons, status=PolicyRefused.status)
    if not changes and policy.version:
        refusal = f"Nothing differs from version {policy.version}. Change a rule, then declare it."
        return _page(request, study, policy, sent, refusal=refusal, status=PolicyRefused.status)
    declared = policies.declare(
        study, changes, actor=request.user.get_username(), note=sent.get("note", "").strip()
    )
    return redirect(f"{reverse('quality_policy', args=[study.slug])}?declared={declared.version}")


def _page(
    request: HttpRequest,
    study: Study,
    policy: Policy,
    sent: dict[str, str] | None = None,
    *,
    reasons: dict[str, str] | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    subjects = policy_form.asked(policy, sent, reasons)
    context = {
        "section": "workers",
        "study": study,
        "policy": policy,
        "subjects": subjects,
        "refused": [asked for _, group in subjects for asked in group if asked.reason],
        "refusal": refusal,
        "note": (sent or {}).get("note", ""),
        "talks": Conversation.objects.filter(arm__study=study, simulated=False).count(),
        "versions": history.versions(study),
        "declared": policy.version and request.GET.get("declared") == str(policy.version),
    }
    return render(request, "ratings/quality_policy.html", context, status=status)


# --- What was decided ---------------------------------------------------------------------------------------------


@require_safe
@staff_only
def decisions(request: HttpRequest, slug: str) -> HttpResponse:
    """Every decision of the study, newest first. Five queries."""
    study = get_object_or_404(Study, slug=slug)
    page = Paginator(audit.decisions_of(study), DECISIONS_PER_PAGE).get_page(request.GET.get("page"))
    context = {"section": "workers", "study": study, "page": page}
    return render(request, "ratings/quality_decisions.html", context)


@require_safe
@staff_only
def decisions_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as CSV."""
    study = get_object_or_404(Study, slug=slug)
    log.info("decisions downloaded", extra={"study": study.slug, "user": request.user.pk})
    return HttpResponse(
        audit.as_csv(study, audit.decisions_of(study)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-decisions.csv"'},
    )
