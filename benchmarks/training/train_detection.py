"""Learn the weights of guard_wsgi/detection/scoring/model.json from labelled requests.

    python benchmarks/training/train_detection.py CORPUS... [--write] [--table] [--rows N]

CORPUS are JSON-lines files (or folders of them), gzipped or not, one request each, with `label`
("attack" or "benign"), `source`, `tier`, `method`, `path`, `query`, `headers`, `body`.
The benign traffic of benign_traffic.py is added to them; records whose fold is "held" are left
out. The shipped weights were learned from the attack corpora and the folds "dev" of
independent_corpus.py and of package_corpus.py.

The model is a logistic regression over the evidence of one value. It starts from the hand-set
priors and is pulled back to them, so that evidence which the corpus hardly has keeps the weight
its author gave it, and evidence that customers send as well loses it. A request is as
suspicious as its worst value; which value of an attack that is, the current weights say
(multiple-instance learning, three rounds). Every source counts by the root of its size.
A third of the attacks is learned from with sentences around the payload as well, and a third
within a document, a page or a program.
`--table` leaves out each source in turn: what the model says about data it has not seen;
`--leave-out a,b` leaves out those whose names begin so, together.
`--sufficient` keeps the weights, and writes which indicators are enough by themselves; run it
after `--write`, which leaves none.
Deterministic: no randomness anywhere.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attrs import evolve

try:
    import numpy as np
    import scipy.sparse as sparse
    from scipy.optimize import minimize
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: run pip install --group train")

sys.path.insert(0, str(Path(__file__).resolve().parent))
from benign_traffic import benign_requests
from benign_writing import written_requests
from labelled import environ_of, load

from guard_wsgi.detection.detector import Detector
from guard_wsgi.detection.finding import Finding
from guard_wsgi.detection.indicators import INDICATORS
from guard_wsgi.detection.message.body_values import body_values
from guard_wsgi.detection.message.head import head_values
from guard_wsgi.detection.message.media import BodyKind
from guard_wsgi.detection.scanning.families import builtin_scanners
from guard_wsgi.detection.scanning.prefilter import builtin_prefilter
from guard_wsgi.detection.scoring.model import SHAPES_MOST, prior_model, shipped_model
from guard_wsgi.detection.scoring.priors import FEATURE_CATEGORIES
from guard_wsgi.detection.scoring.reading import readings
from guard_wsgi.detection.scoring.sufficient import Sufficient
from guard_wsgi.detection.scoring.surroundings import Surroundings
from guard_wsgi.detection.scoring.window import windows
from guard_wsgi.detection.value import Budget, BudgetSpent, Value

MODEL = Path(__file__).resolve().parents[2] / "guard_wsgi" / "detection" / "scoring" / "model.json"

UNIT = 4.0  # log-odds a score point: a strong indicator alone moves 1.8 % to 50 %
# Log-odds of the balanced threshold: where, on sources left out of learning, one more attack found
# would cost more than one customer in a thousand.
BALANCED = -0.5
STRONG = 4.5  # log-odds of a prior of 1.0: over the threshold by itself, with the bias of -3.7
PULL_KNOWN = 4.0  # how firmly indicators are held to their priors
PULL_SHAPE = 10.0  # runs of tokens and pairs must earn their weight
HARD = 0.3  # what a benign request that is full of code counts beside an ordinary one
MIN_TEXTS = 6  # evidence seen in fewer distinct texts is not learned from
PRUNE = 0.06  # log-odds below which a shape's weight is left out of the file
MIN_SUFFICIENT = 30  # attacks, of three sources at least, before evidence is enough by itself
ALIKE = 0.97  # the share of them in which all evidence together names the same category
CONTEXTS = ("kind:", "size:", "name:", "text:")
# A sentence or a field for texts may speak for a value only so far: an attacker can write both.
BOUNDED = (
    *("name:text", "name:query", "name:secret", "name:include"),
    *("text:prose", "text:code", "text:html", "text:statement"),
    *("text:document", "text:lines", "text:source", "text:after_words", "text:before_words"),
)
MOST_EXCUSED = 1.0
# Where a value stands is no evidence by itself, only together with some.
PLACES = (*CONTEXTS, "at:", "value:")
KNOWN = frozenset(one.name for one in INDICATORS) | frozenset(FEATURE_CATEGORIES)

# Attackers put sentences around a payload: every third attack is learned from like that as well.
PADDED_EVERY = 3
PADDED = 0.5  # what such a copy counts beside the attack itself
PROSE = (
    "The parcel arrived on Monday morning and everything in it was well packed, so I am happy. ",
    "",
    "I have been using this product for about three months now; my brother has got one too. ",
    "Could you tell us whether the blue one will be back in stock before the holidays? ",
    "",
    "We stayed four nights. The room was clean, the staff were friendly and it's close to town. ",
    " When I open the page it only shows a spinner and nothing else happens for a long time.",
)

# Or a document, a page or a program: what these excuse must not be what an attack needs.
FRAMES = (
    ("# Steps that you should follow\n\nFirst do this:\n\n```sh\n", "\n```\n\nThat is all.\n"),
    (
        "import os\n\ndef main(argv):\n    for item in argv:\n        print(item)\n\n",
        "\n\nif __name__ == '__main__':\n    main([])\n",
    ),
    ("<p>Hello team,</p><p>the <b>new</b> page:</p><div><span>", "</span></div><p>Bye</p>"),
    ("When I use `npm start` it says `", "` and then it stops. What should I do?"),
    (
        "## How to\n\nwhat you have to do is:\n\n```python\nimport os\n\ndef main(argv):\n"
        "    return len(argv)\n\n",
        "\n\ndef other(argv):\n    return main(argv)\n```\n\nthanks for your help",
    ),
    ("Please have a look at this, because we can't find it:\n\n    ", "\n\nIt is in the log."),
)

CATEGORY_OF_LABEL = {
    "java": "code_injection",
    "rce": "cmd_injection",
    "php": "code_injection",
    "lfi": "dir_traversal",
    "traversal": "path_traversal",
    "traversal-exotic": "path_traversal",
    "lfi-obscure-path": "dir_traversal",
    "ssti": "template",
    "redirect": "open_redirect",
    "xxe": "xml",
    "xslt": "xml",
    "crlf": "http_split",
    "nodejs": "code_injection",
    "nodejs-dos": "code_injection",
    "rfi": "file_inclusion",
    "proto-pollution": "proto_pollution",
    "generic": "template",
    "php-dos": "file_inclusion",
    "session-fixation": "code_injection",
    "http-protocol-attack": "http_split",
    "ruby": "code_injection",
}


def values_of(environ: dict[str, Any]) -> list[Value]:
    """What a request is taken apart into."""
    budget = Budget(10**9, 10**9)
    values = list(head_values(environ, budget))
    body = environ["wsgi.input"].read()
    if body:
        kind = BodyKind.of(environ.get("CONTENT_TYPE", ""))
        with contextlib.suppress(BudgetSpent):
            values += body_values(body, kind, True, 100, budget)
    return values


def evidence_of(
    environ: dict[str, Any], before: str = "", after: str = ""
) -> Iterator[frozenset[str]]:
    """The evidence of every window of every value, a text put before and after each."""
    scanners, hits = builtin_scanners("auto"), builtin_prefilter("auto").hits
    for value in values_of(environ):
        if before or after:
            if value.kind or not value.text:
                continue
            value = evolve(value, text=before + value.text + after)
        around = Surroundings(value)
        for window in windows(value.text, hits):
            for reading in readings(scanners, value, window, around):
                reading.add_all()
                features = frozenset(reading.features)
                if features & KNOWN:
                    yield features


class Data:
    """Every distinct set of evidence as a row; every request as a list of rows."""

    def __init__(self, records: Iterable[dict[str, Any]]) -> None:
        self.names: dict[frozenset[str], int] = {}
        self.requests: list[list[int]] = []
        self.sources: list[str] = []
        self.attack: list[bool] = []
        self.core: list[bool] = []
        self.labels: list[str] = []
        self.padded: list[bool] = []
        for number, record in enumerate(records):
            self._add(record, evidence_of(environ_of(record)), padded=False)
            if record["label"] == "attack" and number % PADDED_EVERY == 0:
                before = PROSE[number // PADDED_EVERY % len(PROSE)]
                after = PROSE[number // PADDED_EVERY * 5 % len(PROSE)]
                if before or after:
                    padded = evidence_of(environ_of(record), before, after)
                    self._add(record, padded, padded=True)
            if record["label"] == "attack" and number % PADDED_EVERY == 1:
                before, after = FRAMES[number // PADDED_EVERY % len(FRAMES)]
                framed = evidence_of(environ_of(record), before, after)
                self._add(record, framed, padded=True)
        self.source_size = Counter(self.sources)
        # The attacks of one corpus count as one source, however finely it names them.
        self.groups = [
            name.partition("-")[0] if attack else name
            for name, attack in zip(self.sources, self.attack, strict=True)
        ]
        self.group_size = Counter(self.groups)
        self._build()

    def _add(
        self, record: dict[str, Any], evidence: Iterable[frozenset[str]], padded: bool
    ) -> None:
        rows = {self.names.setdefault(e, len(self.names)) for e in evidence}
        self.requests.append(sorted(rows))
        self.sources.append(record["source"])
        self.attack.append(record["label"] == "attack")
        self.core.append(record.get("tier", "core") == "core")
        self.labels.append(record.get("category", ""))
        self.padded.append(padded)

    def _build(self) -> None:
        prior = prior_model()
        rows = list(self.names)
        count: Counter[str] = Counter()
        for row in rows:
            count.update(row)
        indicators = KNOWN
        pairs: Counter[str] = Counter()
        for row in rows:
            contexts = [name for name in row if name.startswith(CONTEXTS)]
            for name in row & indicators:
                pairs.update(f"{name} & {context}" for context in contexts)
        known = sorted(indicators)
        learned = sorted(
            name
            for name, texts in count.items()
            if texts >= MIN_TEXTS and name not in indicators and not name.startswith(PLACES)
        )
        hand_pairs = {f"{a} & {b}" for a, bs in prior.pairs.items() for b, _ in bs}
        paired = sorted({p for p, c in pairs.items() if c >= 3 * MIN_TEXTS} | hand_pairs)
        self.columns = [*known, *learned, *paired]
        index = {name: position for position, name in enumerate(self.columns)}
        pointer, positions = [0], []
        for row in rows:
            positions += [index[name] for name in row if name in index]
            contexts = [name for name in row if name.startswith(CONTEXTS)]
            for name in row & indicators:
                positions += [index[p] for c in contexts if (p := f"{name} & {c}") in index]
            pointer.append(len(positions))
        shape = (len(rows), len(self.columns))
        self.matrix = sparse.csr_matrix((np.ones(len(positions)), positions, pointer), shape=shape)
        hand = dict(prior.weights) | {
            f"{a} & {b}": w for a, bs in prior.pairs.items() for b, w in bs
        }
        self.prior = np.array([STRONG * hand.get(name, 0.0) for name in self.columns])
        self.pull = np.array([PULL_KNOWN if n in indicators else PULL_SHAPE for n in self.columns])
        self.lower = np.array(
            [
                0.0 if n in indicators else -MOST_EXCUSED if n.endswith(BOUNDED) else -np.inf
                for n in self.columns
            ]
        )
        self.row_sets = rows
        shape = np.array([name.startswith("t:") for name in self.columns])
        self.shapes = self.matrix @ sparse.diags(shape.astype(float))
        self.others = self.matrix - self.shapes

    def score(self, weights: np.ndarray, bias: float) -> np.ndarray:
        """The log-odds of each row, as the model adds them up."""
        return self.others @ weights + np.minimum(self.shapes @ weights, SHAPES_MOST) + bias


def worst(data: Data, score: np.ndarray) -> np.ndarray:
    """The score of each request: that of its worst value."""
    return np.array([max((score[row] for row in rows), default=-99.0) for rows in data.requests])


def fit(data: Data, train: list[bool], rounds: int = 2) -> tuple[np.ndarray, float]:
    """Weights (log-odds) and bias, from the requests marked in `train`."""
    benign: dict[int, float] = defaultdict(float)
    attacks = []
    for request, rows in enumerate(data.requests):
        if not train[request]:
            continue
        if data.attack[request]:
            attacks.append(request)
        else:
            trust = 1.0 if data.core[request] else HARD
            for row in rows:
                benign[row] += trust / math.sqrt(data.group_size[data.groups[request]])
    negative = sorted(benign)
    cap = 4 * float(np.median(list(benign.values())))
    negative_weight = np.array([min(benign[row], cap) for row in negative])
    weights, bias = data.prior.copy(), -UNIT
    for _ in range(rounds):
        score = data.score(weights, bias)
        positive: dict[int, float] = defaultdict(float)
        for request in attacks:
            rows = [row for row in data.requests[request] if row not in benign] or data.requests[
                request
            ]
            if not rows:
                continue
            row = max(rows, key=lambda one: score[one])
            # An attack without any evidence is a mislabelled record or something to write an
            # indicator for; it must not teach that its surroundings are hostile.
            trust = 1.0 if score[row] > -UNIT * 0.7 else 0.15
            trust *= PADDED if data.padded[request] else 1.0
            positive[row] += trust / math.sqrt(data.group_size[data.groups[request]])
        chosen = sorted(positive)
        cap = 4 * float(np.median(list(positive.values())))
        positive_weight = np.array([min(positive[row], cap) for row in chosen])
        weights, bias = _logistic(
            data, chosen, positive_weight, negative, negative_weight, weights, bias
        )
    return weights, bias


def _logistic(
    data: Data,
    positive: list[int],
    positive_weight: np.ndarray,
    negative: list[int],
    negative_weight: np.ndarray,
    start: np.ndarray,
    bias: float,
) -> tuple[np.ndarray, float]:
    matrix = data.matrix[positive + negative]
    sign = np.r_[np.ones(len(positive)), -np.ones(len(negative))]
    total = 10_000.0
    mass = np.r_[
        positive_weight * (total / positive_weight.sum()),
        negative_weight * (total / negative_weight.sum()),
    ]
    prior, pull, transposed = data.prior, data.pull, matrix.T.tocsr()

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (matrix @ point[:-1] + point[-1])
        value = float(mass @ np.logaddexp(0, -margin))
        slope = -mass * sign / (1 + np.exp(np.clip(margin, -50, 50)))
        away = point[:-1] - prior
        value += float(0.5 * pull @ (away * away)) + 50.0 * (point[-1] + UNIT) ** 2
        gradient = np.r_[transposed @ slope + pull * away, slope.sum() + 100.0 * (point[-1] + UNIT)]
        return value, gradient

    bounds = [(low, None) for low in data.lower] + [(None, None)]
    found = minimize(
        loss,
        np.r_[start, bias],
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 150},
    )
    return found.x[:-1], float(found.x[-1])


def table(data: Data) -> None:
    """Leave one source out: rates on the source that was not learned from."""
    marks = (1.6, 1.25, 1.0, 0.8, 0.6)
    print(
        f"{'left out':28s} {'kind':7s} {'tier':5s} {'n':>6s}  blocked % at score "
        + " ".join(f"{m:5.2f}" for m in marks)
    )
    sums: dict[str, list[np.ndarray]] = defaultdict(list)
    for source in sorted(data.source_size):
        train = [name != source for name in data.sources]
        weights, bias = fit(data, train)
        score = 1 + (worst(data, data.score(weights, bias)) - BALANCED) / UNIT
        for core in (True, False):
            rows = [
                i
                for i, name in enumerate(data.sources)
                if name == source and data.core[i] == core and not data.padded[i]
            ]
            if not rows:
                continue
            kind = "attack" if data.attack[rows[0]] else "benign"
            tier = "core" if core else "hard"
            rates = np.array([100 * np.mean(score[rows] >= mark) for mark in marks])
            sums[f"{kind} {tier}"].append(np.array([len(rows), *(len(rows) * rates)]))
            print(
                f"{source:28s} {kind:7s} {tier:5s} {len(rows):6d}  {'':18s}"
                + " ".join(f"{r:5.1f}" for r in rates),
                flush=True,
            )
    for name, parts in sorted(sums.items()):
        whole = np.sum(parts, axis=0)
        print(
            f"{'all ' + name:42s} {int(whole[0]):6d}  {'':18s}"
            + " ".join(f"{v / whole[0]:5.2f}" for v in whole[1:])
        )


def leave_out(data: Data, prefixes: tuple[str, ...]) -> None:
    """Leave out all sources whose names begin so, together: rates on them."""
    is_out = [name.startswith(prefixes) for name in data.sources]
    weights, bias = fit(data, [not out for out in is_out])
    score = 1 + (worst(data, data.score(weights, bias)) - BALANCED) / UNIT
    for attack in (True, False):
        for core in (True, False):
            rows = [
                i
                for i, out in enumerate(is_out)
                if out and data.attack[i] is attack and data.core[i] is core and not data.padded[i]
            ]
            if rows:
                kind, tier = "attack" if attack else "benign", "core" if core else "hard"
                rate = 100 * np.mean(score[rows] >= 1)
                print(f"{'+'.join(prefixes):40s} {kind} {tier} {len(rows):6d} {rate:6.2f} %")


def to_file(data: Data, weights: np.ndarray, bias: float) -> dict[str, Any]:
    """The model as package data; a learned shape is filed under the category it goes with."""
    known = {one.name: one.category for one in INDICATORS} | FEATURE_CATEGORIES
    score = data.score(weights, bias)
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for request, rows in enumerate(data.requests):
        if data.attack[request] and rows:
            row = max(rows, key=lambda one: score[one])
            label = data.labels[request]
            for name in data.row_sets[row]:
                if name not in known:
                    seen[name][CATEGORY_OF_LABEL.get(label, label)] += 1
    filed: dict[str, dict[str, float]] = defaultdict(dict)
    pairs: dict[str, float] = {}
    for name, weight in zip(data.columns, weights, strict=True):
        if " & " in name:
            if abs(weight) >= PRUNE:
                pairs[name] = round(float(weight), 3)
            continue
        if name in known:
            filed[""][name] = round(float(weight), 3)
            continue
        if abs(weight) < PRUNE:
            continue
        best = seen[name].most_common(1)
        is_context = name.startswith((*CONTEXTS, "at:", "value:"))
        category = best[0][0] if best and weight > 0 and not is_context else ""
        filed[category][name] = round(float(weight), 3)
    return {
        "bias": round(bias, 4),
        "balanced": BALANCED,
        "shapes_most": SHAPES_MOST,
        "sufficient": [],
        "unit": UNIT,
        "weights": {c: dict(sorted(w.items())) for c, w in sorted(filed.items())},
        "pairs": dict(sorted(pairs.items())),
    }


def sufficient(records: Iterable[dict[str, Any]]) -> list[str]:
    """The indicators that are enough by themselves, by the weights that are shipped: over the
    threshold alone, seen in many attacks of the category they name, and in no plain value that
    the detector lets pass. Of these, each that adds a hundredth to what they find together, as
    each costs time."""
    model = shipped_model()
    inspection = Detector(model=evolve(model, sufficient=())).compile()
    every = Sufficient(model, "auto", [one.name for one in INDICATORS])
    sources: dict[int, set[str]] = defaultdict(set)
    passed: set[int] = set()
    known: dict[Value, Finding | None] = {}
    attacks: dict[str, list[int]] = {}
    alike: Counter[int] = Counter()
    for record in records:
        for value in values_of(environ_of(record)):
            if value.location not in ("query", "form") or value.kind or value.flags:
                continue
            hits, _ = every.in_text(value.text.encode("utf-8", "surrogatepass"))
            if not hits:
                continue
            if value not in known:
                known[value] = inspection._scorer.finding(value, Budget(10**9, 10**9))
            whole = known[value]
            if whole is None:
                passed.update(hits)
            elif record["label"] == "attack":
                if value.text not in attacks:
                    alike.update(i for i in hits if INDICATORS[i].category == whole.category)
                attacks[value.text] = hits
                for index in hits:
                    sources[index].add(record["source"])
    count = Counter(index for hits in attacks.values() for index in hits)
    able = {
        index
        for index, one in enumerate(INDICATORS)
        if index not in passed
        and model.weigh((one.name,)).score >= 1.0
        and count[index] >= MIN_SUFFICIENT
        and alike[index] >= ALIKE * count[index]
        and len(sources[index]) >= 3
    }
    chosen: list[int] = []
    left = list(attacks.values())
    found = sum(1 for hits in left if not able.isdisjoint(hits))
    while left:
        added = Counter(index for hits in left for index in hits if index in able)
        best, size = max(added.items(), key=lambda item: (item[1], -item[0]))
        if size * 100 < found:
            break
        chosen.append(best)
        left = [hits for hits in left if best not in hits]
    print(f"{len(able)} are sufficient; {len(chosen)} find {len(attacks) - len(left)} of {found}")
    return sorted(INDICATORS[index].name for index in chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--table", action="store_true", help="print the leave-one-source-out table")
    parser.add_argument(
        "--leave-out", action="append", default=[], help="sources, together: a,b (may be repeated)"
    )
    parser.add_argument("--write", action="store_true", help="write the model into the package")
    parser.add_argument("--sufficient", action="store_true", help="write that list alone")
    parser.add_argument("--benign-rows", type=int, default=400, help="generated requests a family")
    arguments = parser.parse_args()
    records = [
        *load(arguments.corpus),
        *benign_requests(arguments.benign_rows),
        *written_requests(arguments.benign_rows),
    ]
    if arguments.sufficient:
        model = json.loads(MODEL.read_text(encoding="utf-8"))
        write(model | {"sufficient": sufficient(records)})
        return
    data = Data(records)
    print(
        f"{len(records)} requests, {len(data.names)} distinct sets of evidence, "
        f"{len(data.columns)} weights"
    )
    if arguments.table:
        table(data)
    for names in arguments.leave_out:
        leave_out(data, tuple(names.split(",")))
    if arguments.write:
        weights, bias = fit(data, [True] * len(data.requests))
        score = 1 + (worst(data, data.score(weights, bias)) - BALANCED) / UNIT
        for attack in (True, False):
            rows = [i for i, one in enumerate(data.attack) if one is attack and not data.padded[i]]
            print(
                f"fitted: {'attack' if attack else 'benign'} over 1.0: "
                f"{100 * np.mean(score[rows] >= 1):.2f} %"
            )
        write(to_file(data, weights, bias))
        print("now run --sufficient: the weights have changed")


def write(model: dict[str, Any]) -> None:
    MODEL.write_text(json.dumps(model, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    print(
        f"{MODEL}: {MODEL.stat().st_size} bytes, {len(model['sufficient'])} sufficient indicators"
    )


if __name__ == "__main__":
    main()
