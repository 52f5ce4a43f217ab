"""The one exception for what a user can fix."""

NOT_IMPLEMENTED = 10  # a plugin's `commands` answers this for "not mine" (plugins.md 1.4)
NO_SUCH_APP = 20  # exit status of every command given an unknown app (commands-a.md 1.4)


class Failure(Exception):
    """Ends the command: message and hint go to stderr, one ` !     ` line each; status is the exit status."""

    def __init__(self, message: str, hint: str = "", status: int = 1):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status
