"""How objects that are made from arguments are printed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ranvier.core.user_code import ShortErrors

_MOST_CHARACTERS = 60  # of one value


class Shown(ShortErrors):
    """Prints as the call that makes such an object, with the arguments that are not the defaults.

    Attributes:
        _rv_always_shown: the names of arguments to show in any case.
    """

    _rv_always_shown: tuple[str, ...] = ()

    def _rv_shown_arguments(self) -> Mapping[str, Any]:
        """The constructor's arguments that are known."""
        return self.get_config()  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        try:
            given = self._rv_shown_arguments()
            parameters = inspect.signature(type(self).__init__).parameters
            shown = [
                f"{name}={_brief(given[name])}"
                for name, parameter in parameters.items()
                if name in given
                and name != "name"
                and (name in self._rv_always_shown or not _equal(given[name], parameter.default))
            ]
        except Exception:  # of a subclass that is not finished: it can still be printed
            return f"<{type(self).__name__}>"
        return f"{type(self).__name__}({', '.join(shown)})"


def _equal(value: Any, default: Any) -> bool:
    return value is default or (type(value) in (str, int, float, bool, list, tuple) and value == default)


def _brief(value: Any) -> str:
    if isinstance(value, dict) and "class_name" in value and isinstance(value.get("config"), dict):
        inner = ", ".join(f"{k}={_brief(v)}" for k, v in value["config"].items() if v is not None)
        text = f"{value['class_name']}({inner})"
    else:
        text = f"{value:.6g}" if type(value) is float else repr(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 3]}..."
