import pytest


@pytest.fixture(scope="package", autouse=True)
def short_grace(server):
    """Old containers may leave soon: 2 seconds instead of a minute."""
    server.dokku("checks:set", "--global", "wait-to-retire", "2")
    yield
    server.dokku("checks:set", "--global", "wait-to-retire", "")
