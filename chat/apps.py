from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import studies
        from modelhub import serving

        # A serving worker loads what talks may need; it cannot look up here itself.
        serving.wanted.append(studies.wanted_revisions)
