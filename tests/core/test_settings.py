"""Switches of the process: what they change, and what is refused by name."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest

import ranvier as rv
from ranvier import config
from ranvier.callbacks.progbar import Progbar


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    yield
    config.enable_interactive_logging()
    config.disable_traceback_filtering()  # as in conftest.py
    config.set_max_epochs(None)


def _model() -> rv.Sequential:
    model = rv.Sequential([rv.Input((2,)), rv.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    return model


@pytest.mark.parametrize(("limit", "epochs"), [(2, 2), (9, 3), (None, 3), (-1, 3), (0, 0)])
def test_max_epochs_limits_fit(limit: int | None, epochs: int) -> None:
    config.set_max_epochs(limit)
    history = _model().fit(np.zeros((4, 2)), np.zeros((4, 1)), epochs=3, verbose=0)
    assert len(history.epoch) == epochs
    assert config.max_epochs() == (None if limit is None or limit < 0 else limit)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_interactive_logging_decides_whether_bars_are_redrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = {}
    for is_on in (True, False):
        (config.enable_interactive_logging if is_on else config.disable_interactive_logging)()
        assert config.is_interactive_logging_enabled() is is_on
        terminal = Terminal()
        monkeypatch.setattr("sys.stdout", terminal)
        bar = Progbar(3, interval=0.0)
        for step in (1, 2, 3):
            bar.update(step)
        drawn[is_on] = terminal.getvalue()
    assert "1/3" in drawn[True] and "1/3" not in drawn[False] and "3/3" in drawn[False]


def test_what_is_only_noted() -> None:
    config.disable_flash_attention()
    assert config.is_flash_attention_enabled() is False
    assert not config.is_nnx_enabled()
    config.set_backend("ranvier")
    config.set_max_steps_per_epoch(None)
    assert config.max_steps_per_epoch() is None


@pytest.mark.parametrize(
    ("function", "arguments", "pattern"),
    [
        ("enable_flash_attention", (), "flash attention is not offered"),
        ("enable_unsafe_deserialization", (), "never run"),
        ("set_max_steps_per_epoch", (3,), "steps_per_epoch"),
        ("set_backend", ("jax",), "jax"),
    ],
)
def test_what_is_refused(function: str, arguments: tuple[object, ...], pattern: str) -> None:
    with pytest.raises(ValueError, match=pattern):
        getattr(config, function)(*arguments)
