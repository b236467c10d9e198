"""The command line, and the order of things: setup by setup, round by round, case by case, contestant by contestant."""

import argparse
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from . import report
from .cases import CASES, CONTESTANTS, SETUPS
from .measure import Measurement
from .memory import Filler
from .servers import HOME, SERVERS, Unable, certificate


def arguments(argv):
    parser = argparse.ArgumentParser(prog="bench/peers/run", description="Spillway and its peers with the same work, in turns, on this machine.",
                                     epilog="All filters are regular expressions that must match a whole name.")
    parser.add_argument("--quick", action="store_true", help="one round of 1 s, of the most telling cases unless --cases says otherwise: whether it works, not how fast anything is")
    parser.add_argument("--peers", default=".*", help="contestants: " + ", ".join(each.name for each in CONTESTANTS))
    parser.add_argument("--cases", help="cases: " + ", ".join(each.name for each in CASES))
    parser.add_argument("--setups", default=".*", help="setups: " + ", ".join(each.name for each in SETUPS))
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count (3), after one that warms the servers up")
    parser.add_argument("--seconds", type=float, default=5, help="how long each load is measured (5)")
    parser.add_argument("--warm-up", type=float, default=3, help="seconds of each load before that, which do not count (3): clients for Java compile")
    parser.add_argument("--records", type=int, default=1_000_000, help="records of a backlog (1,000,000)")
    parser.add_argument("--fill-memory", action="store_true", help="keep the page cache full, as on a machine that has run for a while; for virtual machines that give free memory back to their host")
    parser.add_argument("--out", help="directory of the results (build/bench/peers/TIME)")
    parser.add_argument("--report", action="append", metavar="DIR", help="measure nothing; one report of the runs in these directories, such as one for each setup")
    parser.add_argument("--list", action="store_true", help="say what would be measured, and how long it takes at least")
    chosen = parser.parse_args(argv)
    if chosen.rounds < 1 or chosen.seconds <= 0 or chosen.records < 1:
        parser.error("--rounds, --seconds and --records must be above 0")
    return chosen


class Run:
    def __init__(self, chosen):
        self.rounds = 1 if chosen.quick else chosen.rounds
        self.first_round = 1 if chosen.quick else 0  # round 0 warms the servers up
        self.seconds = min(1, chosen.seconds) if chosen.quick else chosen.seconds
        self.warm_up = min(1, chosen.warm_up) if chosen.quick else chosen.warm_up
        self.records = min(100_000, chosen.records) if chosen.quick else chosen.records
        self.contestants = [each for each in CONTESTANTS if re.fullmatch(chosen.peers, each.name)]
        self.setups = [each for each in SETUPS if re.fullmatch(chosen.setups, each.name)]
        self.cases = [each for each in CASES if (re.fullmatch(chosen.cases, each.name) if chosen.cases else each.quick or not chosen.quick)]
        self.fills_memory = chosen.fill_memory
        self.filler = None
        self.measurements = []
        self.failures = {}
        self.begun = time.time()
        self.out = Path(chosen.out) if chosen.out else HOME / "build/bench/peers" / time.strftime("%Y%m%d-%H%M%S")

    def read(self, directories):
        """The measurements of runs that are over."""
        for directory in directories:
            results = json.loads((Path(directory) / "results.json").read_text())
            self.begun, self.rounds, self.seconds, self.warm_up = (results[each] for each in ("begun", "rounds", "seconds", "warm_up"))
            self.fills_memory = results.get("fills_memory", False)
            self.measurements += results["measurements"]
        measured = {each[name] for each in self.measurements for name in ("setup", "case", "contestant")}
        self.setups, self.cases, self.contestants = ([each for each in chosen if each.name in measured]
                                                     for chosen in (self.setups, self.cases, self.contestants))

    def cases_of(self, setup):
        return [case for case in self.cases if setup.name in case.setups]

    def contestants_of(self, setup):
        return [each for each in self.contestants if each.setups is None or setup.name in each.setups]

    def plan(self):
        for setup in self.setups:
            cases, contestants = self.cases_of(setup), self.contestants_of(setup)
            pairs = sum(not each.loads or case.load in each.loads for case in cases for each in contestants)
            loads = pairs * (self.rounds + 1 - self.first_round)
            minutes = loads * (self.seconds + self.warm_up + 1.5) / 60
            print(f"{setup.name}: {len(cases)} cases, {len(contestants)} contestants, at least {minutes:.0f} min: "
                  + ", ".join(case.name for case in cases))

    def setup(self, setup, work):
        """All servers of the setup run while its cases go round; those that are not measured are idle."""
        cases, contestants = self.cases_of(setup), self.contestants_of(setup)
        if not cases:
            return
        keys = certificate(work / "certificate") if setup.tls else None
        servers = {}
        try:
            for name in dict.fromkeys(each.server for each in contestants if each.server):
                self.start(name, setup, work, keys, servers)
            for number in range(self.first_round, self.rounds + 1):
                for index, case in enumerate(cases):
                    turn = (number + index) % len(contestants)  # nobody is always first
                    for contestant in contestants[turn:] + contestants[:turn]:
                        self.one(setup, case, contestant, number, servers, work)
        finally:
            for server in servers.values():
                server.stop()
            self.keep_logs(setup, work)
            shutil.rmtree(work / setup.name, ignore_errors=True)

    def keep_logs(self, setup, work):
        """The ends of what the servers have said."""
        for log in sorted((work / setup.name).glob("*/*.log")):
            kept = self.out / "logs" / f"{setup.name}-{log.parent.name}-{log.name}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(log.read_bytes()[-200_000:])

    def start(self, name, setup, work, keys, servers):
        say(f"{setup.name}: starting {name}")
        directory = work / setup.name / name
        directory.mkdir(parents=True)
        try:
            server = SERVERS[name](directory, setup, keys)
            servers[name] = server  # from here on it is stopped
            server.start()
            server.ready()
        except Unable as reason:
            servers.pop(name).stop()
            self.note_server(name, setup, {"unable": str(reason)})
        except Exception as problem:  # of one peer: the others are measured all the same
            tail = "\n".join(line for log in sorted(directory.glob("*.log")) for line in log.read_text(errors="replace").splitlines()[-15:])
            say(f"{setup.name}: {name} does not start: {problem}\n{tail}")
            if name in servers:
                servers.pop(name).stop()
            self.note_server(name, setup, {"failed": f"it does not start: {problem}"})

    def note_server(self, name, setup, what):
        for case in self.cases_of(setup):
            for contestant in self.contestants_of(setup):
                if contestant.server == name and (not contestant.loads or case.load in contestant.loads):
                    self.failures[setup.name, case.name, contestant.name] = 9
                    self.measurements.append({"setup": setup.name, "case": case.name, "contestant": contestant.name, "round": 0, **what})

    def one(self, setup, case, contestant, number, servers, work):
        key = setup.name, case.name, contestant.name
        if contestant.loads and case.load not in contestant.loads:
            return
        if self.failures.get(key, 0) > 1 or contestant.server and contestant.server not in servers:
            return
        measurement = Measurement(self, setup, case, contestant, work)
        outcome = measurement.start_up() if case.load == "first" else measurement.load(servers)
        if "unable" in outcome:
            self.failures[key] = 9
        elif "failed" in outcome:
            self.failures[key] = self.failures.get(key, 0) + 1
        if number > 0 or "unable" in outcome or "failed" in outcome:
            self.measurements.append({"setup": setup.name, "case": case.name, "contestant": contestant.name, "round": number, **outcome})
        say(f"{setup.name}, round {number}: {case.name}, {contestant.name}: {report.line(case, outcome)}")


def say(text):
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)


def interrupted(number, _frame):
    raise SystemExit(128 + number)


def main(argv):
    chosen = arguments(argv)
    run = Run(chosen)
    if chosen.list:
        run.plan()
        return 0
    if chosen.report:
        for directory in chosen.report:
            if not (Path(directory) / "results.json").exists():
                print(f"error: BENCH: {directory} has no results.json; cause: no run has ended there; next: name the directory that a run printed last",
                      file=sys.stderr)
                return 1
        run.read(chosen.report)
        run.out.mkdir(parents=True, exist_ok=True)
        report.write(run)
        print(run.out)
        return 0
    if not (HOME / "build/peers/bin/load").exists():
        print("error: BENCH: there are no peers; cause: they were not installed; next: make bench-peers, or bench/peers/install", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, interrupted)
    run.out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="spillway-peers.", dir=os.environ.get("TMPDIR")))
    work.chmod(0o755)
    try:
        if run.fills_memory:
            run.filler = Filler(work / "filler")
        for setup in run.setups:
            run.setup(setup, work)
            report.write(run)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        report.write(run)
    print((run.out / "tables.md").read_text())
    print(run.out)
    return 0
