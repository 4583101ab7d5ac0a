"""Steps: what `compile` sets up, and what one step of training, testing or prediction computes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from ranvier import metrics as metrics_module
from ranvier import ops, optimizers
from ranvier.callbacks import History
from ranvier.core import registry, tree
from ranvier.core.names import Alias
from ranvier.core.stateless_scope import StatelessScope, current_stateless_scope, values_in
from ranvier.core.user_code import short_traceback, warn
from ranvier.layers import Layer
from ranvier.training.compile_loss import CompileLoss
from ranvier.training.compile_metrics import CompileMetrics
from ranvier.training.data import check_class_numbers, unpack_x_y_sample_weight
from ranvier.training.in_use import refuse_other_threads
from ranvier.training.source import check_positive
from ranvier.transforms import GradientTape


class Steps(Layer):
    """The part of a model that says what a step computes.

    `fit` traces `train_step` once for each signature of the data, and the native engine runs the resulting
    program for whole epochs. A subclass may override `train_step`, `test_step`, `predict_step`,
    `compute_loss` and `compute_metrics`; they are written with `ranvier.ops`.

    Attributes:
        optimizer: the optimizer; None before `compile`.
        loss: the loss as it was given to `compile`.
        stop_training: set it to True in a callback to end `fit`; in a batch hook, after this batch.
        stop_evaluating: set it to True in a batch hook to end `evaluate`, or a validation, after this batch.
        stop_predicting: the same for `predict`.
        history: the `History` of the last `fit`.
    """

    _rv_untracked = Layer._rv_untracked | {
        "optimizer",
        "loss",
        "history",
        "stop_training",
        "stop_evaluating",
        "stop_predicting",
        "_rv_loss_tracker",
        "_rv_compile_loss",
        "_rv_compile_metrics",
        "_rv_compile_arguments",
    }

    # Keras's names.
    _compile_loss = Alias("_rv_compile_loss")
    _compile_metrics = Alias("_rv_compile_metrics")
    _loss_tracker = Alias("_rv_loss_tracker")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.stop_evaluating = False
        self.stop_predicting = False
        self.history: History | None = None
        self.compiled = False
        self._rv_run_eagerly = False
        self.steps_per_execution = 1
        self.jit_compile: bool | str = True
        self._rv_loss_tracker: metrics_module.Mean | None = None
        self._rv_compile_loss: CompileLoss | None = None
        self._rv_compile_metrics: CompileMetrics | None = None
        self._rv_compile_arguments: dict[str, Any] | None = None

    # --- compile ---

    @short_traceback
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says how the model is to be trained.

        Args:
            optimizer: an optimizer or its name.
            loss: a loss, its name, or a function of `(y_true, y_pred)`; for a model with several outputs one
                for all, or a list or dict (by the outputs' names or keys) with a loss or None for each. None:
                only what `add_loss` and regularizers add.
            loss_weights: a factor for the loss, or a list or dict of factors; None: 1.
            metrics: a list of metrics, names ("accuracy" is chosen by the shapes of the data), or functions
                of `(y_true, y_pred)`; for a model with several outputs a list or dict with such a list, a
                metric or None for each.
            weighted_metrics: the same; these take the sample weights into account.
            run_eagerly: whether steps run eagerly, for debugging: prints, breakpoints and conditions on the
                numbers of tensors work in them then. The results are the same, and come slowly.
            steps_per_execution: the number of steps between two calls of a callback's batch hooks.
            jit_compile: accepted as in Keras; steps are compiled in any case.
            auto_scale_loss: accepted as in Keras; it concerns half precision, which is not offered.

        Raises:
            ValueError: for an unknown name (the message lists near ones) or an argument that is not offered.
            RuntimeError: if another thread is training the model.
        """
        self._rv_check_initialized()
        refuse_other_threads(self, "compile")
        steps_per_execution = check_positive("steps_per_execution", steps_per_execution)
        if jit_compile not in (True, False, "auto"):
            raise ValueError(f"Argument `jit_compile` must be True, False or 'auto'. Received: {jit_compile}")
        resolved_optimizer = optimizers.get(optimizer)
        compile_loss = None if loss is None else CompileLoss(loss, loss_weights)
        has_metrics = metrics is not None or weighted_metrics is not None
        compile_metrics = CompileMetrics(metrics, weighted_metrics) if has_metrics else None
        outputs = self._rv_known_outputs()
        for compiled in (compile_loss, compile_metrics):
            if compiled is not None and outputs is not None:
                compiled.check(outputs, self._rv_output_names())
        # Everything was understood; only now does the model change.
        self.optimizer = resolved_optimizer
        self.loss = loss
        self._rv_compile_loss = compile_loss
        self._rv_compile_metrics = compile_metrics
        self._rv_loss_tracker = metrics_module.Mean(name="loss")
        self._rv_run_eagerly = bool(run_eagerly)
        self.steps_per_execution = steps_per_execution
        self.jit_compile = True
        self.stop_training = False
        self.compiled = True
        self._rv_compile_arguments = {
            "optimizer": resolved_optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": bool(run_eagerly),
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._rv_forget_functions()

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run eagerly, see `compile`; it may be set at any time."""
        return self._rv_run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._rv_run_eagerly = bool(value)
        self._rv_forget_functions()

    def _rv_forget_functions(self) -> None:
        """Drops what was traced; called when the computation of a step changes."""

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as JSON-like values; None before it."""
        return (
            None
            if self._rv_compile_arguments is None
            else registry.serialize_object(self._rv_compile_arguments)
        )

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model with the arguments of `get_compile_config`."""
        self.compile(**registry.deserialize_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _rv_check_may_run(self, method: str) -> None:
        """Refuses to run where variables are not what they are outside.

        Raises:
            ValueError: inside of a `StatelessScope`.
            RuntimeError: if the constructor of the base class was not called.
        """
        self._rv_check_initialized()
        if current_stateless_scope() is not None:
            raise ValueError(
                f"`{method}()` of model '{self.name}' was called inside of a StatelessScope. It runs with "
                "the variables themselves and changes them: call it outside, or `stateless_call()` inside."
            )

    def _rv_check_compiled(self, method: str) -> None:
        self._rv_check_may_run(method)
        if not self.compiled:
            raise ValueError(f"You must call `compile()` before using `{method}()` of model '{self.name}'.")

    # --- what a step computes ---

    def train_step(self, data: Any) -> dict[str, Any]:
        """The computation of one training step: predictions, loss, gradients, update, metrics.

        Args:
            data: a batch: x, (x, y) or (x, y, sample_weight), what there is of them.

        Returns:
            Metric name -> value.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self._rv_predicted(x, training=True)
            loss = self._rv_loss_of(x, y, y_pred, sample_weight, training=True)
            scaled_loss = self.optimizer.scale_loss(loss)
        self._rv_track_loss(loss, x)
        variables = self.trainable_variables
        if variables:
            gradients = tape.gradient(scaled_loss, variables)
            self.optimizer.apply(gradients, variables)
        else:
            warn("The model does not have any trainable weights.")
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The computation of one test step: predictions, loss, metrics.

        Args:
            data: a batch: x, (x, y) or (x, y, sample_weight), what there is of them.

        Returns:
            Metric name -> value.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._rv_predicted(x, training=False)
        loss = self._rv_loss_of(x, y, y_pred, sample_weight, training=False)
        self._rv_track_loss(loss, x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The computation of one prediction step.

        Args:
            data: a batch, likewise; only x is used.

        Returns:
            The predictions.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._rv_predicted(x, training=False)

    def _rv_predicted(self, x: Any, training: bool) -> Any:
        """The model's outputs for a batch.

        Raises:
            ValueError: if `call` returns nothing.
        """
        y_pred = self(x, training=training)
        if y_pred is None:
            raise ValueError(
                f"The `call` of {type(self).__name__} '{self.name}' returned None: end it with `return` and "
                "the outputs."
            )
        return y_pred

    def _rv_track_loss(self, loss: Any, x: Any) -> None:
        if self._rv_loss_tracker is not None:
            self._rv_loss_tracker.update_state(loss, sample_weight=float(tree.flatten(x)[0].shape[0]))

    def _rv_loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """`compute_loss`, which a subclass may have written without the argument `training`."""
        known = inspect.signature(self.compute_loss).parameters
        takes = "training" in known or any(p.kind is p.VAR_KEYWORD for p in known.values())
        settings = {"training": training} if takes else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **settings)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The scalar that training minimizes: the compiled loss, and what layers added to `losses`.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the predictions.
            sample_weight: the weights of the samples, or None.
            training: whether the step trains.

        Returns:
            A rank-0 value; 0 if there is neither and the step does not train.

        Raises:
            ValueError: if there is neither and the step trains, and for shapes that do not fit.
        """
        terms = []
        if self._rv_compile_loss is not None:
            names, what = self._rv_output_names(), self._rv_output_description()
            value = self._rv_compile_loss(y, y_pred, sample_weight, what, names)
            terms += [] if value is None else [value]
        terms += self.losses
        if not terms and not training:
            return ops.zeros(())
        if not terms:
            raise ValueError(
                "No loss to compute. Provide a `loss` argument in `compile()`, or use `add_loss()` in a "
                "layer."
            )
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[list[Any], list[Any], list[Any]]]:
        """`compute_loss` with these values of the variables, which stay as they are.

        Args:
            trainable_variables: the values of `trainable_variables`.
            non_trainable_variables: the values of `non_trainable_variables`.
            metrics_variables: the values of `metrics_variables`.
            x: the inputs.
            y: the targets.
            y_pred: the predictions.
            sample_weight: the weights of the samples, or None.
            training: whether the step trains.

        Returns:
            The loss, and the values of the three groups of variables after it.

        Raises:
            ValueError: if a number or a shape of the values does not fit, and as `compute_loss` does.
        """
        if self._rv_compile_loss is not None and not self._rv_compile_loss.built and y is not None:
            self._rv_compile_loss.build(
                y, y_pred, self._rv_output_names()
            )  # makes metrics, which have variables
        groups = {
            "trainable_variables": (self.trainable_variables, list(trainable_variables)),
            "non_trainable_variables": (self.non_trainable_variables, list(non_trainable_variables)),
            "metrics_variables": (self.metrics_variables, list(metrics_variables)),
        }
        for name, (variables, values) in groups.items():
            if len(variables) != len(values):
                raise ValueError(
                    f"Argument `{name}` must be a list of {len(variables)} values, one for each of the "
                    f"model's. Received a list of {len(values)}."
                )
        pairs = [pair for lists in groups.values() for pair in zip(*lists, strict=True)]
        with StatelessScope(pairs) as scope:
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=training)
        after = [values_in(scope, variables) for variables, _ in groups.values()]
        return loss, (after[0], after[1], after[2])

    def _rv_output_description(self) -> str:
        """What messages call the model's output."""
        return f"the output of model '{self.name}'"

    def _rv_known_outputs(self) -> Any:
        """The symbolic outputs; None where they are not known before there are data."""
        return None

    def _rv_output_names(self) -> Sequence[str] | None:
        """The names of the outputs, in a nest's order; None where they have none."""
        return None

    def _rv_check_targets(self, y: Any) -> None:
        """Checks the values of target arrays, as far as the compiled loss allows only some.

        Raises:
            ValueError: for a class number that is NaN, infinite or a fraction.
        """
        if self._rv_compile_loss is not None and y is not None:
            for targets in self._rv_compile_loss.class_number_targets(y):
                check_class_numbers(targets)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Updates the metrics with a batch.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the predictions.
            sample_weight: the weights of the samples, or None.

        Returns:
            Metric name -> value, the results so far.
        """
        if self._rv_compile_metrics is not None:
            self._rv_compile_metrics.update_state(y, y_pred, sample_weight, self._rv_output_names())
        return self.get_metrics_result()

    # --- metrics ---

    @property
    def metrics(self) -> list[Any]:
        """The metrics: the loss, those of `compile` (as one), the outputs' losses where there are several,
        and those that layers hold."""
        own = [] if self._rv_loss_tracker is None else [self._rv_loss_tracker]
        compiled = [] if self._rv_compile_metrics is None else [self._rv_compile_metrics]
        parts = [] if self._rv_compile_loss is None else self._rv_compile_loss.metrics
        return [
            *own,
            *compiled,
            *parts,
            *(m for layer in self._rv_flatten_layers() for m in layer._rv_metrics),
        ]

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of `metrics`."""
        return [v for metric in self.metrics for v in metric.variables]

    def reset_metrics(self) -> None:
        """Resets every metric."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Metric name -> the result so far."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            results.update(value if isinstance(value, dict) else {metric.name: value})
        return results

    def _rv_in_order(self, logs: dict[str, float]) -> list[float]:
        """The values of logs as Keras orders them: by the names of `metrics`, where a log has that name, and
        then the others by theirs."""
        names: list[str] = []
        for metric in self.metrics:
            names += [m.name for m in metric.metrics] if isinstance(metric, CompileMetrics) else [metric.name]
        if "loss" in logs and "loss" not in names:
            names.insert(0, "loss")
        ordered = [name for name in names if name in logs]
        return [logs[name] for name in [*ordered, *(name for name in sorted(logs) if name not in names)]]

    def _rv_results(self, logs: dict[str, float], return_dict: bool) -> Any:
        """Logs as the methods return them: a dict, a list, or a number if there is only one."""
        if return_dict:
            return dict(sorted(logs.items()))
        values = self._rv_in_order(logs)
        return values[0] if len(values) == 1 else values
