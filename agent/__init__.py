"""Edge telemetry agent: polls devices, keeps every sample, answers questions about them."""

__version__ = "0.1.0"
