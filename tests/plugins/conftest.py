"""Fixtures for the tests of plugins."""

from tests.plugins.helpers import running
from tests.plugins.spy import created, fresh, installed_spy, shared_app, spy

__all__ = ["created", "fresh", "installed_spy", "running", "shared_app", "spy"]
