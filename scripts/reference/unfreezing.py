"""Rewrites crates/strategies/tests/reference/unfreezing.json: when layers open, and Fisher traces.

    unfreezing.py

Timing: the training loops of UKPLab/naacl2024-fun (`code`) and Algorithm 1 of Liu et al. 2024 (`paper`) are played
step by step, with made-up scores in place of Fisher traces. Steps count from 0 in the file.
Traces: PyTorch on the tiny models of crates/model/tests/reference, per group, for every assignment of labels to a small
batch; the trace of sampled labels is their mean under the model's own distribution.
Everything is computed in float64. Versions the committed file was made with: torch 2.15.0, transformers 5.23.0.
"""

import itertools
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

CRATES = Path(__file__).resolve().parents[2] / "crates"
MODELS = CRATES / "model/tests/reference"
SETTINGS = [(12, 100, 1500), (12, 7, 120), (4, 10, 60), (3, 1, 8), (5, 2, 11), (2, 50, 130)]
IGNORED = -100


def score(event, layer):
    """A made-up trace; `event` counts the estimates. Equal for some layers, to show how ties are broken."""
    return float((5 * layer + 3 * event * event) % 7)


def released(kind, layers, k, steps):
    """The released trainer: `t` counts from 1, and an event comes before the forward pass of its step."""
    opened, events, history = set(), 0, []
    for g in range(steps):
        t = g + 1
        if g < 2 and kind != "lpft":
            opened.add(layers - 1)
        if kind == "gu":
            layer = layers - t // k
            if t % k == 0 and g < layers * k + 1 and layer >= 0:
                opened.add(layer)
        elif t % k == 0 and t <= layers * k:
            closed = [layer for layer in range(layers) if layer not in opened]
            if kind == "lpft":
                opened.update(closed)
            elif closed and kind == "reverse":
                opened.add(closed[0])
            elif closed and kind == "top-down":
                opened.add(closed[-1])
            elif closed and kind == "fun":
                ranked = sorted(range(layers), key=lambda layer: score(events, layer), reverse=True)
                opened.add(next(layer for layer in ranked if layer not in opened))
                events += 1
        if t == (layers + 1) * k + 1:
            opened.update(range(layers))
        history.append(sorted(opened))
    return history


def algorithm(kind, layers, k, steps):
    """Algorithm 1: `i` counts from 0; the first event opens the top layer, which is the start state of every method but
    LPFT, whose first event opens nothing and whose second everything."""
    opened, events, history = set(), 0, []
    for i in range(steps):
        if i % k == 0 and i <= k * layers:
            closed = [layer for layer in range(layers) if layer not in opened]
            if kind == "lpft":
                opened.update(closed if i > 0 else [])
            elif i == 0:
                opened.add(layers - 1)
            elif closed and kind in ("gu", "top-down"):
                opened.add(max(closed))
            elif closed and kind == "reverse":
                opened.add(min(closed))
            elif closed and kind == "fun":
                opened.add(max(closed, key=lambda layer: (score(events, layer), -layer)))
                events += 1
        history.append(sorted(opened))
    return history


def changes(history):
    """[step, layers open from it on]: only where something changes."""
    return [[0, history[0]]] + [[s, now] for s, (old, now) in enumerate(zip(history, history[1:]), 1) if old != now]


def timing():
    return [
        {
            "kind": kind,
            "variant": variant,
            "layers": layers,
            "interval": k,
            "steps": steps,
            "open": changes(play(kind, layers, k, steps)),
        }
        for (variant, play) in (("code", released), ("paper", algorithm))
        for kind in ("gu", "lpft", "fun", "reverse", "top-down")
        for (layers, k, steps) in SETTINGS
    ]


def group_of(name):
    if ".embeddings." in name:
        return "embeddings"
    if ".layer." in name:
        return "layer." + name.split(".layer.")[1].split(".")[0]
    return "head"


def squared(model, logits, labels, examples):
    """Per group, the sum over its parameters of (d mean NLL)^2 / batch size: one batch's F_p of the released code."""
    model.zero_grad()
    loss = torch.nn.functional.nll_loss(
        logits.log_softmax(-1).flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="mean"
    )
    loss.backward(retain_graph=True)
    traces = {}
    for name, parameter in model.named_parameters():
        group = group_of(name)
        traces[group] = traces.get(group, 0.0) + float((parameter.grad**2).sum()) / examples
    return traces


def traces():
    cases = []
    for folder, cls in (
        ("bert-classes", AutoModelForSequenceClassification),
        ("xlm-roberta-tokens", AutoModelForTokenClassification),
    ):
        model = cls.from_pretrained(MODELS / folder, attn_implementation="eager").double().eval()
        saved = load_file(MODELS / folder / "expected.safetensors")
        case = {"model": folder, "batches": []}
        for prefix in ("batch", "train1", "train2"):
            ids, types = saved[f"{prefix}/ids"].long(), saved[f"{prefix}/type_ids"].long()
            lengths = saved[f"{prefix}/lengths"].long()
            mask = (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).long()
            logits = model(input_ids=ids, attention_mask=mask, token_type_ids=types).logits
            gold = saved[f"{prefix}/labels"].long()
            argmax = torch.where(gold == IGNORED, IGNORED, logits.argmax(-1))
            entry = {
                "seq": ids.shape[1],
                "ids": ids.flatten().tolist(),
                "type_ids": types.flatten().tolist(),
                "lengths": lengths.tolist(),
                "labels": gold.flatten().tolist(),
                "argmax": squared(model, logits, argmax, len(ids)),
            }
            if folder == "bert-classes":
                # Every assignment of labels to the rows, with its probability under the model.
                probabilities = logits.softmax(-1).detach()
                assignments = []
                mean = {}
                for labels in itertools.product(range(logits.shape[-1]), repeat=len(ids)):
                    one = squared(model, logits, torch.tensor(labels), len(ids))
                    weight = float(torch.stack([probabilities[row, label] for row, label in enumerate(labels)]).prod())
                    for group, value in one.items():
                        mean[group] = mean.get(group, 0.0) + weight * value
                    assignments.append(one["layer.1"])
                entry |= {"sampled": mean, "sampled_layer_1": sorted(set(assignments))}
            case["batches"].append(entry)
        cases.append(case)
    return cases


def main():
    result = {"timing": timing(), "traces": traces()}
    text = json.dumps(result)
    rounded = json.loads(text, parse_float=lambda digits: float(f"{float(digits):.9g}"))
    path = CRATES / "strategies/tests/reference/unfreezing.json"
    path.write_text(json.dumps(rounded, separators=(",", ":")) + "\n")
    print(f"{path}: {len(result['timing'])} timings")


if __name__ == "__main__":
    main()
