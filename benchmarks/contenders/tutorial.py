"""The tutorials' recipe as people copy it: ImageDataGenerator, pixels / 255, RMSprop, float32."""

from __future__ import annotations

import sys
from pathlib import Path

import tensorflow as tf
from stopwatch import Stopwatch
from tensorflow.keras import layers, models, optimizers
from tensorflow.keras.preprocessing.image import ImageDataGenerator

AUGMENT = {
    "rotation_range": 40,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 0.2,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}


def convnet() -> tf.keras.Model:
    """Return the small net."""
    model = models.Sequential([layers.Input((150, 150, 3))])
    for filters in (32, 64, 128, 128):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.5))
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


def vgg16() -> tf.keras.Model:
    """Return the frozen base under a dense head; untrained weights take as long."""
    base = tf.keras.applications.VGG16(weights=None, include_top=False, input_shape=(150, 150, 3))
    base.trainable = False
    head = [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(1, "sigmoid")]
    return models.Sequential([base, *head])


def main(name: str, photos: Path, epochs: int) -> None:
    """Train on photos/train, validate on photos/validation."""
    flow = {"target_size": (150, 150), "batch_size": 20, "class_mode": "binary"}
    train = ImageDataGenerator(rescale=1 / 255, **AUGMENT).flow_from_directory(
        photos / "train", **flow
    )
    validation = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
        photos / "validation", **flow
    )
    model = {"convnet": convnet, "vgg16": vgg16}[name]()
    model.compile(
        loss="binary_crossentropy", optimizer=optimizers.RMSprop(1e-4), metrics=["accuracy"]
    )
    watch = Stopwatch()
    each = tf.keras.callbacks.LambdaCallback(on_epoch_end=watch.lap)
    model.fit(train, validation_data=validation, epochs=epochs, callbacks=[each], verbose=0)
    watch.report()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
