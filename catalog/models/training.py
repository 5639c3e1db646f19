"""Training on pictures: first the heads alone, then the last layers with them.

Any model whose outputs are softmaxes with names can be trained here; what they mean is the
caller's. The side that tests never comes here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from catalog.models import precision
from catalog.models.backbones import Backbone, freeze, unfreeze_last
from catalog.models.checkpoints import Checkpoints
from catalog.models.datasets import XLA, Batches, Targets, outputs_of
from catalog.models.schedules import Rate, Schedule, cosine
from catalog.models.settings import TrainSettings
from catalog.models.sides import Side, batches, shuffled

PATIENCE = 10  # epochs without a better validation loss
LEAST_SPREAD, TINY = 1e-2, 1e-6  # of all features' spread, and in itself

Progress = Callable[[str], None]
Curve = dict[str, Any]


class Heads(Protocol):
    """Branches that can be put on any features, with the same weights each time."""

    def __call__(self, features: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Named outputs from features [n, d]."""


@dataclass
class Learned:
    """A trained network, and how it came to be."""

    network: keras.Model  # uint8 pixels to named outputs
    features: keras.Model  # uint8 pixels to pooled features, of the same layers
    phases: list[Curve] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Manner:
    """How a network learns, besides its settings: rates are those that a phase begins with."""

    heads_rate: float = 5e-4
    whole_rate: float = 2e-3
    smoothing: float = 0.0  # of the labels (Szegedy et al., 2016)
    keep_best: bool = True  # the epoch that validates best, else the last one


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from, and how."""

    train: Side
    validation: Side
    settings: TrainSettings
    kept: Path  # a folder for checkpoints, from which an interrupted training goes on
    progress: Progress
    schedule: Schedule = cosine
    judged_by: str = "loss"  # or log_loss, which a single head has: the loss without penalties
    manner: Manner = field(default_factory=Manner)


def learn(
    backbone: Backbone,
    make_heads: Callable[[keras.layers.Layer | None], Heads],
    lesson: Lesson,
) -> Learned:
    """Train heads on a backbone, in the phases that its weights make sense of.

    `make_heads` is given the layer that standardises the features, where they are known
    beforehand. Each phase keeps the weights of its best epoch on the validation side.
    """
    if not backbone.pretrained:
        learned = joined(backbone, make_heads(None))
        learn_whole(learned, backbone, lesson)
        precision.in_full(backbone.network)
        return learned
    still = frozen(backbone)
    train = pooled(still, lesson.train, lesson.settings)
    validation = pooled(still, lesson.validation, lesson.settings)
    lesson.progress(f"features of {len(train) + len(validation)} pictures computed")
    heads = make_heads(standardiser(train))
    learned = joined(backbone, heads)
    given = Known(train, lesson.train.targets), Known(validation, lesson.validation.targets)
    learned.phases.append(learn_heads("heads", heads, *given, lesson))
    if lesson.settings.fine_tune_layers:
        fine_tune(learned, backbone, lesson)
    precision.in_full(backbone.network)
    return learned


@dataclass(frozen=True)
class Known:
    """Pictures whose features, float32 [n, d], are fixed and were computed once."""

    features: np.ndarray
    targets: Targets


def frozen(backbone: Backbone) -> keras.Model:
    """Freeze a backbone; gives the network from pixels to its features, for `pooled`."""
    freeze(backbone.network)
    features = backbone.features
    return keras.Model(features.input, {"features": features.output})


def pooled(network: keras.Model, side: Side, settings: TrainSettings) -> np.ndarray:
    """The features of every picture of a side, float32 [count, d]."""
    return outputs_of(network, side.pixels(settings), settings)["features"]


def spread_of(features: np.ndarray) -> np.ndarray:
    """What to divide each of the features [n, d] by, so that what hardly varies is not blown up."""
    spread: np.ndarray = features.std(axis=0) + LEAST_SPREAD * features.std() + TINY
    return spread


def standardiser(features: np.ndarray, name: str = "standard-features") -> keras.layers.Layer:
    """The layer that gives each of the features [n, d] mean 0 and spread 1, as measured here.

    A feature that hardly varies is not blown up.
    """
    spread = spread_of(features)
    layer = keras.layers.Normalization(name=name)
    layer.build(features.shape)
    layer.set_weights([features.mean(axis=0), spread**2, np.array(len(features))])
    layer.finalize_state()
    return layer


def joined(backbone: Backbone, heads: Heads) -> Learned:
    """The untrained network of a backbone and heads."""
    features = backbone.features
    return Learned(keras.Model(features.input, heads(features.output)), features)


def learn_heads(phase: str, heads: Heads, train: Known, validation: Known, lesson: Lesson) -> Curve:
    """Phase one: features are fixed, so they were computed once and only the heads are run."""
    features = keras.Input(train.features.shape[1:], name="features")
    return _fit(
        phase,
        keras.Model(features, heads(features)),
        lesson.manner.heads_rate,
        Batches(train.features, train.targets, lesson.settings, shuffle=True),
        Batches(validation.features, validation.targets, lesson.settings),
        lesson,
        long=False,
    )


def learn_whole(learned: Learned, backbone: Backbone, lesson: Lesson) -> None:
    """One phase for a backbone that knows nothing: frozen, it would stay so."""
    learned.notes.append(
        f"{backbone.name} started without weights: all its layers were trained, in one phase"
    )
    train = shuffled(lesson.train, lesson.settings)
    validation = batches(lesson.validation, lesson.settings)
    curve = _fit("whole", learned.network, lesson.manner.whole_rate, train, validation, lesson)
    learned.phases.append(curve)


def fine_tune(learned: Learned, backbone: Backbone, lesson: Lesson) -> bool:
    """Phase two: the last layers too; what it learns is kept only when validation gets better."""
    network = learned.network
    train = shuffled(lesson.train, lesson.settings)
    validation = batches(lesson.validation, lesson.settings)
    before, weights = _loss(network, validation, lesson.judged_by), network.get_weights()
    unfreeze_last(backbone.network, lesson.settings.fine_tune_layers)
    settings = lesson.settings
    lesson = replace(
        lesson, settings=replace(settings, epochs=settings.fine_epochs or settings.epochs)
    )
    curve = _fit("fine-tuning", network, settings.fine_rate, train, validation, lesson)
    learned.phases.append(curve)
    after = curve["best_validation_loss"]
    if after < before or not lesson.manner.keep_best:
        return True
    network.set_weights(weights)
    learned.notes.append(
        f"fine-tuning was no better on validation (loss {after:.4f}, before it {before:.4f}):"
        " the weights before it are kept"
    )
    return False


def _loss(network: keras.Model, dataset: Batches, measure: str) -> float:
    _compile(network, 0.0, Manner())
    return float(network.evaluate(dataset, verbose=0, return_dict=True)[measure])


def _compile(network: keras.Model, rate: Rate, manner: Manner) -> None:
    """The cross-entropy of each head, in nats, averaged over its labelled pictures."""
    optimizer = keras.optimizers.Adam(rate)
    network.compile(
        precision.scaled(optimizer) if precision.policy() == precision.MIXED else optimizer,
        loss={head: _loss_of(manner) for head in network.output},
        weighted_metrics={
            head: ["accuracy", keras.metrics.SparseCategoricalCrossentropy(name="log_loss")]
            for head in network.output
        },
        jit_compile=XLA,
    )


def _loss_of(manner: Manner) -> Any:
    """The loss of one head; Keras smooths only labels that are one number a class."""
    if not manner.smoothing:
        return keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
    cross = keras.losses.CategoricalCrossentropy(label_smoothing=manner.smoothing, reduction="none")

    def smoothed(truth: Any, said: Any) -> Any:
        codes = keras.ops.reshape(keras.ops.cast(truth, "int32"), (-1,))
        return cross(keras.ops.one_hot(codes, said.shape[-1]), said)

    return smoothed


def _fit(
    phase: str,
    network: keras.Model,
    rate: float,
    train: Batches,
    validation: Batches,
    lesson: Lesson,
    *,
    long: bool = True,
) -> Curve:
    """Train one phase, leave the network at the epoch that is kept, and give the curve.

    An interrupted phase goes on after its last epoch if it is `long`, and else begins anew.
    """
    falling, changers = lesson.schedule(rate, len(train) * lesson.settings.epochs)
    _compile(network, falling, lesson.manner)
    kept = Checkpoints(lesson.kept, phase)
    if kept.is_done:
        lesson.progress(f"{phase} was done before: its weights are taken up")
        kept.take_up(network, "done")
        return _curve(phase, kept.rows)
    begun = kept.epochs
    history = _History(phase, list(network.output), lesson, kept, kept.rows[:begun], long=long)
    if begun:
        lesson.progress(f"{phase} was interrupted: it goes on after epoch {begun}")
        kept.take_up(network, f"after-{begun}")
    if not history.ends:
        network.fit(
            train,
            validation_data=validation,
            epochs=lesson.settings.epochs,
            initial_epoch=begun,
            shuffle=False,  # the batches are
            verbose=0,
            callbacks=[
                keras.callbacks.LambdaCallback(
                    on_epoch_begin=lambda epoch, _: train.turn_to(epoch)
                ),
                *changers,
                history,
            ],
        )
    curve = _curve(phase, history.rows)
    if lesson.manner.keep_best:
        kept.take_up(network, f"best-{curve['best_epoch']}")
    kept.save(network, "done")
    return curve


def _best(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The epoch with the least loss on validation, if any is a number."""
    numbers = [row for row in rows if np.isfinite(row["val_loss"])]
    return min(numbers, key=lambda row: row["val_loss"], default=None)


def _curve(phase: str, rows: Sequence[dict[str, Any]]) -> Curve:
    """A phase as history.json has it."""
    best = _best(rows)
    if best is None:
        raise ValueError(f"{phase}: the loss stopped being a number in the first epoch")
    return {
        "phase": phase,
        "best_epoch": best["epoch"],
        "best_validation_loss": best["val_loss"],
        "epochs": list(rows),
    }


class _History(keras.callbacks.Callback):
    """Keeps loss and accuracy a head of each epoch, and what to go on from; says how it goes."""

    def __init__(
        self,
        phase: str,
        heads: Sequence[str],
        lesson: Lesson,
        kept: Checkpoints,
        rows: list[dict[str, Any]],
        *,
        long: bool,
    ) -> None:
        super().__init__()
        self._phase, self._heads, self._lesson = phase, heads, lesson
        self._kept, self._long = kept, long
        self.rows = rows

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Note one epoch."""
        logs = logs or {}
        row: dict[str, Any] = {
            "epoch": epoch + 1,
            "learning_rate": float(self.model.optimizer.learning_rate),
            **_pair(logs, "loss", self._lesson.judged_by),
            "heads": {head: self._head(logs, head) for head in self._heads},
        }
        before = _best(self.rows)
        self.rows.append(row)
        best = _best(self.rows)
        most = "at most " if self._lesson.manner.keep_best else ""
        self._lesson.progress(
            f"{self._phase}, epoch {epoch + 1} of {most}{self._lesson.settings.epochs}:"
            f" loss {row['loss']:.3f}, on validation {row['val_loss']:.3f}"
        )
        better = self._lesson.manner.keep_best and best is row
        if better:
            self._kept.save(self.model, f"best-{epoch + 1}")
        self._kept.tell(self.rows)
        if self._long:
            self._kept.save(self.model, f"after-{epoch + 1}")
            self._kept.drop(f"after-{epoch}")
        if better and before:  # until now a killed training might have gone on from it
            self._kept.drop(f"best-{before['epoch']}")
        self.model.stop_training = self.ends

    @property
    def ends(self) -> bool:
        """Whether enough was learned: after all epochs, or PATIENCE ones without a better one."""
        best, told = _best(self.rows), len(self.rows)
        without = told - best["epoch"] if best else told
        impatient = self._lesson.manner.keep_best and without >= PATIENCE
        return impatient or told >= self._lesson.settings.epochs

    def _head(self, logs: Mapping[str, float], head: str) -> dict[str, float]:
        return {
            **_pair(logs, "loss", _key(logs, head, self._lesson.judged_by)),
            **_pair(logs, "accuracy", _key(logs, head, "accuracy")),
        }


def _key(logs: Mapping[str, float], head: str, measure: str) -> str:
    """Where a head's measure is: Keras names a network's only head nowhere."""
    return f"{head}_{measure}" if f"{head}_{measure}" in logs else measure


def _pair(logs: Mapping[str, float], name: str, key: str) -> dict[str, float]:
    """A measure on the training and the validation side."""
    return {name: float(logs[key]), f"val_{name}": float(logs[f"val_{key}"])}
