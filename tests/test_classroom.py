"""Numbers that courses work out by hand."""

from __future__ import annotations

import numpy as np

from ranvier import activations, losses, ops
from ranvier.core.trace import Trace
from ranvier.core.variable import Variable


def test_softmax_of_three_outputs() -> None:
    """The outputs 1.8, 0.9 and 0.68: each exponential over the sum of the three."""
    outputs = np.float32([1.8, 0.9, 0.68])
    probabilities = activations.softmax(outputs)
    exponentials = [6.0496475, 2.4596031, 1.9738777]
    np.testing.assert_allclose(probabilities, np.array(exponentials) / sum(exponentials), rtol=1e-6)
    np.testing.assert_allclose(probabilities, [0.5771, 0.2346, 0.1883], atol=5e-5)
    np.testing.assert_allclose(np.sum(probabilities), 1, rtol=1e-6)


def test_sum_of_squared_residuals_of_three_points() -> None:
    """A line of slope 0.64 and intercept 0 near three points (weight, height), and where it should move.

    The residuals are 1.08, 0.428 and 1.344. Their squares add up to 3.15592. The derivative by the
    intercept is -2 times their sum, that by the slope -2 times their sum weighted with the weights.
    """
    weight = np.float64([0.5, 2.3, 2.9])
    height = np.float64([1.4, 1.9, 3.2])
    residuals = [1.08, 0.428, 1.344]
    intercept, slope = Variable(np.float64(0.0)), Variable(np.float64(0.64))
    squares = losses.MeanSquaredError(reduction="sum", dtype="float64")
    with Trace() as trace:
        predicted = intercept + slope * trace.input((3,), "float64")
        loss = squares(ops.expand_dims(height, -1), ops.expand_dims(predicted, -1))
        program = trace.compile([loss, *trace.gradients(loss, [intercept, slope])])
    value, by_intercept, by_slope = program.run([weight])
    np.testing.assert_allclose(value, 1.08**2 + 0.428**2 + 1.344**2, rtol=1e-12)  # 3.15592
    np.testing.assert_allclose(by_intercept, -2 * sum(residuals), rtol=1e-12)  # -5.704
    np.testing.assert_allclose(by_slope, -2 * (weight * residuals).sum(), rtol=1e-12)  # -10.844


def test_one_step_of_gradient_descent_on_the_line() -> None:
    """With the learning rate 0.01 the intercept goes from 0 to 0.05704: -0.01 times its derivative."""
    weight, height = np.float64([0.5, 2.3, 2.9]), np.float64([1.4, 1.9, 3.2])
    intercept = Variable(np.float64(0.0))
    with Trace() as trace:
        residuals = height - (intercept + 0.64 * trace.input((3,), "float64"))
        (derivative,) = trace.gradients(ops.sum(ops.square(residuals)), [intercept])
        intercept.assign_sub(0.01 * derivative)
        program = trace.compile([])
    program.run([weight])
    np.testing.assert_allclose(intercept.numpy(), 0.05704, rtol=1e-12)
