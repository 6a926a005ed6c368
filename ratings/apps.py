from django.apps import AppConfig


class RatingsConfig(AppConfig):
    name = "ratings"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import studies, study_subcommands, sweeper
        from ratings import gold_command, payment_command
        from ratings.quality import due
        from ratings.quality.policy import in_force

        sweeper.on_sweep.append(due.ask_again)
        # A policy is declared before anybody talks, also where nobody chose one.
        studies.on_open.append(in_force)
        study_subcommands.subcommands.append(gold_command.GOLD)
        study_subcommands.subcommands.append(payment_command.PAY)
        study_subcommands.arm_lines.append(gold_command.lines)
