"""What a Python plugin needs: declare commands and triggers beside the functions that serve them, then main().

    plugin = Plugin("greet")

    @plugin.command("greet:hello")
    def hello(app, *, loud=False):       # arguments and flags come from the signature (args.py)
        print(ask("config-get", app, "GREETING").upper() if loud else "hello")

    @plugin.trigger("post-deploy")
    def post_deploy(app, port, ip, tag): ...

    main = plugin.main
    if __name__ == "__main__":
        sys.exit(main(sys.argv[1:]))

The manifest lists the same commands with their help, and the triggers. Importing the program must do nothing else, so
that the core may keep it warm.
"""

import os
import sys

from dokku_min import apps, args, confirm, dispatch, files, log, names, paths, properties, report, words
from dokku_min.errors import Failure
from dokku_min.locks import app_lock, directory_lock

__all__ = ["Failure", "Plugin", "app_lock", "apps", "args", "ask", "call", "check", "confirm",
           "directory_lock", "each_app", "files", "fire", "fire_old", "forked", "holds", "log", "names", "paths",
           "properties", "report", "words"]  # fmt: skip

GLOBAL = names.GLOBAL


class Plugin:
    """One plugin program: a table of its commands and triggers.

    properties=True makes the plugin's properties follow an app when it is cloned or renamed, and go with it.
    """

    def __init__(self, name: str, properties: bool = False):
        self.name = name
        self.commands: dict[str, tuple] = {}
        self.triggers: dict[str, list] = {}
        if properties:
            self.trigger("post-app-clone-setup")(self._clone)
            self.trigger("post-app-rename-setup")(self._clone)
            self.trigger("post-delete")(self._forget)

    def command(self, *names: str, options_first: bool = False, short: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
        """Serve the named commands with a function; it may return an exit status. See args.bind for its parameters."""

        def register(function):  # type: ignore[no-untyped-def]
            for name in names:
                self.commands[name] = (function, options_first, short)
            return function

        return register

    def trigger(self, *names: str):  # type: ignore[no-untyped-def]
        """Serve the named triggers. Surplus arguments are dropped, missing ones are "".

        The function returns None, an exit status, True or False for yes and no, or text to print as the answer.
        """

        def register(function):  # type: ignore[no-untyped-def]
            for name in names:
                self.triggers.setdefault(name, []).append(function)
            return function

        return register

    def report(self, command: str = "", heading: str = "", legacy: bool = False, capital: bool = True,
               extra=None):  # type: ignore[no-untyped-def]  # fmt: skip
        """Serve `PLUGIN:report` and the `report` trigger from a function scope -> {flag: text or function}.

        capital: whether labels begin with a capital letter. extra(scope) -> {key: value}: what only JSON has, like lists.
        """
        title, name = heading or self.name, command or f"{self.name}:report"

        def register(rows):  # type: ignore[no-untyped-def]
            def show(*argv: str) -> None:
                report.show(name.removesuffix(":report"), title, legacy, rows, list(argv), capital, extra)

            self.commands[name] = (show, None, None)
            self.trigger("report")(lambda app: report.show(name, title, legacy, rows, [app], capital))
            return rows

        return register

    def settable(self, keys: dict[str, str], command: str = "", word: str = "property", store: str = "",
                 check=None, changed=None) -> None:  # type: ignore[no-untyped-def]  # fmt: skip
        """Serve `PLUGIN:set SCOPE KEY [VALUE]`. keys: name -> "app", "global" or "both"; word: how errors call a key.

        check(scope, key, value) returns the text to store, or raises Failure; changed(scope, key, value) runs after.
        store is the plugin name of the property store, if it is not the plugin's own.
        """

        def set_(scope, key="", *value):  # type: ignore[no-untyped-def]
            text = " ".join(value)
            _check_key(scope, key, keys, word)
            text = check(scope, key, text) if check and text else text
            if text:
                log.info2_quiet(f"Setting {key} to {text}")
                properties.put(store or self.name, scope, key, text)
            else:
                log.info2_quiet(f"Unsetting {key}")
                properties.delete(store or self.name, scope, key)
            if changed:
                changed(scope, key, text)

        self.commands[command or f"{self.name}:set"] = (set_, False, None)

    def main(self, argv: list[str]) -> int:
        """Run one command (a name with a colon in it) or one trigger, and return its exit status."""
        name, rest = argv[0], argv[1:]
        if ":" in name:
            return self._run_command(name.removesuffix(":"), rest)
        for function in self.triggers.get(name, []):
            status = _answer(function(*_fitted(function, rest)))
            if status:
                return status
        return 0

    def _run_command(self, name: str, rest: list[str]) -> int:
        function, options_first, short = self.commands[name]
        try:
            if options_first is None:  # a report reads its own flags
                if "--help" in rest:
                    raise args.HelpWanted
                return function(*rest) or 0
            found, flags = args.bind(function, rest, options_first, short)
            return function(*found, **flags) or 0
        except args.Usage as wrong:
            from dokku_min import builtins

            if isinstance(wrong, args.HelpWanted):
                return builtins.command_help(name)
            wrong.hint = wrong.hint or builtins.usage_of(name)
            raise

    def run(self) -> None:
        """main() of a program that was started cold: the same environment, messages and exit status as warm."""
        from dokku_min import warm

        warm.leave(warm.guarded(lambda: self.main(sys.argv[1:]), f"plugin {self.name}"))

    def _clone(self, old: str, new: str) -> None:
        properties.clone(self.name, old, new)

    def _forget(self, app: str) -> None:
        properties.destroy(self.name, app)


def _check_key(scope: str, key: str, keys: dict[str, str], word: str) -> None:
    if scope == GLOBAL and keys.get(key) == "app":
        raise Failure("Property cannot be specified globally")
    if scope != GLOBAL and keys.get(key) == "global":
        raise Failure("Property can only be specified globally")
    if not key:
        raise Failure(f"No {word} specified")
    if key not in keys:
        raise Failure(f"Invalid {word} specified, valid {_plural(word)} include: {', '.join(sorted(keys))}")


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("ty") else f"{word}s"


def _fitted(function, given: list[str]) -> list[str]:  # type: ignore[no-untyped-def]
    signature = args.Signature(function)
    fitted = given if signature.rest else given[: len(signature.positional)]
    return fitted + [""] * (signature.required - len(fitted))


def _answer(result: object) -> int:
    if isinstance(result, bool):
        return 0 if result else 1
    if isinstance(result, str):
        print(result)
        return 0
    return int(result or 0)  # type: ignore[call-overload]


def fire(trigger: str, *arguments: str) -> None:
    """Fire a trigger; a hook that fails has said why, and ends us with its status."""
    status = dispatch.trigger(trigger, *arguments)
    if status:
        raise Failure("", status=status)


def fire_old(old: str, new: str, *arguments: str) -> None:
    """Fire a trigger whose name core stopped using, for the plugins that still have it (plugins.md 2, point 12 of 7)."""
    if dispatch.index().implemented(old):
        log.warn(f"Deprecated: please upgrade plugin to use '{new}' plugin trigger instead of {old}")
        fire(old, *arguments)


def ask(trigger: str, *arguments: str, must: bool = False, data: str = "") -> str:
    """What the hooks of a trigger print, less white space around it. must=True: a hook that fails ends us."""
    status, answer = dispatch.capture(trigger, *arguments, data=os.fsencode(data))
    if status and must:
        raise Failure("", status=status)
    return answer.strip()


def holds(trigger: str, *arguments: str) -> bool:
    """Does a trigger that answers with its exit status say yes? What it prints is dropped."""
    return dispatch.capture(trigger, *arguments)[0] == 0


def call(command: str, *arguments: str) -> int:
    """Run another plugin's command, as a user would, and return its exit status."""
    from dokku_min import commands

    return commands.run_child([command, *arguments])


def check(command: str, *arguments: str) -> None:
    """call() that ends us when the command fails."""
    status = call(command, *arguments)
    if status:
        raise Failure("", status=status)


def each_app(selected: list[str], label: str, parallel: int, act) -> None:  # type: ignore[no-untyped-def]
    """act(app) for every app, in a pool of `parallel` processes (-1: one per CPU); failures are counted, not fatal.

    commands-a.md 1.10: serial mode says so, and any failure makes the whole call fail at its end.
    """
    if parallel < -1:
        raise Failure(f"Invalid value {parallel} for --parallel flag")
    pool = os.cpu_count() or 1 if parallel == -1 else max(1, parallel)
    if pool == 1:
        log.warn(f"Running {label} in serial mode")
    elif parallel == -1:
        log.warn(f"Running {label} in parallel mode, {pool} at a time")
    running: dict[int, str] = {}
    failed = []
    for app in [*selected, *[""] * pool]:
        while running and (len(running) >= pool or not app):
            pid, status = os.wait()
            if os.waitstatus_to_exitcode(status):
                failed.append(running[pid])
                log.warn(f"{label} failed for {running[pid]}")
            del running[pid]
        if app:
            log.info1(f"Running {label} against app {app}" if pool == 1 else f"Running command against {app}")
            running[forked(lambda app=app: act(app))] = app
    if failed:
        raise Failure(f"{label} command returned {len(failed)} errors")


def forked(action) -> int:  # type: ignore[no-untyped-def]
    """Run action() in a process of its own, forked from here; its pid. What it raises becomes message and status."""
    from dokku_min import warm

    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        dispatch.reset_signals()
        warm.leave(warm.guarded(action, "the command"))
    return pid
