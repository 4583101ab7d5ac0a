"""Trainer: fit, evaluate and predict."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, overload

import numpy as np

from ranvier.callbacks import CallbackList, History
from ranvier.core import tree
from ranvier.core.arguments import plain
from ranvier.core.eager_trace import eager_placeholders
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.shape_inference import shape_for_build
from ranvier.core.user_code import short_traceback, warn
from ranvier.layers.building import build_once
from ranvier.metrics import Metric
from ranvier.training import arguments
from ranvier.training.arguments import Source
from ranvier.training.class_weights import note_unknown_classes
from ranvier.training.compile_metrics import CompileMetrics
from ranvier.training.data import (
    ArrayFeed,
    check_validation_split,
    is_array_data,
    make_feed,
    split_feed,
    unpack_x_y_sample_weight,
)
from ranvier.training.eager_step import EagerFunction
from ranvier.training.in_use import Training
from ranvier.training.look import Look, columns_of, compare_columns
from ranvier.training.loop import Loop
from ranvier.training.source import DEFAULT_BATCH_SIZE, EMPTY, ArraySource, check_positive
from ranvier.training.steps import Steps
from ranvier.training.train_step import TrainFunction

Function: TypeAlias = "TrainFunction | EagerFunction"


class Trainer(Steps):
    """The part of a model that trains, tests and predicts."""

    _rv_untracked = Steps._rv_untracked | {
        *("_rv_functions", "_rv_known_predictions", "_rv_trained", "_rv_reset_arrays", "_rv_initial_epoch"),
        *("_rv_columns", "_rv_columns_told"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rv_functions: dict[str, Function] = {}
        self._rv_initial_epoch: int | None = None  # that a callback wants `fit` to go on with
        self._rv_trained: list[int] = []  # the ids of the variables that the training function updates
        self._rv_known_predictions: dict[Any, Function] = {}
        self._rv_reset_arrays: list[Any] | None = None
        self._rv_columns: tuple[Any, ...] = ()  # of the frame that `fit` was given
        self._rv_columns_told: set[tuple[Any, ...]] = set()  # others that were warned of

    # --- training ---

    @short_traceback
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Trains the model for a number of epochs.

        Args:
            x: the inputs: an array, nested lists of numbers, or a nest of arrays; or a generator or other
                iterable of batches `(inputs, targets)` or `(inputs, targets, sample_weights)`.
            y: the targets, one row for each row of `x`.
            batch_size: the number of samples in a step; None: 32, or with `steps_per_epoch` as many as make
                one pass over the data. The last batch of an epoch may be shorter. Data that come in batches
                keep their own sizes.
            epochs: the number of the last epoch, counted from 1; with `initial_epoch=0` how many there are.
                At most `config.max_epochs()`.
            verbose: 0: silent; 1 or "auto": a progress bar; 2: one line for each epoch.
            callbacks: a callback or a list of callbacks.
            validation_split: the share of the samples, taken from the end before shuffling, to validate on.
                Their sample weights count, class weights do not.
            validation_data: (x, y) or (x, y, sample_weight) to validate on, or an iterable of batches.
            shuffle: whether each epoch has an order of its own. Generators keep theirs.
            class_weight: class -> weight of the loss of its samples.
            sample_weight: the weight of each sample's loss.
            initial_epoch: the number of the first epoch.
            steps_per_epoch: the steps of an epoch, a positive integer; None: one pass over the data. The
                next epoch continues where one stopped; at the end of the data an epoch ends early, and the
                next one begins anew. (Keras reads 0 as None; here it is refused.)
            validation_steps: the steps of a validation, from the first batch; None: all validation data.
            validation_batch_size: the batch size of the validation; None: `batch_size`.
            validation_freq: n: validate after every n-th epoch; or a list of epochs, counted from 1.

        Returns:
            The `History`: `history.history` maps metric names to lists with one value for each epoch.

        Raises:
            ValueError: if the model is not compiled, for an argument out of range, and for data that cannot
                be used or do not fit the model.
            RuntimeError: if another thread is training the model.
        """
        self._rv_check_compiled("fit")
        shown = arguments.check_verbose(verbose)
        arguments.check_epochs(epochs, initial_epoch)
        epochs = arguments.limited_epochs(epochs)
        arguments.validates_after(0, validation_freq)
        source = arguments.make_source(
            x,
            y,
            sample_weight=sample_weight,
            class_weight=class_weight,
            batch_size=batch_size,
            shuffle=arguments.check_shuffle(shuffle),
            steps=steps_per_epoch,
            steps_name="steps_per_epoch",
            steps_per_execution=self.steps_per_execution,
            resumes=True,
        )
        if validation_batch_size is not None:
            batch_size = check_positive("validation_batch_size", validation_batch_size)
        validation = self._rv_validation_source(
            source, validation_split, validation_data, batch_size, validation_steps
        )
        try:
            with Training(self):
                train = self._rv_prepare("train", source)
                with arguments.named_validation_data(validation_data is not None):
                    test = None if validation is None else self._rv_prepare("test", validation)
                if columns_of(x) != self._rv_columns:
                    self._rv_columns, self._rv_columns_told = columns_of(x), set()
                Look(self, x).begin(source)
                if type(validation_data) is tuple:
                    compare_columns(self._rv_columns, validation_data[0], self._rv_columns_told)
                listed = arguments.make_callbacks(
                    callbacks, self, shown, epochs=epochs, steps=source.num_steps
                )
                span = range(initial_epoch, epochs)
                return self._rv_run_epochs(source, train, validation, test, listed, span, validation_freq)
        finally:
            source.close()
            if validation is not None:
                validation.close()

    def _rv_validation_source(
        self, source: Source, validation_split: Any, validation_data: Any, batch_size: Any, steps: Any
    ) -> Source | None:
        """What to validate on, or None. With a split, `source` is left with the other samples."""
        if steps is not None:
            steps = check_positive("validation_steps", steps)
        options: dict[str, Any] = {
            "steps": steps,
            "steps_name": "validation_steps",
            "steps_per_execution": self.steps_per_execution,
        }
        if validation_data is not None:
            if is_array_data(validation_data) and not isinstance(validation_data, (tuple, list)):
                raise ValueError(
                    "Argument `validation_data` must be a tuple (x, y) or (x, y, sample_weight), or an "
                    f"iterable of batches. Received: {type(validation_data)}"
                )
            if not isinstance(validation_data, (tuple, list)):
                return arguments.make_source(validation_data, **options)
            with arguments.named_validation_data():
                x, y, sample_weight = unpack_x_y_sample_weight(validation_data)
                return arguments.make_source(
                    x, y, sample_weight=sample_weight, batch_size=batch_size, **options
                )
        if not validation_split:
            return None
        validation_split = check_validation_split(validation_split)
        if not isinstance(source, ArraySource):
            raise ValueError("Argument `validation_split` is only supported for arrays, not for batches.")
        train, test = split_feed(source.feed, validation_split)
        source.use(train)
        return ArraySource(test, batch_size, **options)

    def _rv_run_epochs(
        self,
        source: Source,
        train: Function,
        validation: Source | None,
        test: Function | None,
        callbacks: CallbackList,
        epochs: range,
        validation_freq: Any,
    ) -> History:
        loop = Loop(self, callbacks, "train", self.steps_per_execution)
        test_loop = None if validation is None else Loop(self, callbacks, "test", self.steps_per_execution)
        logs: dict[str, float] = {}
        self.stop_training = False
        self._rv_initial_epoch = None
        callbacks.on_train_begin()
        if self._rv_initial_epoch is not None:
            epochs = range(self._rv_initial_epoch, epochs.stop)
        for epoch in epochs:
            self._rv_reset_metrics_quickly()
            callbacks.on_epoch_begin(epoch)
            run = source.start(train)
            if loop.run(run) == 0:
                if epoch == epochs.start:
                    raise ValueError(EMPTY)
                warn(f"Training ends before epoch {epoch + 1}: the data has ended.")
                break
            logs = dict(sorted(run.logs().items()))
            if source.look is not None:
                source.look.after(logs, source)
            source.end_epoch()
            validates = arguments.validates_after(epoch, validation_freq)
            if validation is not None and test_loop is not None and validates:
                results = self._rv_test(validation, test, test_loop)
                if results is None:
                    warn(
                        f"The validation data has ended: there is no batch left after epoch {epoch + 1}, and "
                        "nothing is validated any more. A generator can be read only once; to validate after "
                        "each epoch give data that can begin again, such as arrays or a `PyDataset`."
                    )
                    validation = None
                else:
                    logs.update([("val_" + name, value) for name, value in results.items()])
                    logs = dict(sorted(logs.items()))
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        variables = self.trainable_variables if epochs else []
        if variables:  # the optimizer does not know those that were thawed meanwhile
            known = self.optimizer._rv_index
            self.optimizer.finalize_variable_values([v for v in variables if v in known])
        callbacks.on_train_end(logs)
        return callbacks.history or self.history or History()

    def _rv_test(self, source: Source, function: Any, loop: Loop) -> dict[str, float] | None:
        """One pass over test data. Returns the results by name, sorted; None: there were no data."""
        self.stop_evaluating = False
        self._rv_reset_metrics_quickly()
        loop.callbacks.on_test_begin()
        run = source.start(function)
        steps = loop.run(run)
        logs = dict(sorted(run.logs().items())) if steps else {}
        source.end_epoch()
        loop.callbacks.on_test_end(logs)
        return logs if steps else None

    # --- testing and predicting ---

    @overload
    def evaluate(
        self,
        x: Any = ...,
        y: Any = ...,
        batch_size: int | None = ...,
        verbose: int | str = ...,
        sample_weight: Any = ...,
        steps: int | None = ...,
        callbacks: Any = ...,
        *,
        return_dict: Literal[True],
    ) -> dict[str, float]: ...

    @overload
    def evaluate(
        self,
        x: Any = ...,
        y: Any = ...,
        batch_size: int | None = ...,
        verbose: int | str = ...,
        sample_weight: Any = ...,
        steps: int | None = ...,
        callbacks: Any = ...,
        return_dict: bool = ...,
    ) -> Any: ...

    @short_traceback
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on test data.

        Args:
            x: the inputs, or an iterable of batches; see `fit`.
            y: the targets.
            batch_size: the number of samples in a step; None: 32, or with `steps` as many as make one pass.
            verbose: see `fit`.
            sample_weight: the weight of each sample's loss.
            steps: the number of steps, from the first batch; None: all data.
            callbacks: a callback or a list of callbacks.
            return_dict: whether to return a dict from name to value.

        Returns:
            The loss, a list of the loss and the metrics, or a dict.

        Raises:
            ValueError: if the model is not compiled, and for data that cannot be used or do not fit the
                model.
        """
        self._rv_check_compiled("evaluate")
        shown = arguments.check_verbose(verbose)
        source = arguments.make_source(
            x,
            y,
            sample_weight=sample_weight,
            batch_size=batch_size,
            steps=steps,
            steps_per_execution=self.steps_per_execution,
        )
        function = self._rv_prepare("test", source)
        compare_columns(self._rv_columns, x, self._rv_columns_told)
        look = Look(self, x)
        look.begin(source)
        listed = arguments.make_callbacks(callbacks, self, shown, steps=source.num_steps)
        try:
            results = self._rv_test(source, function, Loop(self, listed, "test", self.steps_per_execution))
        finally:
            source.close()
        if results is None:
            raise ValueError(EMPTY)
        look.after(results, source)
        return self._rv_results(results, return_dict)

    @short_traceback
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> np.ndarray:
        """The model's outputs.

        Args:
            x: the inputs, or an iterable of batches; see `fit`.
            batch_size: the number of samples in a step; None: 32, or with `steps` as many as make one pass.
            verbose: see `fit`.
            steps: the number of steps; None: all data.
            callbacks: a callback or a list of callbacks.

        Returns:
            An array with one row for each sample. If the model has several outputs: a list or dict of arrays,
            as the model returns them; type checkers are told of an array in any case.

        Raises:
            ValueError: for data that cannot be used or do not fit the model.
        """
        self._rv_check_may_run("predict")
        if type(batch_size) is np.ndarray:  # of rank 0: it cannot be a key
            batch_size = plain(batch_size)
        if callbacks is None and steps is None and not verbose and type(x) is np.ndarray:
            known = self._rv_known_predictions.get((x.shape, x.dtype, batch_size))
            if known is not None and x.flags.c_contiguous:
                run = known.start(ArrayFeed.of_array(x), batch_size or DEFAULT_BATCH_SIZE)
                run.advance()
                return _packed(run)
        shown = arguments.check_verbose(verbose)
        source = arguments.make_source(
            x, batch_size=batch_size, steps=steps, steps_per_execution=self.steps_per_execution
        )
        function = self._rv_prepare("predict", source)
        compare_columns(self._rv_columns, x, self._rv_columns_told)
        self._rv_remember_prediction(x, source, batch_size, function)
        listed = arguments.make_callbacks(callbacks, self, shown, steps=source.num_steps)
        self.stop_predicting = False
        listed.on_predict_begin()
        try:
            run = source.start(function)
            if Loop(self, listed, "predict", self.steps_per_execution).run(run) == 0:
                raise ValueError(EMPTY)
        finally:
            source.close()
        source.end_epoch()
        listed.on_predict_end()
        return _packed(run)

    def _rv_remember_prediction(self, x: Any, source: Source, batch_size: Any, function: Function) -> None:
        """Notes that arrays like `x` need no preparation: `predict` of one row is to cost microseconds."""
        if isinstance(source, ArraySource) and source.feed.x[0] is x:
            if len(self._rv_known_predictions) >= 16:
                self._rv_known_predictions.clear()
            self._rv_known_predictions[x.shape, x.dtype, batch_size] = function

    # --- single batches ---

    @short_traceback
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Does one training step.

        Args:
            x: the inputs of a batch.
            y: its targets.
            sample_weight: the weight of each sample's loss.
            class_weight: class -> weight of the loss of its samples.
            return_dict: whether to return a dict from name to value.

        Returns:
            The batch's loss before the step, a list of the loss and the metrics, or a dict.

        Raises:
            ValueError: if the model is not compiled, and for data that cannot be used or do not fit the
                model.
        """
        self._rv_check_compiled("train_on_batch")
        feed = make_feed(x, y, sample_weight, class_weight)
        if class_weight is not None:
            note_unknown_classes(class_weight, feed.structures[1])
        return self._rv_results(self._rv_one_step("train", feed), return_dict)

    @short_traceback
    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and the metrics of one batch.

        Args:
            x: the inputs of a batch.
            y: its targets.
            sample_weight: the weight of each sample's loss.
            return_dict: whether to return a dict from name to value.

        Raises:
            ValueError: if the model is not compiled, and for data that cannot be used or do not fit the
                model.
        """
        self._rv_check_compiled("test_on_batch")
        return self._rv_results(self._rv_one_step("test", make_feed(x, y, sample_weight)), return_dict)

    @short_traceback
    def predict_on_batch(self, x: Any) -> np.ndarray:
        """The model's outputs for one batch.

        Args:
            x: the inputs of a batch.

        Raises:
            ValueError: for data that cannot be used or do not fit the model.
        """
        self._rv_check_may_run("predict_on_batch")
        feed = make_feed(x)
        source = ArraySource(feed, feed.num_samples)
        function = self._rv_prepare("predict", source)
        run = source.start(function)
        run.advance(None, None)
        return _packed(run)

    def _rv_one_step(self, kind: str, feed: ArrayFeed) -> dict[str, float]:
        source = ArraySource(feed, feed.num_samples)
        function = self._rv_prepare(kind, source)
        self._rv_reset_metrics_quickly()
        run = source.start(function)
        run.advance(None, None)
        return run.logs()

    # --- what has to be there before a run ---

    def _rv_forget_functions(self) -> None:
        self._rv_functions = {}
        self._rv_known_predictions = {}
        self._rv_reset_arrays = None

    def __getstate__(self) -> dict[str, Any]:
        # Programs belong to this process and to this model's variables; a copy compiles its own.
        state = super().__getstate__()
        return {
            **state,
            "_rv_functions": {},
            "_rv_known_predictions": {},
            "_rv_reset_arrays": None,
            "_rv_trained": [],
        }

    def _rv_prepare(self, kind: str, source: Source) -> Function:
        """The function of this kind, with its programs for the data compiled; builds what is not built."""
        builds = not self.built or self._rv_unbuilt_results(kind)
        # A look at batches that Python makes is only taken if something has to be built from it.
        feed = source.first_feed() if builds or isinstance(source, ArraySource) else None
        if builds and feed is not None:
            with eager_placeholders(self.run_eagerly):
                if not self.built:
                    build_once(self, self._rv_build_on, feed)
                self._rv_build_results(feed, kind)
        if kind == "train":
            variables = self.trainable_variables
            ids = [id(v) for v in variables]
            if ids != self._rv_trained:  # layers were frozen or thawed since the last time
                self._rv_functions.pop("train", None)
                self._rv_trained = ids
            if variables and not self.optimizer.built:
                self.optimizer.build(variables)
        function = self._rv_functions.get(kind)
        if function is None:
            make = EagerFunction if self.run_eagerly else TrainFunction
            function = self._rv_functions[kind] = make(self, kind)
        if feed is not None:
            source.prepare(function, feed)
        if kind == "train":
            self._rv_trained = [id(v) for v in self.trainable_variables]  # the step may have built layers
        self._rv_clear_losses()
        return function

    def _rv_build_on(self, feed: ArrayFeed) -> None:
        """Builds the model for inputs shaped like those of `feed`, for any batch size."""

        def shape_of(array: np.ndarray) -> tuple[int | None, ...]:
            return shape_for_build((None, *array.shape[1:]), array.dtype.name)

        self.build(tree.map_structure(shape_of, feed.structures[0]))

    def _rv_unbuilt_results(self, kind: str) -> list[Any]:
        """The compiled loss and metrics, as far as they are not made yet and steps of this kind need them."""
        parts = () if kind == "predict" else (self._rv_compile_loss, self._rv_compile_metrics)
        return [part for part in parts if part is not None and not part.built]

    def _rv_build_results(self, feed: ArrayFeed, kind: str) -> None:
        """Makes the compiled metrics and finds the outputs' losses, which depend on the shapes of targets and
        predictions. A step of the user's own may use the data in another way: what does not fit together
        here is made by what that step hands to losses and metrics."""
        unbuilt = self._rv_unbuilt_results(kind)
        if not unbuilt:
            return
        own_step = getattr(type(self), f"{kind}_step") is not getattr(Steps, f"{kind}_step")
        if not feed.y:
            if own_step:
                return
            what = "metrics" if self._rv_compile_metrics in unbuilt else "a loss"
            raise ValueError(
                f"The model was compiled with {what}, so it needs targets: argument `y` is missing."
            )
        x, y = (
            tree.map_structure(
                lambda a: None if a is None else KerasTensor((None, *a.shape[1:]), a.dtype), part
            )
            for part in feed.structures[:2]
        )
        try:
            y_pred = self.compute_output_spec(x)
            for part in unbuilt:
                part.build(y, y_pred, self._rv_output_names())
        except NotImplementedError:  # a model with steps of its own, and no `call`
            return
        except (KeyError, TypeError, ValueError):
            if not own_step:
                raise
        self._rv_reset_arrays = None

    def _rv_reset_metrics_quickly(self) -> None:
        """`reset_metrics`, without the way through Python for metrics that are reset to zeros."""
        if self._rv_reset_arrays is None and not self.run_eagerly:
            plain = all(_resets_to_zero(metric) for metric in self.metrics)
            self._rv_reset_arrays = (
                [v._array for metric in self.metrics for v in metric.variables] if plain else []
            )
        if self._rv_reset_arrays:
            for array in self._rv_reset_arrays:
                array.fill(0)
        else:
            self.reset_metrics()


def _packed(run: Any) -> Any:
    """A run's predictions as the model returns them: an array, or a nest of arrays."""
    outputs = run.outputs()
    return outputs[0] if run.structure is None else tree.pack_sequence_as(run.structure, outputs)


def _resets_to_zero(metric: Any) -> bool:
    """Whether `reset_state` sets all variables of a metric to zero and does nothing else."""
    if isinstance(metric, CompileMetrics):
        return all(map(_resets_to_zero, metric.metrics))
    return getattr(type(metric), "reset_state", None) is Metric.reset_state
