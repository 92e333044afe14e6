"""Reference values for the parser's head of crates/model: a deep biaffine parser (Dozat and Manning, 2017) in PyTorch
on transformers' encoders.

    dependency_parser.py --tiny            rewrites crates/model/tests/reference/{bert,xlm-roberta}-arcs/ and
                                           crates/model/tests/reference/bert-arcs-{mean,mix}/
    dependency_parser.py --check FOLDER    loads FOLDER and compares its logits with FOLDER/check.json

Of a sentence, w_0 is a learned root and w_1 .. w_n are its words: the state of a word's first piece, or the mean over its
pieces. With ELU between, d = f(w_1 .. w_n) and h = g(w_0 .. w_n) are what arcs see, e and g what their labels see:

    arc of dependent i to head j              d_i' U h_j + u' h_j
    label l of that arc                       [e_i; 1]' V_l [g_j; 1]
    loss    cross-entropy of the right heads over all heads of their sentence but the word itself, mean over words,
            and of the right labels at the right heads, mean over words

A mix replaces the last layer's states by scale x sum over states of softmax(weights) x state, the embeddings' output
and every layer's being states.

Computed in float64, as in model.py. Versions the committed files were made with: torch 2.15.0, transformers 5.24.0.
"""

import argparse
import json
import math
from functools import partial
from pathlib import Path

import torch
from model import IGNORED, REFERENCE, curve, gradients, mask_of, save, tensors_of
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoConfig, AutoModel, BertConfig, XLMRobertaConfig

SHARED = dict(
    vocab_size=60,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=32,
    initializer_range=0.3,
)
RELATIONS = ["root", "nsubj", "obj", "det", "advmod"]
ARC, LABEL = 12, 7
# Name: family, pooling, mix.
FOLDERS = {
    "bert-arcs": ("bert", "first", False),
    "xlm-roberta-arcs": ("xlm-roberta", "first", False),
    "bert-arcs-mean": ("bert", "mean", False),
    "bert-arcs-mix": ("bert", "first", True),
}
ARCHITECTURES = {"bert": "BertForDependencyParsing", "xlm-roberta": "XLMRobertaForDependencyParsing"}
PREFIXES = {"bert": "bert", "xlm-roberta": "roberta"}
# Pieces of each word and its head, 0 for the root: sentences of 1, 3, 5 and 6 words, one of them with crossing arcs.
SENTENCES = [
    ([2], [0]),
    ([1, 3, 1], [2, 0, 2]),
    ([1, 1, 2, 1, 1], [2, 0, 5, 5, 2]),
    ([1, 2, 1, 1, 3, 1], [3, 4, 0, 3, 6, 3]),
]
TRAINED = [
    [([1, 2], [0, 1]), ([2, 1], [2, 0]), ([1, 1], [2, 0])],
    [([3], [0]), ([1, 1, 1, 2], [2, 4, 4, 0]), ([1, 2, 1], [0, 1, 2])],
    [([1, 1, 1, 1, 1], [3, 1, 0, 5, 3]), ([2, 2], [0, 1])],
]


class Mix(nn.Module):
    def __init__(self, states):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(states))
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, states):
        shares = self.weights.softmax(0)
        return self.scale * sum(share * state for share, state in zip(shares, states, strict=True))


class Biaffine(nn.Module):
    """Parameters of a bilinear form alone: `Head` has its equations."""

    def __init__(self, rows, columns, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(rows, columns))
        self.bias = nn.Parameter(torch.zeros(columns)) if bias else None


class Head(nn.Module):
    def __init__(self, config):
        super().__init__()
        options, hidden = config.parser, config.hidden_size
        arc, label, self.pooling, self.labels = options["arc"], options["label"], options["pooling"], config.num_labels
        self.root = nn.Parameter(torch.zeros(hidden))
        self.arc_dependent, self.arc_head = nn.Linear(hidden, arc), nn.Linear(hidden, arc)
        self.label_dependent, self.label_head = nn.Linear(hidden, label), nn.Linear(hidden, label)
        self.arc = Biaffine(arc, arc, bias=True)
        self.label = Biaffine(label + 1, self.labels * (label + 1), bias=False)
        self.mix = Mix(config.num_hidden_layers + 1) if options["mix"] else None

    def words(self, states, first, last):
        """One vector a word; whatever the last piece gives where there is none."""
        if self.pooling == "first":
            return torch.stack([row[at] for row, at in zip(states, first)])
        pieces = torch.arange(states.shape[1])
        inside = (first[:, :, None] <= pieces) & (pieces <= last[:, :, None])
        shares = inside.to(states) / inside.sum(2, keepdim=True).clamp(min=1)
        return shares @ states

    def forward(self, states, first, last):
        words = self.words(self.mix(states) if self.mix else states[-1], first, last)
        rooted = torch.cat([self.root.expand(len(words), 1, -1), words], dim=1)
        elu = nn.functional.elu
        d, h = elu(self.arc_dependent(words)), elu(self.arc_head(rooted))
        e, g = elu(self.label_dependent(words)), elu(self.label_head(rooted))
        arcs = torch.einsum("bix,xy,bjy->bij", d, self.arc.weight, h) + (h @ self.arc.bias)[:, None, :]
        one = partial(nn.functional.pad, pad=(0, 1), value=1.0)
        v = self.label.weight.unflatten(1, (self.labels, -1))
        return arcs, torch.einsum("bix,xly,bjy->bijl", one(e), v, one(g))


class Parser(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config, self.prefix = config, PREFIXES[config.model_type]
        encoder = AutoModel.from_config(config, attn_implementation="eager", add_pooling_layer=False)
        setattr(self, self.prefix, encoder)
        self.parser = Head(config)

    def forward(self, batch):
        states = getattr(self, self.prefix)(
            input_ids=batch["ids"],
            attention_mask=mask_of(batch["lengths"], batch["ids"].shape[1]),
            token_type_ids=batch["type_ids"],
            output_hidden_states=True,
        ).hidden_states
        return self.parser(states, batch["words/first"], batch["words/last"])


def real_arcs(first):
    """Of [batch, words, words + 1], the pairs of a word and a head of its sentence; the word itself is one of them."""
    words = first >= 0
    heads = nn.functional.pad(words, (1, 0), value=True)
    return words[:, :, None] & heads[:, None, :]


def forward(model, batch):
    """Logits of arcs and of labels, and the loss."""
    arcs, labels = model(batch)
    words = batch["words/first"] >= 0
    width = words.shape[1]
    itself = torch.arange(1, width + 1)[:, None] == torch.arange(width + 1)
    open_arcs = real_arcs(batch["words/first"]) & ~itself
    heads, relations = batch["heads"][words], batch["relations"][words]
    choices = arcs.masked_fill(~open_arcs, -math.inf)[words]
    at_heads = labels[words][torch.arange(len(heads)), heads]
    cross_entropy = nn.functional.cross_entropy
    return (arcs, labels), cross_entropy(choices, heads) + cross_entropy(at_heads, relations)


def by_hand(model, batch):
    """The same loss word by word, straight from the equations: a check on the above."""
    p, config = dict(model.parser.named_parameters()), model.config
    states = getattr(model, model.prefix)(
        input_ids=batch["ids"],
        attention_mask=mask_of(batch["lengths"], batch["ids"].shape[1]),
        token_type_ids=batch["type_ids"],
        output_hidden_states=True,
    ).hidden_states
    if config.parser["mix"]:
        powers = p["mix.weights"].exp()
        states = [p["mix.scale"] * sum(powers[k] / powers.sum() * state for k, state in enumerate(states))]

    def layer(name, x):
        y = p[f"{name}.weight"] @ x + p[f"{name}.bias"]
        return torch.where(y > 0, y, y.exp() - 1)

    one, count = torch.ones(1, dtype=torch.float64), config.num_labels
    width = config.parser["label"] + 1
    of_heads, of_labels = [], []
    for row, spans in enumerate(zip(batch["words/first"].tolist(), batch["words/last"].tolist())):
        spans = [(first, last) for first, last in zip(*spans) if first >= 0]
        if config.parser["pooling"] == "first":
            spans = [(first, first) for first, _ in spans]
        w = [p["root"]] + [states[-1][row, first : last + 1].mean(0) for first, last in spans]
        for i in range(1, len(w)):
            d, e = layer("arc_dependent", w[i]), torch.cat([layer("label_dependent", w[i]), one])
            gold, relation = int(batch["heads"][row, i - 1]), int(batch["relations"][row, i - 1])
            scores = {
                j: d @ p["arc.weight"] @ layer("arc_head", w[j]) + p["arc.bias"] @ layer("arc_head", w[j])
                for j in range(len(w))
                if j != i
            }
            of_heads.append(sum(score.exp() for score in scores.values()).log() - scores[gold])
            g = torch.cat([layer("label_head", w[gold]), one])
            scores = [e @ p["label.weight"][:, l * width : (l + 1) * width] @ g for l in range(count)]
            of_labels.append(sum(score.exp() for score in scores).log() - scores[relation])
    return (sum(of_heads) + sum(of_labels)) / len(of_heads)


def batch_of(config, sentences, generator):
    lengths = [sum(pieces) + 2 for pieces, _ in sentences]
    seq, words = max(lengths), max(len(pieces) for pieces, _ in sentences)
    ids = torch.randint(5, config.vocab_size, (len(sentences), seq), generator=generator)
    ids[:, 0] = 2
    named = {"words/first": -1, "words/last": -1, "heads": IGNORED, "relations": IGNORED}
    named = {name: torch.full((len(sentences), words), filler) for name, filler in named.items()}
    for row, (pieces, heads) in enumerate(sentences):
        ids[row, lengths[row] - 1] = 3
        ids[row, lengths[row] :] = config.pad_token_id
        after = torch.tensor(pieces).cumsum(0) + 1
        named["words/first"][row, : len(pieces)] = after - torch.tensor(pieces)
        named["words/last"][row, : len(pieces)] = after - 1
        named["heads"][row, : len(pieces)] = torch.tensor(heads)
        relations = torch.randint(1, len(RELATIONS), (len(pieces),), generator=generator)
        named["relations"][row, : len(pieces)] = torch.where(torch.tensor(heads) == 0, 0, relations)
    return {"ids": ids, "type_ids": torch.zeros_like(ids), "lengths": lengths, **named}


def config_of(family, pooling, mix):
    named = dict(
        id2label=dict(enumerate(RELATIONS)),
        label2id={relation: index for index, relation in enumerate(RELATIONS)},
        architectures=[ARCHITECTURES[family]],
        parser={"arc": ARC, "label": LABEL, "pooling": pooling, "mix": mix},
        dtype="float32",
    )
    if family == "bert":
        return BertConfig(**SHARED, **named, max_position_embeddings=16, type_vocab_size=2, pad_token_id=0)
    return XLMRobertaConfig(
        **SHARED, **named, max_position_embeddings=18, type_vocab_size=1, pad_token_id=1, layer_norm_eps=1e-5
    )


def fresh(config, folder):
    torch.manual_seed(47)
    model = Parser(config)
    for name, parameter in model.named_parameters():
        if name.startswith("parser."):
            # Large enough that no score is near 0.
            offset = 1.0 if name == "parser.mix.scale" else 0.0
            parameter.data = offset + 0.4 * torch.randn(parameter.shape)
        elif parameter.dim() == 1:
            offset = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.data = offset + 0.2 * torch.randn(parameter.shape)
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return model.double().eval()


def write_tiny():
    for name, (family, pooling, mix) in FOLDERS.items():
        folder, config = REFERENCE / name, config_of(family, pooling, mix)
        generator = torch.Generator().manual_seed(420)
        model = fresh(config, folder)
        run = partial(forward, model)
        batch, *batches = [batch_of(config, sentences, generator) for sentences in (SENTENCES, *TRAINED)]
        (arcs, labels), loss, grads = gradients(model, run, batch)
        assert torch.allclose(by_hand(model, batch), loss, rtol=1e-12)
        arcs, labels, real = arcs.detach(), labels.detach(), real_arcs(batch["words/first"])
        expected = tensors_of("batch", batch) | {"loss": loss.detach()[None]}
        # 0 where there is no word or no head.
        expected |= {"arcs": arcs.masked_fill(~real, 0.0), "labels": labels.masked_fill(~real[:, :, :, None], 0.0)}
        expected |= {f"gradient/{name}": gradient for name, gradient in grads.items()}
        losses, norms = curve(model, run, batches, 2e-3, 0.01)
        for number, train in enumerate(batches):
            expected |= tensors_of(f"train{number}", train)
        save(expected | {"curve": torch.tensor(losses), "norms": torch.tensor(norms)}, folder)


def check(folder):
    """Loads a folder, whose tensors must be the parser's and no others, and compares the logits of words and heads that
    are there. The encoder in it is what transformers finds too."""
    expected = json.loads((folder / "check.json").read_text())
    config = AutoConfig.from_pretrained(folder)
    assert config.architectures == [ARCHITECTURES[config.model_type]], config.architectures
    relations = [config.id2label[index] for index in range(config.num_labels)]
    assert relations == expected["relations"], relations
    model = Parser(config)
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
    model = model.double().eval()
    encoder, report = AutoModel.from_pretrained(folder, add_pooling_layer=False, output_loading_info=True)
    strange = {name for name in report.pop("unexpected_keys") if not name.startswith("parser.")}
    wrong = {key: value for key, value in report.items() if value}
    assert not strange and not wrong, f"transformers complains: {strange}, {wrong}"
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(tensor.double(), getattr(model, model.prefix).state_dict()[name]), name
    batch = {key: torch.tensor(expected[key]) for key in ("ids", "type_ids", "words/first", "words/last")}
    with torch.no_grad():
        arcs, labels = model({**batch, "lengths": expected["lengths"]})
    real = real_arcs(batch["words/first"])
    differences = []
    for name, values in {"arcs": arcs, "labels": labels}.items():
        theirs = torch.tensor(expected[name], dtype=torch.float64).reshape(values.shape)
        differences.append(float((values - theirs)[real].abs().max()))
        assert differences[-1] < 1e-4, f"{name} differ by {differences[-1]}"
    print(f"{config.architectures[0]}: arcs and labels differ by at most {max(differences):.2e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--check", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.tiny:
        write_tiny()
    elif arguments.check:
        check(arguments.check)
    else:
        parser.error("say --tiny or --check")


if __name__ == "__main__":
    main()
