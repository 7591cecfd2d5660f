# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the ONNX backend tests through `cim-compile --target=host` and cim-run.

    CIM_BUILD_DIR=build/release python test/Integration/onnx_conformance.py [-k PATTERN] [-v]

prints what disagrees with onnx_expected_failures.txt, and the share of tests that pass per family. PATTERN selects tests
(test_softmax*) or the tests of an operator (@Softmax); it may be given several times. -v prints the diagnostic of every
expected failure, too.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import fnmatch
import functools
import os
import pathlib
import subprocess
import sys
import tempfile

import onnx

import onnx_cases
import tools

LIST = pathlib.Path(__file__).with_name("onnx_expected_failures.txt")
BATCH_TESTS, BATCH_NODES = 40, 800  # of one compiled network, at most


# ---------------------------------------------------------------------------------------------------------------------
# The list
# ---------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Entry:
    pattern: str
    reason: str
    wrong_result: bool  # it compiles, and computes something else

    def matches(self, case):
        return _matches(self.pattern, case)


def _matches(pattern, case):
    if pattern.startswith("@"):
        return pattern[1:] == case.family
    return fnmatch.fnmatchcase(case.name, pattern)


@functools.lru_cache(maxsize=1)
def entries():
    found = []
    for line in LIST.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition(" ")
            reason = reason.strip()
            assert reason, f"{LIST.name}: '{pattern}' has no reason"
            found.append(Entry(pattern, reason, reason.startswith("wrong-result")))
    return found


def entry_of(case):
    """The first line that matches; None when the test is to pass."""
    return next((entry for entry in entries() if entry.matches(case)), None)


def shares(kinds=("node",)):
    """{family: (tests expected to pass, all)}; what test_onnx_conformance.py holds the list to."""
    counted = collections.defaultdict(lambda: [0, 0])
    for case in onnx_cases.collect()[0].values():
        if case.kind in kinds:
            counted[case.family][0] += entry_of(case) is None
            counted[case.family][1] += 1
    return {family: tuple(pair) for family, pair in sorted(counted.items())}


# ---------------------------------------------------------------------------------------------------------------------
# Running
# ---------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Outcome:
    status: str  # passes, refused (properly, by the compiler), wrong (values), broken (anything else)
    text: str = ""


def _compile(model, folder):
    onnx.save(model, folder / "model.onnx")
    return tools.invoke("cim-compile", folder / "model.onnx", "-o", folder / "model.so", "--target=host", "--quiet")


def _refusal(result, folder):
    try:
        return Outcome("refused", tools.check_refused(result, folder / "model.so"))
    except AssertionError as problem:
        return Outcome("broken", f"cim-compile: {problem}")


def _run(cases, networks):
    """[Outcome], or None when a batch needs to be taken apart."""
    merged = onnx_cases.Merged(networks)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            result = _compile(merged.model, folder)
            if result.returncode != 0:
                return [_refusal(result, folder)] if len(cases) == 1 else None
            names = [output for part in merged.parts for output in part]
            found = tools.run_model(folder / "model.so", merged.inputs, folder, "--threads=1", outputs=names)
        except (tools.ToolError, subprocess.TimeoutExpired) as problem:
            return [Outcome("broken", str(problem))] if len(cases) == 1 else None
    outcomes = []
    for case, part in zip(cases, merged.parts):
        problems = (onnx_cases.disagreement(case, found[output], expected) for output, expected in part.items())
        problem = next(filter(None, problems), None)
        outcomes.append(Outcome("wrong", problem) if problem else Outcome("passes"))
    return outcomes


def disagreements(cases, folder):
    """{"case output": problem} of cases that must work, run side by side as one network."""
    merged = onnx_cases.Merged([onnx_cases.Network(case) for case in cases])
    onnx.save(merged.model, folder / "model.onnx")
    tools.compile_model(folder / "model.onnx", folder / "model.so", "--target=host")
    names = [name for part in merged.parts for name in part]
    found = tools.run_model(folder / "model.so", merged.inputs, folder, outputs=names)
    problems = {
        f"{case.name} {name}": onnx_cases.disagreement(case, found[name], expected)
        for case, part in zip(cases, merged.parts)
        for name, expected in part.items()
    }
    return {where: problem for where, problem in problems.items() if problem}


def _run_batch(batch):
    """{name: Outcome}; a batch that fails is halved until the tests that fail are alone."""
    outcomes = _run([case for case, _ in batch], [network for _, network in batch])
    if outcomes is not None:
        return {case.name: outcome for (case, _), outcome in zip(batch, outcomes)}
    half = len(batch) // 2
    return _run_batch(batch[:half]) | _run_batch(batch[half:])


def _batches(cases):
    """Tests of the same opsets together, those that are expected to fail alone."""
    groups = collections.defaultdict(list)
    for case in cases:
        try:
            network = onnx_cases.Network(case)
        except Exception as problem:  # ONNX's converter has its own limits
            yield case, f"{type(problem).__name__}: {problem}"
            continue
        if entry_of(case):
            yield [(case, network)], None
            continue
        group = groups[network.opsets]
        nodes = sum(len(n.model.graph.node) for _, n in group) + len(network.model.graph.node)
        if len(group) == BATCH_TESTS or (group and nodes > BATCH_NODES):
            yield groups.pop(network.opsets), None
        groups[network.opsets].append((case, network))
    for group in groups.values():
        yield group, None


def run(cases):
    """{name: Outcome} of the cases, as many networks at a time as there are processors."""
    outcomes = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        running = []
        for batch, problem in _batches(cases):
            if problem:
                outcomes[batch.name] = Outcome("broken", problem)
            else:
                running.append(pool.submit(_run_batch, batch))
        for future in running:
            outcomes |= future.result()
    return outcomes


def complaint(case, outcome):
    """What is wrong about the outcome, given the list; None when all is as it says."""
    entry = entry_of(case)
    if entry is None:
        return None if outcome.status == "passes" else f"{outcome.status}: {outcome.text}"
    if outcome.status == "passes":
        return f"passes; remove it from {LIST.name}, which says: {entry.reason}"
    if outcome.status == ("wrong" if entry.wrong_result else "refused"):
        return None
    return f"{outcome.status}, which '{entry.reason}' in {LIST.name} does not say: {outcome.text}"


# ---------------------------------------------------------------------------------------------------------------------
# The command
# ---------------------------------------------------------------------------------------------------------------------


def table(cases, outcomes):
    """Lines: share per family and kind."""
    rows = collections.defaultdict(lambda: [0, 0])
    for case in cases:
        for key in [(1, case.kind), *([(0, case.family)] if case.kind == "node" else [])]:
            rows[key][0] += outcomes[case.name].status == "passes"
            rows[key][1] += 1
    yield from (f"{passed:5} / {total:4}  {name}" for (_, name), (passed, total) in sorted(rows.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", action="append", default=[], metavar="PATTERN", help="tests (test_add*) or operator (@Add)")
    parser.add_argument("-v", action="store_true", help="print expected failures with their diagnostics")
    options = parser.parse_args()
    cases, left_out = onnx_cases.collect()
    chosen = [c for c in cases.values() if not options.k or any(_matches(p, c) for p in options.k)]
    outcomes = run(chosen)
    bad = 0
    for case in sorted(chosen, key=lambda c: (c.family, c.name)):
        outcome = outcomes[case.name]
        problem = complaint(case, outcome)
        bad += problem is not None
        if problem:
            print(f"{case.name}: {problem}")
        elif options.v and outcome.status != "passes":
            print(f"{case.name}: {outcome.status}, as expected: {outcome.text}")
    print("\n".join(table(chosen, outcomes)))
    if not options.k:
        for name, what, _ in onnx_cases.EXCLUDED:
            print(f"left out: {left_out[name]} of family {name} ({what})")
    print(f"{bad} of {len(chosen)} tests disagree with {LIST.name}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
