from django.apps import AppConfig


class EvalsiteConfig(AppConfig):
    name = "evalsite"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import sweeper
        from evalsite import checks, watching  # noqa: F401 - importing checks registers them

        sweeper.on_start.append(lambda: watching.begin("sweeper"))
