"""URL rules that all apps of a process share, because compiling them takes most of the time of making an app."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

_builders: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}


class SharedRule(Rule):
    """A rule that shares the compiled URL builders of an equal one; no code of ours builds URLs."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, repr(self.defaults), self.subdomain, self.host, self.merge_slashes, append_unknown)
        if key not in _builders:
            _builders[key] = super()._compile_builder(append_unknown)
        return _builders[key]


def share_rules() -> None:
    """Have every app that is made from here on take its rules from others."""
    Flask.url_rule_class = SharedRule
