#!/usr/bin/python3
"""greet: say hello to apps. The signatures of the functions below are the command line: `app` is an app that exists."""

from dokku_min.sdk import Plugin, log, properties

plugin = Plugin("greet", properties=True)  # they follow an app when it is cloned or renamed, and go with it
main = plugin.main


@plugin.command("greet:hello")
def hello(app):
    log.info1(f"{properties.get('greet', app, 'greeting', 'hello')}, {app}")


@plugin.command("greet:set")
def set_greeting(app, greeting=""):
    """Without a greeting, back to the usual."""
    if greeting:
        properties.put("greet", app, "greeting", greeting)
        log.info2_quiet(f"Setting greeting to {greeting}")
    else:
        properties.delete("greet", app, "greeting")
        log.info2_quiet("Unsetting greeting")


@plugin.trigger("post-deploy")
def post_deploy(app):
    hello(app)


if __name__ == "__main__":
    plugin.run()
