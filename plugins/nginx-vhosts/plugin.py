#!/usr/bin/python3
"""nginx-vhosts: the proxy in front of the apps (commands-a.md 7)."""

from dokku_min.sdk import Plugin

plugin = Plugin("nginx")
main = plugin.main


@plugin.trigger("install")
def install():
    import install as steps
    from tell import told

    from dokku_min.sdk import properties

    port = told("proxy:report", "--global", "--proxy-global-proxy-port")
    steps.install(port or properties.get("proxy", "--global", "proxy-port"))


if __name__ == "__main__":
    plugin.run()
