from django.apps import AppConfig


class ModelhubConfig(AppConfig):
    name = "modelhub"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Connects to the signals of Celery workers; other processes never receive them.
        from modelhub.serving import worker  # noqa: F401
