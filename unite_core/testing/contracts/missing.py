"""Errors that say what a suite still needs from the test class that derives from it."""

import pytest


def missing_fixture(suite: object, name: str, what: str) -> BaseException:
    """Return the error that the test class of the suite lacks this fixture."""
    return _error(suite, f"a fixture `{name}`", what, f"@pytest.fixture\n    def {name}(self): ...")


def missing_method(suite: object, name: str, what: str) -> BaseException:
    """Return the error that the test class of the suite lacks this method."""
    return _error(suite, f"a method `{name}`", what, f"def {name}(self, ...): ...")


def _error(suite: object, kind: str, what: str, example: str) -> BaseException:
    here = type(suite)
    contract = next(each for each in here.__mro__ if each.__module__.startswith("unite_core.testing.contracts."))
    message = f"The suite {contract.__name__} needs {kind}: {what}. Define it in {here.__name__}:\n\n    {example}"
    return pytest.fail.Exception(message, pytrace=False)
