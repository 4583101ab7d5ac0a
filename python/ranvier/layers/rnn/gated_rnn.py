"""GatedRNN: the base of recurrent layers that make a cell of their own."""

from __future__ import annotations

from typing import Any

from ranvier import regularizers
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.rnn.cell import GatedCell
from ranvier.layers.rnn.recurrent import RNN

_HINT = (
    " A recurrent layer takes (batch, time, features). Give single features an axis of their own with "
    "`x[:, :, None]`; after another recurrent layer, give that one `return_sequences=True`."
)


class GatedRNN(RNN):
    """An `RNN` around a cell whose arguments are the layer's own: they are read through the layer.

    Args:
        cell: the cell.
        **kwargs: the arguments of `RNN` and `Layer`.
    """

    cell: GatedCell

    def __init__(self, cell: GatedCell, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)
        self.input_spec.hint = _HINT

    @staticmethod
    def _cell_kwargs(kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the layer that its cell takes too."""
        return {key: kwargs[key] for key in ("dtype", "trainable") if key in kwargs}

    @staticmethod
    def _check_cudnn(use_cudnn: Any) -> None:
        if use_cudnn is True:
            raise ValueError(
                "`use_cudnn=True` is not supported: there is no GPU backend. Pass 'auto' or False."
            )
        if use_cudnn not in ("auto", False):
            raise ValueError(
                "Invalid value received for argument `use_cudnn`. Expected 'auto' or False. "
                f"Received: use_cudnn={use_cudnn!r}"
            )

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is not None and not name.startswith("_") and name in cell.__dict__:
            return getattr(cell, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def get_config(self) -> dict[str, Any]:
        cell = self.cell.get_config()
        own = {key: value for key, value in cell.items() if key not in ("name", "trainable", "dtype")}
        base = {key: value for key, value in super().get_config().items() if key != "cell"}
        return base | own | {"activity_regularizer": regularizers.serialize(self.activity_regularizer)}
