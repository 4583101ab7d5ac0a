"""`ranvier demo`: a network learns to read handwritten digits, before your eyes."""

from __future__ import annotations

import math
import sys
import time

import numpy as np

import ranvier as rv

EPOCHS = 15
SEED = 1
BATCH_SIZE = 16
EXPECTED_ACCURACY = 0.97

_INK = " ░▒▓█"
_PLAIN_INK = " .+#@"

_HOW_TO_GO_ON = """\
The same in ten lines of Python:

    import ranvier as rv
    (x, y), (x_test, y_test) = rv.datasets.digits.load_data()
    model = rv.Sequential([
        rv.Input((8, 8)), rv.layers.Flatten(),
        rv.layers.Dense(256, activation="relu"),
        rv.layers.Dense(128, activation="relu"),
        rv.layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x / 16, y, batch_size=16, epochs=15, validation_split=0.1)
    model.evaluate(x_test / 16, y_test)

The API is Keras 3's: what you know from there works here. Next, in Python:
    help(rv.layers.Dense)          what a layer is for and takes; dir(rv.layers) lists them
    rv.datasets.mnist.load_data()  more digits: downloads 11 MB, once
and on the command line:
    ranvier info                   what this installation found on your machine
    ranvier bench                  how fast it is here, next to NumPy
The sources have programs to copy from, in examples/, and guides, in docs/.
"""


def run(epochs: int = EPOCHS, seed: int = SEED) -> int:
    """Trains, reports and draws. Returns 0, or 1 if the network read fewer than 97 % of the test digits."""
    (x_train, y_train), (x_test, y_test) = rv.datasets.digits.load_data()
    x_train, x_test = x_train / np.float32(16), x_test / np.float32(16)
    rv.utils.set_random_seed(seed)
    model = build_model()
    print(f"{len(x_train)} handwritten digits of 8x8 pixels to learn from, {len(x_test)} to be tested on.\n")
    model.summary()
    start = time.perf_counter()
    history = model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=epochs, validation_split=0.1)
    seconds = time.perf_counter() - start
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)

    steps = math.ceil(int(len(x_train) * 0.9) / BATCH_SIZE) * len(history.epoch)
    print(f"\nTest accuracy {accuracy:.1%} on {len(x_test)} digits it has never seen.")
    print(f"{steps} training steps in {seconds:.2f} s: {steps / seconds:,.0f} steps per second.\n")
    _show_answers(x_test, y_test, model.predict(x_test, verbose=0))
    print(_HOW_TO_GO_ON)
    if accuracy < EXPECTED_ACCURACY:
        print(f"The accuracy is below {EXPECTED_ACCURACY:.0%}: more epochs are needed.", file=sys.stderr)
        return 1
    return 0


def build_model() -> rv.Sequential:
    """The network of the demo: 64 pixels, two hidden layers, a probability for each of ten digits."""
    model = rv.Sequential(
        [
            rv.Input((8, 8)),
            rv.layers.Flatten(),
            rv.layers.Dense(256, activation="relu"),
            rv.layers.Dense(128, activation="relu"),
            rv.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _show_answers(images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray) -> None:
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    print("The first four test digits, and what the network says:\n")
    print(_row(images, labels, probabilities, list(range(4))))
    if len(wrong):
        print(f"It is wrong on {len(wrong)} of {len(labels)}" + (", such as:\n" if len(wrong) > 4 else ":\n"))
        print(_row(images, labels, probabilities, wrong[:4].tolist()))


def _row(images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, which: list[int]) -> str:
    """Drawings side by side, with the answer below each."""
    drawings = [draw(images[i]) for i in which]
    captions = []
    for i in which:
        answer = int(probabilities[i].argmax())
        verdict = "" if answer == labels[i] else f", is {labels[i]}"
        captions.append(f"{answer} ({probabilities[i, answer]:.0%}){verdict}".center(16))
    lines = ["   " + "   ".join(parts) for parts in [*zip(*drawings, strict=True), captions]]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def draw(image: np.ndarray) -> list[str]:
    """The lines of an image with values from 0 to 1: a shade for every pixel, two characters wide so that
    it is about square."""
    ink = _INK
    try:
        ink.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        ink = _PLAIN_INK
    shades = np.rint(image * (len(ink) - 1)).astype(int)
    return ["".join(ink[shade] * 2 for shade in row) for row in shades]
