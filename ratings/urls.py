"""Routes of rating, of transcripts, which show ratings, and of what is found and decided about workers."""

from django.urls import include, path

from ratings import policy_views, quality_views, research_views, views, worker_views

workers = [
    path("", quality_views.workers, name="workers"),
    path("judge/", quality_views.judge_workers, name="judge_workers"),
    path("carry-out/", quality_views.carry_out_policy, name="carry_out_policy"),
    path("policy/", policy_views.quality_policy, name="quality_policy"),
    path("decisions/", policy_views.decisions, name="decisions"),
    path("decisions.csv", policy_views.decisions_file, name="decisions_file"),
    path("<uuid:participation_id>/", worker_views.worker, name="worker"),
    path("<uuid:participation_id>/exclude/", worker_views.exclude_worker, name="exclude_worker"),
    path("<uuid:participation_id>/restore/", worker_views.restore_worker, name="restore_worker"),
    path("<uuid:participation_id>/approve/", worker_views.approve_pay, name="approve_pay"),
    path("<uuid:participation_id>/reject/", worker_views.reject_pay, name="reject_pay"),
    path("<uuid:participation_id>/confirm/", worker_views.confirm_rejection, name="confirm_rejection"),
    path("<uuid:participation_id>/bonus/", worker_views.give_bonus, name="give_bonus"),
]
urlpatterns = [
    path("t/<uuid:conversation_id>/rate/", views.rate, name="rate"),
    path("studies/<slug:slug>/talks/<uuid:conversation_id>/", research_views.transcript, name="transcript"),
    path("studies/<slug:slug>/workers/", include(workers)),
]
