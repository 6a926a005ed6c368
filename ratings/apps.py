from django.apps import AppConfig


class RatingsConfig(AppConfig):
    name = "ratings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import studies, sweeper
        from ratings.quality import due
        from ratings.quality.policy import in_force

        sweeper.on_sweep.append(due.ask_again)
        # A policy is declared before anybody talks, also where nobody chose one.
        studies.on_open.append(in_force)
