"""Reports of external platforms that work an entity's claims: JSON Lines with control totals."""

from intake.adapters.platform_reports.file import PlatformReport, is_platform_report, take_report

__all__ = ["PlatformReport", "is_platform_report", "take_report"]
