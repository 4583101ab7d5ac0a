"""Policies of quantized models: they are read, compared and written, and refused by layers.

The engine computes in float32 and float64; no layer is quantized.
"""

from __future__ import annotations

from typing import Any

from ranvier.dtype_policies.dtype_policy import DTypePolicy

MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """A quantization of the weights, and the policy of what is computed from them.

    Args:
        mode: "int8", "float8", "int4", "gptq" or "awq", the last two with parameters (see their classes).
        source_name: the name of the policy before; None: the global policy's.

    Raises:
        ValueError: for another mode or source.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        if not isinstance(mode, str) or mode.split("/")[0] not in MODES:
            raise ValueError(f"Invalid quantization mode. Expected one of {MODES}. Received: mode={mode!r}")
        super().__init__(source_name)
        self.mode = mode
        self._source_name = super().name

    @property
    def name(self) -> str:
        """The policy's name: "int8_from_float32"."""
        return f"{self.mode}_from_{self._source_name}"

    @property
    def quantization_mode(self) -> str | None:
        """The mode without its parameters."""
        return self.mode.split("/")[0]

    def get_config(self) -> dict[str, Any]:
        return {"mode": self.mode, "source_name": self._source_name}

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Float8 with scales from the largest magnitudes of the last steps.

    Args:
        mode: "float8".
        source_name: see `QuantizedDTypePolicy`.
        amax_history_length: of how many steps. Default 1024.
    """

    default_amax_history_length = 1024

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "`amax_history_length` must be an integer. "
                f"Received: amax_history_length={amax_history_length!r}"
            )
        self.amax_history_length = amax_history_length

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "amax_history_length": self.amax_history_length}


class GPTQDTypePolicy(QuantizedDTypePolicy):
    """GPTQ (Frantar et al., 2023).

    Args:
        mode: "gptq/<weight_bits>/<group_size>": 2, 3, 4 or 8 bits, and a size, or -1 for whole tensors.
        source_name: see `QuantizedDTypePolicy`.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        self.weight_bits, self.group_size = _parameters(mode, "gptq", "GPTQDTypePolicy", (2, 3, 4, 8))
        super().__init__(mode, source_name)


class AWQDTypePolicy(QuantizedDTypePolicy):
    """AWQ (Lin et al., 2024).

    Args:
        mode: "awq/<weight_bits>/<group_size>": 4 bits, and a size, or -1 for whole tensors.
        source_name: see `QuantizedDTypePolicy`.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        self.weight_bits, self.group_size = _parameters(mode, "awq", "AWQDTypePolicy", (4,))
        super().__init__(mode, source_name)


class Int4DTypePolicy(QuantizedDTypePolicy):
    """Int4 by blocks.

    Args:
        mode: "int4/<block_size>": a size, or -1 for whole channels.
        source_name: see `QuantizedDTypePolicy`.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        parts = mode.split("/")
        if len(parts) != 2 or parts[0] != "int4" or not _is_integer(parts[1]):
            raise ValueError(
                f"Invalid mode for Int4DTypePolicy. Expected format 'int4/<block_size>', but got '{mode}'."
            )
        self.block_size = int(parts[1])
        if self.block_size < 1 and self.block_size != -1:
            raise ValueError(
                "Invalid block_size in mode. Supported values are -1 (per-channel) or a positive integer "
                f"(sub-channel), but got {self.block_size} from '{mode}'."
            )
        super().__init__(mode, source_name)


def _is_integer(text: str) -> bool:
    return text.lstrip("-").isdigit()


def _parameters(mode: str, method: str, cls: str, widths: tuple[int, ...]) -> tuple[int, int]:
    parts = mode.split("/")
    if len(parts) != 3 or parts[0] != method or not all(map(_is_integer, parts[1:])):
        raise ValueError(
            f"Invalid mode for {cls}. Expected format '{method}/<weight_bits>/<group_size>', but got "
            f"'{mode}'."
        )
    bits, size = int(parts[1]), int(parts[2])
    if bits not in widths:
        raise ValueError(
            f"Invalid weight_bits in mode. Supported values are {widths}, but got {bits} from '{mode}'."
        )
    if size < 1 and size != -1:
        raise ValueError(
            "Invalid group_size in mode. Supported values are -1 (whole-tensor) or a positive integer, but "
            f"got {size} from '{mode}'."
        )
    return bits, size


def by_name(name: str) -> QuantizedDTypePolicy | None:
    """The policy that a name such as "int8_from_float32" stands for; None for a name of another form."""
    mode, found, source = name.partition("_from_")
    method = mode.split("/")[0]
    if method not in MODES or not found:
        return None
    if method == "float8":
        return QuantizedFloat8DTypePolicy(mode, source)
    if method in ("gptq", "awq"):
        return (GPTQDTypePolicy if method == "gptq" else AWQDTypePolicy)(mode, source)
    return (Int4DTypePolicy if "/" in mode else QuantizedDTypePolicy)(mode, source)
