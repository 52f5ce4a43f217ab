"""A plugin's own modules for unit tests; two plugins may each have one of the same name."""

import importlib
import sys
from types import ModuleType

from tests.server import CHECKOUT


def plugin_module(plugin: str, name: str) -> ModuleType:
    """Import plugins/<plugin>/<name>.py as the plugin itself sees it, and leave no trace in sys.modules."""
    directory = str(CHECKOUT / "plugins" / plugin)
    before = set(sys.modules)
    sys.path.insert(0, directory)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(directory)
        for added in set(sys.modules) - before:
            if (getattr(sys.modules[added], "__file__", None) or "").startswith(f"{directory}/"):
                del sys.modules[added]
