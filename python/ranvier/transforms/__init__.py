"""What custom training code is written with: gradient tapes, gradients of functions, compiled functions."""

from ranvier.transforms.gradient_tape import GradientTape as GradientTape
from ranvier.transforms.gradients import grad as grad
from ranvier.transforms.gradients import value_and_grad as value_and_grad
from ranvier.transforms.jit import jit as jit
