"""Tests that the settings of Sentry reach all containers of the service."""

from tests.compose.stack import Stack

DSN = "https://0123456789abcdef@sentry.example.com/7"


def test_every_container_of_the_service_gets_the_settings_of_sentry(stack: Stack) -> None:
    given = {
        "UNITE_SENTRY_DSN": DSN,
        "UNITE_SENTRY_ENVIRONMENT": "staging",
        "UNITE_SENTRY_SAMPLE_RATE": "0.5",
    }
    reading = "from entrypoints.bootstrap import load_settings; from entrypoints.settings import environment; "
    showing = "it = load_settings(environment()).sentry; print(it and [it.dsn, it.environment, it.sample_rate])"

    def read(service: str, **settings: str) -> str:
        command = ("docker", "compose", "run", "--rm", "--no-deps", "--entrypoint", "python", service, "-c")
        done = stack.attempt(*command, reading + showing, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    for service in ("app", "worker"):
        assert read(service) == "None"
        assert read(service, **given) == str([DSN, "staging", 0.5])
