"""What everything of ours on PostgreSQL shares: versioned schema changes, and the settings that keep data."""

from chassis.domain import UnsafeSetting
from chassis.postgres.migration import SchemaMissing, Step, applied_version, apply_steps
from chassis.postgres.settings import refuse_unsafe_values

__all__ = ["SchemaMissing", "Step", "UnsafeSetting", "applied_version", "apply_steps", "refuse_unsafe_values"]
