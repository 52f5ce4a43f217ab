"""Values for a container travel in the environment of docker's client, where no process list shows them.

But for those that mean something to the client itself, or to the loader that starts it: an app's DOCKER_HOST or
LD_PRELOAD must not decide which engine we speak to, or what code runs as the dokku user. They go into argv.
"""

_NAMES = frozenset((
    "DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CUSTOM_HEADERS",
    "DOCKER_DEFAULT_PLATFORM", "DOCKER_HOST", "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "HOME", "PATH",
))  # fmt: skip
_PREFIXES = ("DOCKER_CLI_", "DOCKER_CONTENT_TRUST", "DOCKER_TLS", "LD_")


def harmless(values):
    return {key: value for key, value in values.items() if key not in _NAMES and not key.startswith(_PREFIXES)}


def told(values):
    """docker's flags for the others."""
    kept = harmless(values)
    return [f"--env={key}={value}" for key, value in values.items() if key not in kept]
