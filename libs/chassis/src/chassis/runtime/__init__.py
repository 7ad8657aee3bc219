"""How a service is put together and run."""

from chassis.runtime.core import ServiceCore, ServiceShape, Sweep

__all__ = ["ServiceCore", "ServiceShape", "Sweep"]
