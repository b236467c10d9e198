"""One load against one server, and what it costs."""

import json
import os
import shutil
import subprocess
import time

from .processes import cpu_seconds, disk_use, held_mib, machine_seconds
from .servers import HOME, INSTALLED, SERVERS, SETTINGS, Unable

UNABLE = 3  # the exit status of a load whose peer does not have what is asked for
IDLE_SECONDS = 3  # after a start, before memory is looked at
LEAST_FREE_BYTES = 8 << 30
CORES = os.cpu_count() or 1


class Measurement:
    def __init__(self, run, setup, case, contestant, work):
        self.run, self.setup, self.case, self.contestant, self.work = run, setup, case, contestant, work
        self.limit_s = 60 + 12 * (run.seconds + run.warm_up)

    def command(self, endpoint, certificate):
        contestant = self.contestant
        if contestant.language == "go":
            command = [str(INSTALLED / "bin/load"), self.case.load, "--peer", contestant.peer]
        else:
            kafka = contestant.server == "kafka"
            classes = {"kafka": "Kafka", "kafka-share": "KafkaShare", "chronicle": "Chronicle", "spillway": "Spillway"}[contestant.peer]
            path = [str(INSTALLED / "java" / ("kafka" if kafka else "spillway")), str(INSTALLED / "kafka/*" if kafka else HOME / "bench/target/lib/*")]
            path += [str(HOME / "bench/target/classes")] if contestant.peer == "chronicle" else []
            command = ["java", *opens(), "-Xms512m", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", ":".join(path),
                       f"io.spillway.bench.peers.{classes}Load", self.case.load, "--settings", str(SETTINGS)]
        command += ["--endpoint", endpoint, "--run", f"{int(time.time() * 1e3):x}", "--durability", "synced" if self.setup.synced else "default",
                    "--replicas", str(self.setup.nodes), "--seconds", str(self.run.seconds), "--warm-up", str(self.run.warm_up), "--records",
                    str(self.run.records), *(str(each) for each in self.case.arguments)]
        return command + (["--tls-authority", str(certificate / "ca.pem")] if certificate else [])

    def load(self, servers):
        server = servers.get(self.contestant.server)
        if server and not server.lives():
            return {"failed": "the server has ended; see its log"}
        if shutil.disk_usage(self.work).free < LEAST_FREE_BYTES:
            return {"failed": "less than 8 GiB of the disk are free; see disk_mib in results.json for who holds it"}
        if self.run.filler:
            self.run.filler.fill()
        os.sync()  # what the one before has left to be written is not this one's
        others = set().union(*(each.pids() for each in servers.values() if each is not server))
        if server:
            server.forget_peaks()
        used_before = server.cpu_s() if server else 0
        idle, (busy, stolen), begun = cpu_seconds(others), machine_seconds(), time.monotonic()
        endpoint = server.endpoint(self.contestant.peer) if server else str(self.work)
        disk = disk_use(self.work)
        outcome = self.outcome(self.command(endpoint, server.certificate if server else None))
        wall = time.monotonic() - begun
        if disk:
            flushes, written = (after - before for after, before in zip(disk_use(self.work), disk))
            outcome.update(flushes_per_s=flushes / wall, written_mib_per_s=written / wall / 2**20)
        busy_after, stolen_after = machine_seconds()
        used = (server.cpu_s() if server else 0) - used_before
        idle = cpu_seconds(others) - idle
        mine = used + idle + outcome.get("client_cpu_s", 0)
        outcome["others_percent"] = max(0, 100 * (busy_after - busy - mine) / (wall * CORES))
        outcome["stolen_percent"] = 100 * (stolen_after - stolen) / (wall * CORES)
        outcome["idle_peers_percent"] = 100 * idle / (wall * CORES)
        if server:
            outcome["server_cpu_s"] = used
            outcome.update(server.memory(), disk_mib=held_mib(server.directory))
            if outcome.get("acked"):
                outcome["server_cpu_s_per_million"] = used / outcome["acked"] * 1e6
        return outcome

    def outcome(self, command):
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=self.limit_s, check=False)
        except subprocess.TimeoutExpired:
            return {"failed": f"it took longer than {self.limit_s:.0f} s"}
        last = last_words(ended.stderr)
        if ended.returncode == UNABLE:
            return {"unable": last}
        if ended.returncode:
            return {"failed": last}
        return json.loads(ended.stdout.strip().splitlines()[-1])

    def start_up(self):
        """A server of its own, from nothing: the load tries before it is spawned, so that its own start does not count."""
        contestant = self.contestant
        if not contestant.server or contestant.server == "echo":
            return {"unable": "there is no server"}
        directory = self.work / "start" / f"{contestant.name}-{time.monotonic_ns()}"
        directory.mkdir(parents=True)
        server, load = None, None
        try:
            server = SERVERS[contestant.server](directory, self.setup, None)
            load = subprocess.Popen(self.command(server.endpoint(contestant.peer), None), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if '"trying"' not in load.stdout.readline():
                load.wait()
                last = last_words(load.stderr.read())
                return {"unable" if load.returncode == UNABLE else "failed": last}
            spawned = time.time_ns()
            server.start()
            said, errors = load.communicate(timeout=90)
            if load.returncode:
                last = last_words(errors)
                return {"unable" if load.returncode == UNABLE else "failed": last}
            result = json.loads(said.strip().splitlines()[-1])
            time.sleep(IDLE_SECONDS)
            return {"start_ms": (result["first_ack_unix_ns"] - spawned) / 1e6, "server_cpu_s": server.cpu_s(), **server.memory()}
        except Unable as reason:
            return {"unable": str(reason)}
        except (RuntimeError, OSError, subprocess.SubprocessError) as problem:
            return {"failed": str(problem)}
        finally:
            if load and load.poll() is None:
                load.kill()
                load.wait()
            if server:
                server.stop()


def last_words(errors):
    last = (errors.strip().splitlines() or ["it says nothing"])[-1]
    return last.removeprefix("error: ").removeprefix("not able to").lstrip(": ")


def opens():
    """What Chronicle and Agrona need of the JDK is written down once, in the pom."""
    text = (HOME / "pom.xml").read_text()
    return text.split("<jvm.opens>", 1)[1].split("</jvm.opens>", 1)[0].split()
