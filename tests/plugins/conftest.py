"""Fixtures for the tests of plugins."""

from tests.plugins.helpers import registry, running
from tests.plugins.spy import created, fresh, installed_spy, shared_app, spy

__all__ = ["created", "fresh", "installed_spy", "registry", "running", "shared_app", "spy"]
