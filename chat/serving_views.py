"""The researcher's page of how serving goes, and what keeps it live."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.serving_board import board
from chat.serving_status import serving_status
from chat.staff import staff_only


@require_safe
@staff_only
def serving(request: HttpRequest) -> HttpResponse:
    """Workers, models, queues, times and errors."""
    return render(request, "chat/serving.html", {"section": "serving", "board": board(serving_status())})


@require_safe
@staff_only
def serving_live(request: HttpRequest) -> HttpResponse:
    """The page's figures and cells, for its script."""
    return JsonResponse(asdict(board(serving_status())))
