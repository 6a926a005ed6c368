"""The researcher's page of Tables 4, 5 and 6, and its files."""

from __future__ import annotations

import logging

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analysis.benchmarks import Benchmarks, benchmarks
from analysis.errors import UnknownData, UnknownFormat
from analysis.exports import BENCHMARK_FORMATS, benchmark_format_named
from analysis.plots.cells import Mark, Span
from analysis.tables.benchmark_table import METHOD_SENTENCE, TIES_SENTENCE, BenchmarkTable, Cell
from analysis.version import code_version
from chat.staff import staff_only

log = logging.getLogger(__name__)

#: Shares are drawn on the whole scale.
SHARES = Span(0, 1)


@require_safe
@staff_only
def benchmark_tables(request: HttpRequest) -> HttpResponse:
    """Tables 4, 5 and 6 of one folder of data sets."""
    shown = _benchmarks(request)
    context = {
        "section": "benchmarks",
        "shown": shown,
        "tables": [(table, _drawn(table)) for table in shown.tables],
        "formats": BENCHMARK_FORMATS,
        "method": METHOD_SENTENCE,
        "ties": TIES_SENTENCE,
        "code_version": code_version(),
    }
    return render(request, "analysis/benchmarks.html", context)


@require_safe
@staff_only
def benchmarks_file(request: HttpRequest, ending: str) -> HttpResponse:
    """Tables 4, 5 and 6 as a file to keep."""
    try:
        form = benchmark_format_named(ending)
    except UnknownFormat as error:
        raise Http404(str(error)) from error
    log.info("benchmarks downloaded", extra={"form": form.name, "user": request.user.pk})
    return HttpResponse(
        form.render(_benchmarks(request)),
        content_type=form.media_type,
        headers={"Content-Disposition": f'attachment; filename="benchmarks.{form.ending}"'},
    )


def _benchmarks(request: HttpRequest) -> Benchmarks:
    """Of the folder that the address asks for; without a wish, of the one measured on last."""
    try:
        return benchmarks(request.GET.get("data"))
    except UnknownData as error:
        raise BadRequest(str(error)) from None


def _drawn(table: BenchmarkTable) -> list[tuple[object, object]]:
    """Sections with their rows, and these with the drawing of each cell."""
    return [
        (section, [(row, [(cell, _share_mark(cell)) for cell in row.cells]) for row in section.rows])
        for section in table.sections
    ]


def _share_mark(cell: Cell) -> Mark | None:
    if cell.value is None or cell.low is None or cell.high is None:
        return None
    return Mark(low=SHARES.x(cell.low), high=SHARES.x(cell.high), mean=SHARES.x(cell.value))
