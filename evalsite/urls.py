"""Every route of the site. Names are shared by all floors; paths stand only here and in each app's urls."""

from django.urls import include, path

from evalsite import health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("signin/", views.signed_out, name="signed_out"),
    path("signin/<str:token>/", views.sign_in, name="sign_in"),
    path("signout/", views.sign_out, name="sign_out"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("chat.urls")),
    path("", include("ratings.urls")),
    path("", include("analysis.urls")),
]
handler400 = "evalsite.error_pages.bad_request"
handler403 = "evalsite.error_pages.forbidden"
handler404 = "evalsite.error_pages.not_found"
handler500 = "evalsite.error_pages.server_error"
