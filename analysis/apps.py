from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "analysis"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from analysis.planning import due
        from chat import sweeper
        from ratings import submit

        submit.on_complete.append(due.talk_complete)
        sweeper.on_sweep.append(due.ask_again)
