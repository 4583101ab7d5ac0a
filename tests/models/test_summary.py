from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.models.summary import format_shape, readable_size


def net():
    return rv.Sequential(
        [rv.Input((11,)), layers.Dense(3, activation="relu", name="a"), layers.Dense(1, name="b")], name="net"
    )


def text_of(model, **kwargs):
    lines = []
    model.summary(print_fn=lines.append, **kwargs)
    assert len(lines) == 1
    return lines[0]


def test_the_classroom_net():
    text = text_of(net())
    assert 'Model: "net"' in text
    assert "a (Dense)" in text and "(None, 3)" in text and "36" in text
    assert (
        " Total params: 40 (160.00 B)\n Trainable params: 40 (160.00 B)\n Non-trainable params: 0 (0.00 B)"
        in text
    )
    assert "Optimizer params" not in text and "Trainable │" not in text


def test_it_prints(capsys):
    net().summary()
    assert "Total params: 40 (160.00 B)" in capsys.readouterr().out


def test_optimizer_params_after_training():
    model = net()
    model.compile("adam", "mse")
    model.fit(np.ones((4, 11)), np.ones((4, 1)), verbose=0)
    text = text_of(model)
    # Two slots for each of the 40 parameters, the learning rate (4 bytes) and the counter (8).
    assert "Total params: 122 (488.00 B)" in text and "Optimizer params: 82 (328.00 B)" in text


def test_frozen_layers():
    model = net()
    model.layers[0].trainable = False
    text = text_of(model, show_trainable=True)
    assert "Trainable params: 4 (16.00 B)" in text and "Non-trainable params: 36 (144.00 B)" in text
    assert "│     N     │" in text and "│     Y     │" in text


@pytest.mark.parametrize("width", [40, 60, 120])
def test_line_length(width):
    assert max(len(line) for line in text_of(net(), line_length=width).splitlines() if "│" in line) == width


def test_not_built():
    text = text_of(rv.Sequential([layers.Dense(2)]))
    assert "?" in text and "0 (unbuilt)" in text


def test_nested():
    inner = rv.Sequential([layers.Dense(2, name="x")], name="inner")
    model = rv.Sequential([rv.Input((3,)), inner])
    assert "x (Dense)" not in text_of(model) and "x (Dense)" in text_of(model, expand_nested=True)


def test_layer_range():
    model = net()
    assert "a (Dense)" not in text_of(model, layer_range=["b", "b"])
    with pytest.raises(ValueError, match="do not match"):
        model.summary(layer_range=["x", "y"])


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0.00 B"), (160, "160.00 B"), (1536, "1.50 KB"), (3 << 20, "3.00 MB"), (5 << 30, "5.00 GB")],
)
def test_sizes(size, text):
    assert readable_size(size) == text


def test_shapes():
    assert format_shape((None, 3)) == "(None, 3)"
    assert format_shape([(None, 3), (None,)]) == "[(None, 3), (None,)]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positions": [0.3, 1.0]}, "ends of the table's 3 columns.*Output Shape"),
        ({"positions": [0.3, 0.5, 1.0], "show_trainable": True}, "4 columns"),
        ({"line_length": 10}, "no less than 19 .* 3 columns. Received: 10"),
        ({"line_length": "wide"}, "must be an integer.*wide"),
    ],
)
def test_tables_that_cannot_be_drawn(arguments, message):
    with pytest.raises(ValueError, match=message):
        net().summary(**arguments)
    assert "Total params" in text_of(net(), line_length=19)
