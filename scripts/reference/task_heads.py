"""Reference values for multiple choice and for labels of one's own in crates/model from PyTorch and transformers.

    task_heads.py --tiny    rewrites crates/model/tests/reference/{bert,xlm-roberta}-choices/ and
                            crates/model/tests/reference/bert-{tags,four}/

Saved folders of these heads are checked by `model.py --check`. Computed in float64, as in model.py.
Versions the committed files were made with: torch 2.15.0, transformers 5.24.0.
"""

import argparse
from functools import partial

import torch
from model import REFERENCE, expectation, forward, fresh, gradients, mask_of, save, tensors_of, tiny_batch
from transformers import (
    AutoModelForMultipleChoice,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    XLMRobertaConfig,
)

SHARED = dict(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=32,
    initializer_range=0.3,
)
TAGS = ["O", "B-DATE", "I-DATE", "B-PROD", "I-PROD"]
CLASSES = ["history", "sport", "science", "weather"]


def config_of(family, labels=None):
    named = {}
    if labels:
        named["id2label"] = dict(enumerate(labels))
        named["label2id"] = {label: index for index, label in enumerate(labels)}
    if family == "bert":
        return BertConfig(**SHARED, **named, max_position_embeddings=16, type_vocab_size=2, pad_token_id=0)
    return XLMRobertaConfig(
        **SHARED, **named, max_position_embeddings=18, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5
    )


def choices_batch(config, sizes, lengths, generator):
    """Groups of `sizes` rows, one after another; a label is the place of the right row in its group."""
    assert sum(sizes) == len(lengths)
    batch = tiny_batch(config, "classes", lengths, max(lengths), generator)
    batch["sizes"] = sizes
    batch["labels"] = torch.cat([torch.randint(0, size, (1,), generator=generator) for size in sizes])
    return batch


def choices_forward(model, batch):
    """Logits [rows] and the mean of the groups' losses. The class takes groups of one size: here they go one by one."""
    inputs = {
        "input_ids": batch["ids"],
        "attention_mask": mask_of(batch["lengths"], batch["ids"].shape[1]),
        "token_type_ids": batch["type_ids"],
    }
    logits, losses, start = [], [], 0
    for size, label in zip(batch["sizes"], batch["labels"]):
        group = {name: value[None, start : start + size] for name, value in inputs.items()}
        out = model(**group, labels=label[None])
        logits.append(out.logits[0])
        losses.append(out.loss)
        start += size
    logits, loss = torch.cat(logits), torch.stack(losses).mean()
    if len(set(batch["sizes"])) == 1:
        groups = {name: value.unflatten(0, (-1, batch["sizes"][0])) for name, value in inputs.items()}
        out = model(**groups, labels=batch["labels"])
        assert torch.allclose(out.logits.flatten(), logits) and torch.allclose(out.loss, loss)
    return logits, loss


def results(prefix, model, run, batch):
    """Logits, loss and gradients on one more batch."""
    logits, loss, grads = gradients(model, run, batch)
    expected = {f"{prefix}/logits": logits.detach(), f"{prefix}/loss": loss.detach()[None]}
    expected |= {f"{prefix}/gradient/{name}": gradient for name, gradient in grads.items()}
    return expected | tensors_of(prefix, batch)


def write_choices(family):
    config, folder = config_of(family), REFERENCE / f"{family}-choices"
    generator = torch.Generator().manual_seed(400)
    model = fresh(AutoModelForMultipleChoice, config, 41, folder)
    run = partial(choices_forward, model)
    batch = choices_batch(config, [2, 2, 2], [11, 1, 7, 9, 11, 5], generator)
    three = choices_batch(config, [3, 3], [6, 10, 2, 10, 8, 4], generator)
    mixed = choices_batch(config, [3, 1, 4, 2], [9, 3, 6, 7, 2, 5, 9, 1, 8, 4], generator)
    batches = [
        choices_batch(config, sizes, lengths, generator)
        for sizes, lengths in (
            ([2, 2], [8, 8, 8, 8]),
            ([3, 1, 2], [3, 10, 6, 1, 4, 7]),
            ([2, 2, 2], [5, 5, 4, 2, 3, 5]),
        )
    ]
    with torch.no_grad():
        expected = {"batch/logits": run(batch)[0]}
    expected |= results("three", model, run, three) | results("mixed", model, run, mixed)
    # Last, since it trains the model.
    save(expected | expectation(model, run, batch, batches), folder)


def write_labels(name, head, cls, labels):
    config, folder = config_of("bert", labels), REFERENCE / name
    generator = torch.Generator().manual_seed(410)
    model = fresh(cls, config, 43, folder)
    run = partial(forward, model, head)
    batch, *batches = [
        tiny_batch(config, head, lengths, max(lengths), generator, len(labels))
        for lengths in ([11, 1, 7, 9], [8, 8, 8, 8], [3, 10, 6, 1], [5, 5, 4, 2])
    ]
    with torch.no_grad():
        expected = {"batch/logits": run(batch)[0]}
    save(expected | expectation(model, run, batch, batches), folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    if not parser.parse_args().tiny:
        parser.error("say --tiny")
    write_choices("bert")
    write_choices("xlm-roberta")
    write_labels("bert-tags", "tokens", AutoModelForTokenClassification, TAGS)
    write_labels("bert-four", "classes", AutoModelForSequenceClassification, CLASSES)


if __name__ == "__main__":
    main()
