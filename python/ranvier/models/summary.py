"""The table that `model.summary()` prints."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np


def summarize(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    styled: bool = False,
) -> str:
    """The summary of a model; see `Model.summary`. `styled`: with a terminal's colours."""
    import shutil

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns: list[tuple[str, Any]] = [
        ("Layer (type)", "left"),
        ("Output Shape", "left"),
        ("Param #", "right"),
    ]
    shares = [0.45, 0.77, 1.0]
    connected = not _is_a_chain(model)
    if connected:
        columns.append(("Connected to", "left"))
        shares = [0.28, 0.52, 0.68, 1.0]
    if show_trainable:
        columns.append(("Trainable", "center"))
        shares = [0.24, 0.44, 0.58, 0.84, 1.0] if connected else [0.38, 0.66, 0.84, 1.0]
    if positions:
        if len(positions) < len(columns):
            raise ValueError(
                f"`positions` must hold the ends of the table's {len(columns)} columns, "
                f"{[title for title, _ in columns]}. Received: {positions}"
            )
        shares = [p / positions[-1] for p in positions][: len(columns)]
    narrowest = 6 * len(columns) + 1
    if line_length is not None and (not isinstance(line_length, int) or line_length < narrowest):
        raise ValueError(
            f"`line_length` must be an integer, and no less than {narrowest} for the table's {len(columns)} "
            f"columns. Received: {line_length}"
        )
    width = line_length or min(80, shutil.get_terminal_size((80, 24)).columns)
    table = Table(width=width, box=box.HEAVY_HEAD, show_lines=True)
    previous = 0.0
    for (title, justify), share in zip(columns, shares, strict=True):
        table.add_column(title, justify=justify, width=max(int((share - previous) * width) - 3, 3))
        previous = share
    for depth, layer in _rows(model, expand_nested, layer_range):
        name = f"{'    ' * depth}{'└ ' if depth else ''}{layer.name} ("
        cells = [
            Text.assemble(name, (type(layer).__name__, _BLUE), ")"),
            _with_numbers(output_shape(layer)),
            _with_numbers(_params(layer)),
        ]
        if connected:
            cells.append(Text(_connections(model, layer) if depth == 0 else "-"))
        if show_trainable:
            cells.append(Text(("Y" if layer.trainable else "N") if getattr(layer, "weights", ()) else "-"))
        table.add_row(*cells)
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=max(width, 20),
        color_system="256" if styled else None,
        force_terminal=styled,
        force_jupyter=False,  # what comes back is text in a notebook, too
        legacy_windows=False,
    )
    console.print(Text(f'Model: "{model.name}"', "bold"), soft_wrap=True)
    console.print(table)
    for label, number, size in _totals(model):
        console.print(Text.assemble((f" {label}: ", "bold"), (number, _GREEN), f" ({size})"), soft_wrap=True)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


_BLUE, _GREEN, _CYAN = "color(33)", "color(34)", "color(45)"


def _with_numbers(text: str) -> Any:
    """A text whose numbers have a colour, and those that are not known another one."""
    from rich.text import Text

    coloured = Text(text)
    coloured.highlight_regex(r"\d[\d,]*", _GREEN)
    coloured.highlight_regex(r"\bNone\b", _CYAN)
    return coloured


_ASCII = str.maketrans("┏┳┓┡╇┩├┼┤└┴┘━─┃│…", "++++++++++++=-||.")


def printable(text: str, encoding: str | None) -> str:
    """A summary as a stream of this encoding can show it: with an ASCII frame if it has no other.

    Args:
        text: the summary.
        encoding: the stream's encoding; None: it takes anything.
    """
    if encoding is None or _fits(text, encoding):
        return text
    text = text.translate(_ASCII)
    return text if _fits(text, encoding) else text.encode(encoding, "replace").decode(encoding)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _rows(model: Any, expand_nested: bool, layer_range: Sequence[str] | None) -> Iterator[tuple[int, Any]]:
    layers = model.layers if model._rv_graph is None else model.operations
    if layer_range:
        layers = _within(layers, layer_range)
    for layer in layers:
        yield 0, layer
        if expand_nested:
            yield from _inner(layer, 1)


def _inner(layer: Any, depth: int) -> Iterator[tuple[int, Any]]:
    for inner in getattr(layer, "layers", None) or ():
        yield depth, inner
        yield from _inner(inner, depth + 1)


def _is_a_chain(model: Any) -> bool:
    """Whether every layer takes just the output of the layer before: there is nothing to say about that."""
    if model._rv_graph is None:
        return True
    nodes = [node for node in model._rv_graph.nodes if not node.is_input]
    if len(model._rv_graph.inputs) > 1 or len({id(node.operation) for node in nodes}) < len(nodes):
        return False
    before = model._rv_graph.inputs
    for node in nodes:
        if len(node.arguments) != 1 or all(node.arguments[0] is not x for x in before):
            return False
        before = node.outputs
    return True


def _connections(model: Any, layer: Any) -> str:
    """Where a layer's inputs come from: "dense[0][0]" is the first output of the first call of `dense`."""
    members = {id(node) for node in model._rv_graph.nodes}
    sources = []
    for node in layer._rv_inbound_nodes:
        for x in node.arguments if id(node) in members else ():
            operation, index, position = x._keras_history
            before = operation._rv_inbound_nodes[:index]
            sources.append(f"{operation.name}[{sum(id(n) in members for n in before)}][{position}]")
    return ", ".join(sources) or "-"


def _params(layer: Any) -> str:
    if not hasattr(layer, "count_params"):
        return "0"
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _within(layers: list[Any], layer_range: Sequence[str]) -> list[Any]:
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"layer_range must be a pair of layer names or patterns. Received: {layer_range}")
    first = [i for i, layer in enumerate(layers) if re.match(layer_range[0], layer.name)]
    last = [i for i, layer in enumerate(layers) if re.match(layer_range[1], layer.name)]
    if not first or not last:
        raise ValueError(
            f"Passed layer_names do not match the layer names in the model. Received: {layer_range}"
        )
    low, high = min(first[0], last[-1]), max(first[0], last[-1])
    return layers[low : high + 1]


def output_shape(layer: Any) -> str:
    """The output shape of a layer, "?" where it is not known."""
    if layer._rv_inbound_nodes:
        shapes = [x.shape for x in layer._rv_inbound_nodes[0].outputs]
        return format_shape(shapes[0] if len(shapes) == 1 else shapes)
    if not layer.built:
        return "?"
    config = layer.get_build_config() or {}
    if "input_shape" not in config:
        return "?"
    return format_shape(layer.compute_output_shape(config["input_shape"]))


def format_shape(shape: Any) -> str:
    """A shape, or a nest of shapes, as text."""
    if isinstance(shape, dict):
        return ", ".join(f"{k}: {format_shape(v)}" for k, v in shape.items())
    if isinstance(shape, (list, tuple)) and shape and isinstance(shape[0], (list, tuple)):
        return f"[{', '.join(format_shape(s) for s in shape)}]"
    return str(tuple(shape))


def _totals(model: Any) -> list[tuple[str, str, str]]:
    """What is counted, how many parameters that is, and how much memory they take."""
    trainable = model.trainable_weights
    frozen = model.non_trainable_weights
    slots = []
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and optimizer.built:
        slots = optimizer.variables
    totals = [
        _total("Total params", [*trainable, *frozen, *slots]),
        _total("Trainable params", trainable),
        _total("Non-trainable params", frozen),
    ]
    return [*totals, _total("Optimizer params", slots)] if slots else totals


def _total(label: str, variables: Iterable[Any]) -> tuple[str, str, str]:
    variables = list(variables)
    count = sum(math.prod(v.shape) for v in variables)
    size = sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in variables)
    return label, f"{count:,}", readable_size(size)


def readable_size(size: float) -> str:
    """A number of bytes with the unit that suits it: "160.00 B", "1.53 MB"."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TB"
