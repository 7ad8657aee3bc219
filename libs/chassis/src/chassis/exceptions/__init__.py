"""Exception cases: what a rule refused, with the person's way to retry, correct or dismiss it."""

from chassis.exceptions.case import CASES, ExceptionCase, case_id_of, end_case, project_cases, raise_case

__all__ = ["CASES", "ExceptionCase", "case_id_of", "end_case", "project_cases", "raise_case"]
