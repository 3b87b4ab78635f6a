"""The computer that the agent runs on."""

from agent.devices.host.driver import KIND, Host, Options

__all__ = ["KIND", "Host", "Options"]
