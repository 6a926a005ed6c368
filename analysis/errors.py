"""What can go wrong in the analysis; every error has a stable code and says what to do."""

from __future__ import annotations

from collections.abc import Mapping


class AnalysisError(Exception):
    """Base of all errors of this app."""

    code = "analysis"


class UnknownStudy(AnalysisError):
    code = "unknown_study"


class UnknownFormat(AnalysisError):
    code = "unknown_format"


class UnknownChoice(AnalysisError):
    code = "unknown_choice"


class UnknownData(AnalysisError):
    code = "unknown_data"


class UnknownAxis(AnalysisError):
    code = "unknown_axis"


class NotEstimable(AnalysisError):
    """What the data do not tell, however many digits are asked for."""

    code = "not_estimable"


class AnnotationsRefused(AnalysisError):
    code = "annotations_refused"


class UnknownRecords(AnalysisError):
    code = "unknown_records"


class ExportRefused(AnalysisError):
    code = "export_refused"


class FolderBusy(AnalysisError):
    code = "folder_busy"


class BundleRefused(AnalysisError):
    code = "bundle_refused"


class PlanRefused(AnalysisError):
    """A study cannot be planned so; ``reasons`` has a sentence for each field at fault."""

    code = "plan_refused"

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(" ".join(reasons.values()))
        self.reasons = reasons


class AdoptionRefused(AnalysisError):
    """A plan cannot be adopted; the sentence says why."""

    code = "adoption_refused"
