"""The core of dokku_min: it finds plugins, runs commands, fires triggers and keeps files safe. It knows no feature."""

__version__ = "0.1.0"
COMPATIBLE = "0.38.27"  # the Dokku release whose interface this one keeps (scripts compare versions)
