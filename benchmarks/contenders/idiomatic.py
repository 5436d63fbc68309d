"""Keras as its guides teach it today: image_dataset_from_directory and preprocessing layers."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers
from stopwatch import Stopwatch


def convnet(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return the small net's features."""
    x = layers.Rescaling(1 / 255)(x)
    for filters in (32, 64, 128, 128):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    return layers.Dense(512, activation="relu")(x)


def vgg16(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return the frozen base's features; untrained weights take as long."""
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(150, 150, 3))
    base.trainable = False
    x = base(keras.applications.vgg16.preprocess_input(x), training=False)
    return layers.Dense(256, activation="relu")(layers.GlobalAveragePooling2D()(x))


def main(name: str, photos: Path, epochs: int) -> None:
    """Train on photos/train, validate on photos/validation."""
    options = {"label_mode": "binary", "image_size": (150, 150), "batch_size": 32, "verbose": False}
    train = keras.utils.image_dataset_from_directory(photos / "train", **options)
    validation = keras.utils.image_dataset_from_directory(photos / "validation", **options)
    augment = keras.Sequential(
        [
            layers.RandomFlip("horizontal"),
            layers.RandomRotation(0.11),
            layers.RandomTranslation(0.2, 0.2),
            layers.RandomZoom(0.2),
        ]
    )
    train = train.map(
        lambda x, y: (augment(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE
    )
    inputs = keras.Input((150, 150, 3))
    features = {"convnet": convnet, "vgg16": vgg16}[name](inputs)
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(features))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    watch = Stopwatch()
    model.fit(
        train.prefetch(tf.data.AUTOTUNE),
        validation_data=validation.prefetch(tf.data.AUTOTUNE),
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=watch.lap)],
        verbose=0,
    )
    watch.report()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
