"""The engine bench's models in PyTorch: reads {"model": NAME, "steps": N} a line, answers with the
processor time of a training step in milliseconds. One thread."""

import json
import os
import sys
import time

# Its matrix products have threads of their own, which PyTorch does not bound.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(1)


def mlp(*hidden):
    sides = [784, *hidden, 10]
    layers = []
    for i in range(len(sides) - 1):
        layers.append(nn.Linear(sides[i], sides[i + 1]))
        if i < len(sides) - 2:
            layers.append(nn.ReLU())
    return nn.Sequential(nn.Flatten(), *layers)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(7 * 7 * 32, 64), nn.ReLU(), nn.Linear(64, 10))


class ResidualBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout)
        self.shortcut = None
        if stride != 1 or cin != cout:
            self.shortcut = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def resnet(blocks):
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    width = 16
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(blocks):
            layers.append(ResidualBlock(width, filters, 2 if stage > 0 and block == 0 else 1))
            width = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class GptBlock(nn.Module):
    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.register_buffer("mask", torch.tril(torch.ones(context, context)) == 0)

    def forward(self, x):
        b, t, w = x.shape
        q, k, v = (
            part.view(b, t, self.heads, w // self.heads).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).split(w, 2))
        scores = q @ k.transpose(2, 3) / (w // self.heads) ** 0.5
        shares = scores.masked_fill(self.mask, float("-inf")).softmax(3)
        x = x + self.output((shares @ v).transpose(1, 2).reshape(b, t, w))
        return x + self.down(gelu(self.up(self.norm2(x))))


def gelu(x):
    """The tanh form, by PyTorch's own fused kernel where it has one."""
    return F.gelu(x, approximate="tanh")


class CharGpt(nn.Module):
    def __init__(self, vocabulary, context, layers=4, width=128, heads=4):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(context, width))
        self.blocks = nn.Sequential(*(GptBlock(width, heads, context) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, vocabulary)

    def forward(self, x):
        return self.output(self.norm(self.blocks(self.embedding(x) + self.positions))).flatten(0, 1)


def images(count, *shape):
    return torch.randn(count, *shape), torch.randint(0, 10, (count,))


def sgd(model, momentum=0.0):
    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=momentum)


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def text(count, context, vocabulary):
    return torch.randint(0, vocabulary, (count, context)), torch.randint(0, vocabulary, (count * context,))


MODELS = {
    "mlp": lambda: (mlp(512, 256), images(64, 784), sgd),
    "mlp-adam": lambda: (mlp(512, 256), images(64, 784), adam),
    "mlp-small": lambda: (mlp(64), images(32, 784), sgd),
    "cnn": lambda: (cnn(), images(32, 1, 28, 28), sgd),
    "resnet20": lambda: (resnet(3), images(32, 3, 32, 32), lambda m: sgd(m, 0.9)),
    "chargpt": lambda: (CharGpt(97, 128), text(16, 128, 97), adam),
}


def trainer(name):
    model, (features, labels), optimizer_of = MODELS[name]()
    optimizer = optimizer_of(model)

    def step():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(features), labels).backward()
        optimizer.step()

    step()
    return step


trainers = {}
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    name = request["model"]
    if name not in trainers:
        trainers[name] = trainer(name)
    start = time.process_time()
    for _ in range(request["steps"]):
        trainers[name]()
    elapsed = time.process_time() - start
    print(json.dumps({"stepMs": elapsed * 1000 / request["steps"]}), flush=True)
