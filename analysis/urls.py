"""Routes of the report, the data and the benchmarks."""

from django.urls import path

from analysis import (
    benchmark_views,
    data_views,
    planning_views,
    quality_views,
    report_files,
    views,
)

urlpatterns = [
    path("benchmarks/", benchmark_views.benchmark_tables, name="benchmarks"),
    path("benchmarks/tables.<slug:ending>", benchmark_views.benchmarks_file, name="benchmarks_file"),
    path("planning/", planning_views.planner, name="planner"),
    path("planning/plan.<slug:ending>", planning_views.planner_file, name="planner_file"),
    path("studies/<slug:slug>/plan/", planning_views.study_plan, name="study_plan"),
    path("studies/<slug:slug>/workers/effects/", quality_views.exclusion_effects, name="exclusion_effects"),
    path(
        "studies/<slug:slug>/workers/quality.<slug:ending>", quality_views.quality_file, name="quality_file"
    ),
    path(
        "studies/<slug:slug>/workers/<uuid:participation_id>/effect/",
        quality_views.worker_effect,
        name="worker_effect",
    ),
    path("studies/<slug:slug>/data/", data_views.study_data, name="study_data"),
    path("studies/<slug:slug>/data/<slug:form>/", data_views.study_data_file, name="study_data_file"),
    path("studies/<slug:slug>/report/", views.report, name="report"),
    path("studies/<slug:slug>/report/state/", views.report_state, name="report_state"),
    path("studies/<slug:slug>/report/table7.<slug:ending>", report_files.table7_file, name="report_file"),
    path(
        "studies/<slug:slug>/report/report.<slug:ending>", report_files.whole_file, name="whole_report_file"
    ),
    path("studies/<slug:slug>/report/<slug:name>.zip", report_files.folder_file, name="report_folder_file"),
    path(
        "studies/<slug:slug>/report/pictures/<slug:name>.<slug:ending>",
        report_files.picture_file,
        name="report_picture",
    ),
]
