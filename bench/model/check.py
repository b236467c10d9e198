"""The model beside real brokers: a load, what they have done for it by /proc and their metrics, and what the model says of that load."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from model import Load, node

HOME = Path(__file__).resolve().parents[2]
LOAD = HOME / "build/bench/go"
TICKS = os.sysconf("SC_CLK_TCK")
SECONDS = 10
FACTOR = 2  # a figure that is further off fails the check
READY_S = 60


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class Broker:
    def __init__(self, work, number, seed):
        self.name = f"n{number}"
        self.wire, self.http, self.cluster = (f"127.0.0.1:{free_port()}" for _ in range(3))
        command = [HOME / "bin/spillway", "serve", "--data-dir", work / self.name, "--listen", self.wire, "--http", self.http]
        if seed is not None:
            command += ["--node-id", self.name, "--zone", f"z{number}", "--cluster-listen", self.cluster] + (["--seed", seed] if seed else [])
        with open(work / f"{self.name}.log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=5) as answer:
            lines = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", answer.read().decode(), re.MULTILINE)
        return sum(float(each) for each in lines)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.http}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def cluster_view(self):
        with urllib.request.urlopen(f"http://{self.http}/cluster", timeout=5) as answer:
            return answer.read().decode()

    def leads(self):
        return f'"leader":"{self.name}"' in self.cluster_view()

    def seen(self):
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        written = re.search(r"^write_bytes: (\d+)", Path(f"/proc/{self.process.pid}/io").read_text(), re.MULTILINE).group(1)
        return {"cpu": (int(stat[11]) + int(stat[12])) / TICKS, "disk": int(written), "syncs": self.metric("spillway_log_syncs_total")}


def loopback_bytes():
    for line in Path("/proc/net/dev").read_text().splitlines():
        if line.strip().startswith("lo:"):
            return int(line.split()[1])
    raise OSError("there is no loopback interface")


def until(holds, what):
    end = time.monotonic() + READY_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {READY_S} s: {what}")
        time.sleep(0.1)


def measured(brokers, arguments, endpoints):
    """What each broker has done for one load, and all of them have sent; of a second of it."""
    before, sent, begun = [each.seen() for each in brokers], loopback_bytes(), time.monotonic()
    said = subprocess.run([LOAD, *arguments, "--endpoint", endpoints], check=True, capture_output=True, text=True, timeout=120).stdout
    wall = time.monotonic() - begun
    after = [each.seen() for each in brokers]
    return json.loads(said)["records"] / wall, (loopback_bytes() - sent) / wall, [{name: (b[name] - a[name]) / wall for name in a} for a, b in zip(before, after)]


def compare(nodes, work):
    """Lines of the table, and whether all of them are near."""
    brokers = []
    near = True
    try:
        for number in range(1, nodes + 1):
            brokers.append(Broker(work, f"{nodes}{number}", None if nodes == 1 else brokers[0].cluster if brokers else ""))
        for each in brokers:
            until(each.is_ready, "every broker is ready")
        if nodes > 1:
            until(lambda: brokers[0].cluster_view().count('"role":"VOTER"') == nodes, "all of them vote")
        endpoints = brokers[0].wire  # clients learn of the others
        for topic in ("full", "single"):
            subprocess.run([HOME / "bin/spillway", "topic", "create", topic, "--durability", "synced", "--endpoint", endpoints], check=True,
                           stdout=subprocess.DEVNULL, timeout=60)
        for topic, batch, arguments in (("full", 0, ["produce", "--topic", "full", "--seconds", SECONDS]),
                                        ("single", 1, ["latency", "--topic", "single", "--rate", 500, "--seconds", SECONDS, "--group", "g"])):
            arguments = [str(each) for each in (*arguments, "--size", 1024)]
            measured(brokers, arguments, endpoints)  # the compilers work
            rate, sent, each = measured(brokers, arguments, endpoints)
            load = Load(nodes=nodes, rate=rate, size=1024, batch=batch, groups=1 if batch else 0, connections=1)
            leader = 0 if nodes == 1 else next(at for at, broker in enumerate(brokers) if broker.leads())
            predicted = [node(load, at == leader) for at in range(nodes)]
            # Every byte is sent once: what followers take in is what the leader sends.
            sends = predicted[leader].network_in + sum(one.network_out for one in predicted)
            rows = [("all: MB over the network", sends / 1e6, sent / 1e6)]
            for at in sorted({leader, (leader + 1) % nodes}):
                who = "the broker" if nodes == 1 else "the leader" if at == leader else "a follower"
                rows += [(f"{who}: MB to disk", predicted[at].disk / 1e6, each[at]["disk"] / 1e6), (f"{who}: processors", predicted[at].cpu, each[at]["cpu"])]
                if nodes == 1:
                    rows.append((f"{who}: syncs", predicted[at].syncs, each[at]["syncs"]))
            for what, says, does in rows:
                off = does / says if says else float("inf")
                # A page counts in /proc each time it is written to after a sync, and the model counts bytes.
                near = near and (what.endswith("to disk") or 1 / FACTOR <= off <= FACTOR)
                print(f"| {nodes} node(s), {'one by one' if batch else 'full batches'}, {rate:,.0f} records/s | {what} | {says:,.2f} | {does:,.2f} | {off:.2f} |", flush=True)
    finally:
        for broker in brokers:
            broker.process.terminate()
        for broker in brokers:
            broker.process.wait(timeout=60)
    return near


def run():
    if not LOAD.exists():
        subprocess.run(["go", "-C", HOME / "go-client", "build", "-o", LOAD, "./cmd/spillway-go-bench"], check=True)
    work = Path(tempfile.mkdtemp(prefix="spillway-model.", dir=os.environ.get("TMPDIR")))
    print("| load | a second | the model | measured | measured of the model |\n|---|---|---:|---:|---:|")
    try:
        near = [compare(nodes, work) for nodes in (1, 3)]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not all(near):
        print(f"a figure is off by more than {FACTOR}x")
    return 0 if all(near) else 1
