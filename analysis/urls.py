"""Routes of the report."""

from django.urls import path

from analysis import views

urlpatterns = [
    path("studies/<slug:slug>/report/", views.report, name="report"),
    path("studies/<slug:slug>/report/table7.<slug:ending>", views.report_file, name="report_file"),
]
