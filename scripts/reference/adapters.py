"""Reference values for the added structures of crates/model from AdapterHub's `adapters` and from PEFT.

    adapters.py --tiny                  rewrites crates/model/tests/reference/{pfeiffer,houlsby,madx,lora,heads}/
    adapters.py --check KIND FOLDER     loads FOLDER/{model,added} with the packages and compares with FOLDER/check.json

Run with Python's option -P, since this file has the package's name. Computed in float64. Versions the committed files were
made with: torch 2.15.0, transformers 4.57.6, adapters 1.3.0, peft 0.21.2.
"""

import argparse
import json
import shutil
from pathlib import Path

import adapters
import torch
from adapters import DoubleSeqBnConfig, SeqBnConfig, SeqBnInvConfig, Stack
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForTokenClassification,
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
    XLMRobertaConfig,
    XLMRobertaForTokenClassification,
)

REFERENCE = Path(__file__).resolve().parents[2] / "crates/model/tests/reference"
IGNORED = -100
SHARED = dict(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=32,
    initializer_range=0.3,
)
LENGTHS, SEQ = [9, 2, 6], 9


def mask_of(lengths, seq):
    return (torch.arange(seq)[None, :] < torch.tensor(lengths)[:, None]).long()


def config_of(family):
    if family == "bert":
        return BertConfig(**SHARED, max_position_embeddings=16, type_vocab_size=2, pad_token_id=0, num_labels=5)
    return XLMRobertaConfig(
        **SHARED, max_position_embeddings=18, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5, num_labels=5
    )


def batch_of(config, generator):
    ids = torch.randint(5, config.vocab_size, (len(LENGTHS), SEQ), generator=generator)
    labels = torch.randint(0, 5, ids.shape, generator=generator)
    tokens = torch.where(torch.rand(ids.shape, generator=generator) < 0.4, ids, IGNORED)
    tokens[0, 1] = ids[0, 1]
    hidden = mask_of(LENGTHS, SEQ) == 0
    ids[hidden] = config.pad_token_id
    labels[hidden] = tokens[hidden] = IGNORED
    return {"ids": ids, "type_ids": torch.zeros_like(ids), "lengths": LENGTHS, "labels": labels, "tokens": tokens}


def randomise(model):
    """Fresh biases are 0 and fresh up-projections small: larger random ones show mistakes that those hide."""
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:
            offset = 1.0 if "LayerNorm.weight" in name or "layer_norm.weight" in name else 0.0
            parameter.data = offset + 0.2 * torch.randn(parameter.shape)
        elif "adapters." in name or "lora_" in name:
            parameter.data = 0.3 * torch.randn(parameter.shape)


def forward(model, batch, target):
    out = model(
        input_ids=batch["ids"],
        attention_mask=mask_of(LENGTHS, SEQ),
        token_type_ids=batch["type_ids"],
        labels=batch[target],
    )
    return out.logits, out.loss


def bare(name):
    """The name that the Rust side gives a parameter."""
    for prefix in ("base_model.model.", "bert.", "roberta."):
        name = name.removeprefix(prefix)
    return name.replace(".base_layer.", ".").replace(".default.", ".")


def expectation(model, batch, target, extra=None):
    model = model.double().eval()
    model.zero_grad()
    logits, loss = forward(model, batch, target)
    loss.backward()
    real = batch["tokens"] != IGNORED if target == "tokens" else mask_of(LENGTHS, SEQ).bool()
    expected = {"logits": logits.detach()[real], "loss": loss.detach()[None], **(extra or {})}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and parameter.grad is not None:
            expected[f"gradient/{bare(name)}"] = parameter.grad
    return expected


def write(name, batch, expected):
    folder = REFERENCE / name
    named = dict(expected)
    for key, value in batch.items():
        value = torch.tensor(value) if isinstance(value, list) else value
        named[f"batch/{key}"] = value.to(torch.int32)
    named = {k: (v.float() if v.is_floating_point() else v).clone().contiguous() for k, v in named.items()}
    save_file(named, folder / "expected.safetensors")
    print(f"{name}: loss {float(expected['loss']):.6f}, {len(expected)} tensors")


def fresh_folder(name):
    folder = REFERENCE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_tiny():
    # One adapter of each kind, trained with the head on a frozen encoder; one family each.
    for name, family, cls, config in [
        ("pfeiffer", "bert", BertForTokenClassification, SeqBnConfig(reduction_factor=3)),
        ("houlsby", "xlm-roberta", XLMRobertaForTokenClassification, DoubleSeqBnConfig(reduction_factor=4)),
    ]:
        torch.manual_seed(23)
        folder, model = fresh_folder(name), cls(config_of(family))
        randomise(model)
        model.save_pretrained(folder / "model")
        adapters.init(model)
        model.add_adapter("task", config=config)
        randomise_added(model)
        model.save_adapter(folder / "task", "task", with_head=False, use_safetensors=True)
        model.train_adapter("task")
        batch = batch_of(model.config, torch.Generator().manual_seed(5))
        write(name, batch, expectation(model, batch, "labels"))

    # MAD-X: a language adapter with its invertible adapter under masked language modelling, then a stack with a task
    # adapter, of which the upper one trains; and everything open.
    torch.manual_seed(29)
    folder, model = fresh_folder("madx"), BertForMaskedLM(config_of("bert"))
    randomise(model)
    model.save_pretrained(folder / "model")
    adapters.init(model)
    undo_coupling(model)
    model.add_adapter("sw", config=SeqBnInvConfig(reduction_factor=2))
    model.add_adapter("task", config=SeqBnConfig(reduction_factor=8))
    randomise_added(model)
    for name in ("sw", "task"):
        model.save_adapter(folder / name, name, with_head=False, use_safetensors=True)
    batch = batch_of(model.config, torch.Generator().manual_seed(6))
    model.train_adapter("sw")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".sw." in name)
    language = expectation(model, batch, "tokens")
    model.set_active_adapters(Stack("sw", "task"))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".task." in name)
    task = expectation(model, batch, "tokens")
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    everything = expectation(model, batch, "tokens")
    for layer in model.bert.encoder.layer:
        share_residual(layer.output.adapters)
    shared = expectation(model, batch, "tokens")
    expected = dict(language)
    expected |= {f"stack/{key}": value for key, value in task.items()}
    expected |= {f"open/{key}": value for key, value in everything.items()}
    expected |= {f"shared/{key}": value for key, value in shared.items()}
    write("madx", batch, expected)

    # LoRA on every dense layer, in one that is no square too.
    torch.manual_seed(31)
    folder, model = fresh_folder("lora"), BertForTokenClassification(config_of("bert"))
    randomise(model)
    model.save_pretrained(folder / "model")
    targets = ["query", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
    model = get_peft_model(model, LoraConfig(r=3, lora_alpha=5, target_modules=targets, lora_dropout=0.0))
    randomise_added(model)
    model.save_pretrained(folder / "lora")
    (folder / "lora/README.md").unlink(missing_ok=True)
    batch = batch_of(config_of("bert"), torch.Generator().manual_seed(7))
    write("lora", batch, expectation(model, batch, "labels"))

    # A factor on each head, and the loss's gradient with respect to it.
    torch.manual_seed(37)
    folder = fresh_folder("heads")
    model = BertForTokenClassification._from_config(config_of("bert"), attn_implementation="eager")
    randomise(model)
    model.save_pretrained(folder / "model")
    model = model.double().eval()
    batch = batch_of(model.config, torch.Generator().manual_seed(8))
    mask = torch.tensor([[1.0, 0.0, 0.5, 1.0], [0.0, 1.0, 1.0, -0.25]], dtype=torch.float64, requires_grad=True)
    results = {}
    for name, factors in {"": mask, "ones/": torch.ones_like(mask, requires_grad=True)}.items():
        model.zero_grad()
        out = model(
            input_ids=batch["ids"],
            attention_mask=mask_of(LENGTHS, SEQ),
            token_type_ids=batch["type_ids"],
            labels=batch["labels"],
            head_mask=factors,
        )
        out.loss.backward()
        results |= {
            f"{name}loss": out.loss.detach()[None],
            f"{name}logits": out.logits.detach()[mask_of(LENGTHS, SEQ).bool()],
            f"{name}mask": factors.detach(),
            f"{name}heads": factors.grad.clone(),
        }
        results |= {f"{name}gradient/{bare(key)}": p.grad.clone() for key, p in model.named_parameters()}
    write("heads", batch, results)


def undo_coupling(model):
    """Before the decoder the invertible adapter is undone, as in the library's flexible language-model head and in MAD-X;
    its wrapper of the static head leaves that out."""

    def inverse(_, inputs):
        coupling = model.base_model.get_invertible_adapter()
        return inputs if coupling is None else (coupling(inputs[0], rev=True),)

    model.get_output_embeddings().register_forward_pre_hook(inverse)


def share_residual(modules):
    """Makes a stack what the MAD-X paper has: the upper adapter reads the lower one's output as it is, and both add the
    output of the feed-forward network."""
    lower, upper, kept = modules["sw"], modules["task"], {}
    original = lower.pre_forward

    def pre_lower(hidden, *rest, **options):
        kept["residual"] = hidden
        return original(hidden, *rest, **options)

    lower.pre_forward = pre_lower
    upper.pre_forward = lambda hidden, *rest, **options: (hidden, None, kept["residual"])


def randomise_added(model):
    for name, parameter in model.named_parameters():
        if "adapters." in name or "lora_" in name:
            parameter.data = 0.3 * torch.randn(parameter.shape)


def check(kind, folder):
    """Loads what the Rust side has written, as a user would, and compares the logits of real tokens."""
    expected = json.loads((folder / "check.json").read_text())
    cls = AutoModelForMaskedLM if kind == "madx" else AutoModelForTokenClassification
    model = cls.from_pretrained(folder / "model")
    if kind == "lora":
        model = PeftModel.from_pretrained(model, folder / "added")
        loaded = {bare(name) for name, _ in model.named_parameters() if "lora_" in name}
        assert loaded == set(expected["names"]), f"{loaded ^ set(expected['names'])}"
    else:
        adapters.init(model)
        if kind == "madx":
            undo_coupling(model)
        names = []
        for added in sorted((folder / "added").iterdir()):
            report = {}
            names.append(model.load_adapter(str(added), loading_info=report, use_safetensors=True))
            assert not any(report.values()), f"adapters complains about {added.name}: {report}"
        model.set_active_adapters(Stack(*names))
        assert names == expected["stack"], names
    model.eval()
    ids = torch.tensor(expected["ids"])
    lengths = expected["lengths"]
    out = model(
        input_ids=ids, attention_mask=mask_of(lengths, ids.shape[1]), token_type_ids=torch.zeros_like(ids)
    ).logits
    if kind == "madx":
        tokens = torch.tensor(expected["tokens"])
        at = tokens != IGNORED
        values = torch.nn.functional.cross_entropy(out[at], tokens[at], reduction="none")
    else:
        values = out[mask_of(lengths, ids.shape[1]).bool()].flatten()
    difference = float((values - torch.tensor(expected["values"])).abs().max())
    assert difference < 1e-5, f"values differ by {difference}"
    print(f"{kind}: values differ by at most {difference:.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--check", nargs=2, metavar=("KIND", "FOLDER"))
    arguments = parser.parse_args()
    if arguments.tiny:
        write_tiny()
    elif arguments.check:
        check(arguments.check[0], Path(arguments.check[1]))
    else:
        parser.error("say --tiny or --check")


if __name__ == "__main__":
    main()
