"""Fixtures for the tests of plugins."""

from tests.plugins.helpers import running
from tests.plugins.spy import created, installed_spy, spy

__all__ = ["created", "installed_spy", "running", "spy"]
