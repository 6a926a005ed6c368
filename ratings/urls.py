"""Routes of rating and of transcripts, which show ratings."""

from django.urls import path

from ratings import research_views, views

urlpatterns = [
    path("t/<uuid:conversation_id>/rate/", views.rate, name="rate"),
    path("studies/<slug:slug>/talks/<uuid:conversation_id>/", research_views.transcript, name="transcript"),
]
