"""PyTorch as its guides teach it: ImageFolder, two loader processes, channels-last, bfloat16."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from stopwatch import Stopwatch
from torch import nn
from torchvision import datasets, models
from torchvision.transforms import v2

from convlens.runtime import cpu_flags, resolve_precision


def convnet() -> nn.Module:
    """Return the small net."""
    parts: list[nn.Module] = []
    channels = 3
    for filters in (32, 64, 128, 128):
        parts += [nn.Conv2d(channels, filters, 3), nn.ReLU(), nn.MaxPool2d(2)]
        channels = filters
    head = [nn.Flatten(), nn.Dropout(0.5), nn.Linear(6272, 512), nn.ReLU(), nn.Linear(512, 1)]
    return nn.Sequential(*parts, *head)


def vgg16() -> nn.Module:
    """Return the frozen base under a dense head; untrained weights take as long."""
    base = models.vgg16(weights=None).features.requires_grad_(False)
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 256), nn.ReLU()]
    return nn.Sequential(base, *head, nn.Linear(256, 1))


def loader(folder: Path, *augment: v2.Transform) -> torch.utils.data.DataLoader:
    """Return shuffled batches of 32."""
    scale = [v2.ToImage(), v2.Resize((150, 150)), *augment, v2.ToDtype(torch.float32, scale=True)]
    return torch.utils.data.DataLoader(
        datasets.ImageFolder(folder, v2.Compose(scale)), batch_size=32, shuffle=True,
        num_workers=2, persistent_workers=True,
    )  # fmt: skip


def main(name: str, photos: Path, epochs: int) -> None:
    """Train on photos/train, validate on photos/validation."""
    fast = resolve_precision("auto", cpu_flags(), gpu=False) == "bfloat16"
    affine = v2.RandomAffine(40, (0.2, 0.2), (0.8, 1.2), 11)
    train = loader(photos / "train", affine, v2.RandomHorizontalFlip())
    validation = loader(photos / "validation")
    model = {"convnet": convnet, "vgg16": vgg16}[name]().to(memory_format=torch.channels_last)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, 1e-3)
    loss_of = nn.BCEWithLogitsLoss()

    def loss(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        images = images.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            logits = model(images)
        return loss_of(logits.float()[:, 0], labels.float())

    watch = Stopwatch()
    for _ in range(epochs):
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            loss(images, labels).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for images, labels in validation:
                loss(images, labels)
        watch.lap()
    del train, validation  # ends their processes
    watch.report(workers=4, precision="bfloat16" if fast else "float32")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
