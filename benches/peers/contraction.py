"""Plans of tensor networks by `autojit-contract` and by cotengra, in the same time each.

    cargo build --release -p autojit-contract --example plan
    pip install cotengra==0.8.3 cotengrust==0.2.1 kahypar==1.3.7 optuna==5.0.0 networkx==3.6.1
    python benches/peers/contraction.py [--seconds 10] [--only NAME] [--sliced | --largest ELEMENTS]

The networks are the six of benches/data and 20 random ones: 3-regular graphs, grids, and graphs with hyperedges and outer
labels. Prints a table for docs/contraction.md: binary logarithms of the numbers of products, computed by
`autojit-contract` for all trees, and quotients. Both searches have one thread. cotengra runs twice, with subtree
reconfiguration and with simulated annealing of each trial; the better result counts. It looks at the clock between trials
only, so it takes longer than it is given where a trial is long; the time of the better run is shown. With `--sliced`
arrays have at most a 64th of the elements of the largest array of a first, unlimited plan, but 64 are allowed; with
`--largest` as many elements as it says.
"""

import argparse
import json
import math
import pathlib
import random
import subprocess
import time
import warnings

import cotengra
import networkx

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAN = ROOT / "target/release/examples/plan"


def of_graph(graph, size=2):
    """One tensor per vertex, one label per edge."""
    labels = {}
    operands = [
        [labels.setdefault(frozenset(edge), len(labels)) for edge in graph.edges(vertex)]
        for vertex in graph.nodes
    ]
    return {"operands": operands, "output": [], "sizes": [[label, size] for label in range(len(labels))]}


def with_hyperedges(count, degree, hyperedges, outer):
    """A regular graph with labels of several sizes, further labels in 3 to 6 tensors, and outer labels."""
    draws = random.Random(count)
    network = of_graph(networkx.random_regular_graph(degree, count, seed=count))
    sizes = {label: draws.choice([2, 3, 4]) for label, _ in network["sizes"]}
    edges = len(sizes)
    for label in range(edges, edges + hyperedges):
        sizes[label] = draws.choice([2, 3])
        for tensor in draws.sample(range(count), draws.randint(3, 6)):
            network["operands"][tensor].append(label)
    network["output"] = draws.sample(range(edges + hyperedges), outer)
    network["sizes"] = [[label, size] for label, size in sizes.items()]
    return network


def of_file(path):
    """A network of benches/data."""
    instance = json.loads(path.read_text())
    subscripts = instance.get("format_string_rowmajor") or instance["format_string"]
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    sizes = {}
    for term, shape in zip(terms, instance["shapes"]):
        sizes.update(zip(map(ord, term), shape))
    return {
        "operands": [[ord(label) for label in term] for term in terms],
        "output": [ord(label) for label in output],
        "sizes": list(map(list, sizes.items())),
    }


def networks():
    for path in sorted((ROOT / "benches/data").glob("*.json")):
        yield path.stem, of_file(path)
    for count in [50, 80, 100, 150, 200, 300, 500]:
        yield f"regular_{count}", of_graph(networkx.random_regular_graph(3, count, seed=count))
    for rows, columns in [(7, 8), (10, 10), (12, 12), (10, 30), (16, 16), (20, 20), (22, 22)]:
        yield f"grid_{rows}x{columns}", of_graph(networkx.grid_2d_graph(rows, columns))
    for parameters in [(50, 3, 10, 0), (80, 3, 10, 3), (100, 3, 15, 0), (150, 3, 8, 2), (200, 3, 5, 0), (300, 2, 12, 2)]:
        yield f"hyper_{parameters[0]}", with_hyperedges(*parameters)


def plan(network, **options):
    text = json.dumps(network | options)
    return json.loads(subprocess.run([PLAN], input=text, capture_output=True, text=True, check=True).stdout)


def peer(network, seconds, largest):
    """The better of two runs of cotengra's."""
    names = {label: cotengra.get_symbol(i) for i, (label, _) in enumerate(network["sizes"])}
    labels = {name: label for label, name in names.items()}
    inputs = [[names[label] for label in operand] for operand in network["operands"]]
    output = [names[label] for label in network["output"]]
    sizes = {names[label]: size for label, size in network["sizes"]}
    best = None
    reconfigured = {"reconf_opts": {}} if largest is None else {"slicing_reconf_opts": {"target_size": largest}}
    annealed = {"simulated_annealing_opts": {}}
    if largest is not None:
        annealed |= {"slicing_opts": {"target_size": largest}, "reconf_opts": {}}
    for options in [reconfigured, annealed]:
        start = time.time()
        search = cotengra.HyperOptimizer(
            max_time=seconds, max_repeats=10**6, parallel=False, progbar=False, minimize="flops", **options
        )
        try:
            tree = search.search(inputs, output, sizes)
        except KeyError:
            # No trial was successful.
            continue
        spent = time.time() - start
        path = [list(pair) for pair in tree.get_ssa_path()]
        result = plan(network, ssa_path=path, sliced=[labels[name] for name in tree.sliced_inds])
        result["seconds"] = spent
        if best is None or result["operations"] < best["operations"]:
            best = result
    return best


def main():
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", default="")
    parser.add_argument("--sliced", action="store_true")
    parser.add_argument("--largest", type=int)
    arguments = parser.parse_args()
    seconds = arguments.seconds
    sliced = arguments.sliced or arguments.largest is not None
    if sliced:
        print("| network | unlimited | limit | ours | slices | cotengra | slices | seconds | ours / cotengra | ours / unlimited |")
        print("|---|---|---|---|---|---|---|---|---|---|")
    else:
        print("| network | first tree | ours | cotengra | seconds | ours / cotengra | ours / first | largest, ours | cotengra |")
        print("|---|---|---|---|---|---|---|---|---|")
    quotients, others = [], []
    for name, network in networks():
        if arguments.only not in name:
            continue
        if sliced:
            free = plan(network, seconds=seconds)
            limit = arguments.largest or 2 ** max(round(free["largest"]) - 6, 6)
            ours = plan(network, seconds=seconds, largest=limit)
            theirs = peer(network, seconds, limit)
            other = ours["operations"] - free["operations"]
        else:
            ours = plan(network, seconds=seconds)
            theirs = peer(network, seconds, None)
            first = plan(network, steps=1)
            other = ours["operations"] - first["operations"]
        quotient = ours["operations"] - theirs["operations"] if theirs else math.nan
        others.append(other)
        if theirs:
            quotients.append(quotient)
        theirs = theirs or {"operations": math.nan, "slices": math.nan, "seconds": math.nan, "largest": math.nan}
        if sliced:
            print(
                f"| {name} | {free['operations']:.2f} | {math.log2(limit):.0f} | {ours['operations']:.2f} | {ours['slices']:.0f} "
                f"| {theirs['operations']:.2f} | {theirs['slices']:.0f} | {theirs['seconds']:.0f} | {2**quotient:.3f} | {2**other:.2f} |",
                flush=True,
            )
        else:
            print(
                f"| {name} | {first['operations']:.2f} | {ours['operations']:.2f} | {theirs['operations']:.2f} "
                f"| {theirs['seconds']:.0f} | {2**quotient:.3f} | {2**other:.3f} | {ours['largest']:.1f} | {theirs['largest']:.1f} |",
                flush=True,
            )
    mean = [2 ** (sum(values) / len(values)) for values in [quotients, others] if values]
    print("geometric means:", ", ".join(f"{value:.3f}" for value in mean))


if __name__ == "__main__":
    main()
