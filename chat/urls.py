"""Routes of the evaluator's talk and of the researcher's studies."""

from django.urls import path

from chat import research_views, serving_views, views

urlpatterns = [
    path("e/<slug:slug>/", views.enter, name="enter"),
    path("e/<slug:slug>/consent/", views.consent, name="consent"),
    path("e/<slug:slug>/next/", views.start_talk, name="start_talk"),
    path("e/<slug:slug>/leave/", views.leave, name="leave"),
    path("e/<slug:slug>/done/", views.thanks, name="thanks"),
    path("t/<uuid:conversation_id>/", views.talk, name="talk"),
    path("serving/", serving_views.serving, name="serving"),
    path("serving/live/", serving_views.serving_live, name="serving_live"),
    path("studies/", research_views.studies, name="studies"),
    path("studies/<slug:slug>/", research_views.study, name="study"),
    path("studies/<slug:slug>/state/", research_views.change_state, name="study_state"),
    path("studies/<slug:slug>/talks/", research_views.talks, name="talks"),
]
