"""The servers: how each is started, alone or as three nodes, with or without TLS. What they are set to stands in bench/peers/settings."""

import os
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path

from .processes import Process, await_port, cpu_seconds, forget_peaks, free_ports, memory_mib, ports_of_nodes, sessions

HOME = Path(__file__).resolve().parents[3]
SETTINGS = HOME / "bench/peers/settings"
INSTALLED = HOME / "build/peers"


class Unable(Exception):
    """What the server does not have; no failure of the run."""


class Server:
    """Of one setup. start() spawns its nodes; ready() waits until they serve."""

    def __init__(self, directory, setup, certificate):
        self.directory = Path(directory)
        self.setup = setup
        self.certificate = certificate  # a directory with ca.pem, cert.pem and key.pem, or None
        self.processes = []
        self.ports = []
        self.prepare()

    def prepare(self):
        """Writes files; not part of the time of a start."""
        self.ports = free_ports(self.setup.nodes)

    def start(self):
        for node in range(self.setup.nodes):
            self.processes.append(self.spawn(node))

    def spawn(self, node):
        raise NotImplementedError

    def ready(self):
        for port, process in zip(self.ports, self.processes):
            await_port(port, process)

    def endpoint(self, _peer):
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def log(self, node):
        return self.directory / f"node{node}.log"

    def data(self, node):
        path = self.directory / f"node{node}"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def lives(self):
        return all(process.lives() for process in self.processes)

    def pids(self):
        return sessions({process.popen.pid for process in self.processes})

    def cpu_s(self):
        return cpu_seconds(self.pids())

    def memory(self):
        pids = self.pids()
        return {"rss_mib": memory_mib(pids), "rss_anon_mib": memory_mib(pids, "RssAnon"), "peak_rss_mib": memory_mib(pids, "VmHWM")}

    def forget_peaks(self):
        forget_peaks(self.pids())

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.stop()


def await_that(is_so, what, seconds=60):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


class Spillway(Server):
    def prepare(self):
        self.ports, self.http, self.between = ports_of_nodes(self.setup.nodes, 3)

    def spawn(self, node):
        command = [str(HOME / "bin/spillway"), "serve", "--data-dir", str(self.data(node)), "--listen", f"127.0.0.1:{self.ports[node]}",
                   "--http", f"127.0.0.1:{self.http[node]}"]
        if self.setup.tls:
            for name, file in (("certificate", "cert.pem"), ("key", "key.pem")):
                command += ["--set", f"tls.{name}={self.certificate / file}"]
        if self.setup.nodes > 1:
            command += ["--node-id", f"n{node}", "--zone", f"z{node}", "--cluster-listen", f"127.0.0.1:{self.between[node]}"]
            command += ["--seed", f"127.0.0.1:{self.between[0]}"] if node else []
        return Process(command, self.log(node))

    def ready(self):
        super().ready()
        if self.setup.nodes > 1:
            await_that(lambda: self.voters() == self.setup.nodes, "a cluster of Spillway of three voters")

    def voters(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http[0]}/cluster", timeout=2) as view:
                return view.read().decode().count('"role":"VOTER"')
        except OSError:
            return 0


class Kafka(Server):
    JAVA = ["java", "-Xms1G", "-Xmx1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
            "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", str(INSTALLED / "kafka/*")]

    def prepare(self):
        self.ports, self.controllers = ports_of_nodes(self.setup.nodes, 2)
        cluster = str(uuid.uuid4()).replace("-", "")[:22]
        for node in range(self.setup.nodes):
            settings = self.directory / f"node{node}.properties"
            settings.write_text((SETTINGS / "kafka-server.properties").read_text() + "\n".join(self.settings(node)) + "\n")
            subprocess.run([*self.JAVA, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(settings)], check=True,
                           stdout=self.log(node).open("ab"), stderr=subprocess.STDOUT)

    def settings(self, node):
        kind = "SSL" if self.setup.tls else "PLAINTEXT"
        copies = self.setup.nodes
        yield f"node.id={node}"
        yield f"log.dirs={self.data(node)}"
        yield f"listeners={kind}://127.0.0.1:{self.ports[node]},CONTROLLER://127.0.0.1:{self.controllers[node]}"
        yield f"advertised.listeners={kind}://127.0.0.1:{self.ports[node]}"
        yield f"listener.security.protocol.map={kind}:{kind},CONTROLLER:PLAINTEXT"
        yield f"inter.broker.listener.name={kind}"
        yield "controller.listener.names=CONTROLLER"
        yield "controller.quorum.voters=" + ",".join(f"{i}@127.0.0.1:{port}" for i, port in enumerate(self.controllers))
        yield f"offsets.topic.replication.factor={copies}"
        yield f"transaction.state.log.replication.factor={copies}"
        yield f"transaction.state.log.min.isr={min(2, copies)}"
        yield f"share.coordinator.state.topic.replication.factor={copies}"
        yield f"share.coordinator.state.topic.min.isr={min(2, copies)}"
        if self.setup.tls:
            yield "ssl.keystore.type=PEM"
            yield f"ssl.keystore.location={self.certificate / 'kafka.pem'}"
            yield "ssl.truststore.type=PEM"
            yield f"ssl.truststore.location={self.certificate / 'ca.pem'}"

    def spawn(self, node):
        return Process([*self.JAVA, "kafka.Kafka", str(self.directory / f"node{node}.properties")], self.log(node))


class Nats(Server):
    def prepare(self):
        self.ports, self.routes = ports_of_nodes(self.setup.nodes, 2)
        for node in range(self.setup.nodes):
            base = (SETTINGS / "nats-server.conf").read_text()
            (self.directory / f"node{node}.conf").write_text(base + "\n".join(self.settings(node)) + "\n")

    def settings(self, node):
        yield f"server_name: n{node}"
        yield f"listen: 127.0.0.1:{self.ports[node]}"
        sync = "sync_interval: always" if self.setup.synced else ""
        yield f'jetstream {{\n  store_dir: "{self.data(node)}"\n  {sync}\n}}'
        if self.setup.tls:
            yield f'tls {{\n  cert_file: "{self.certificate}/cert.pem"\n  key_file: "{self.certificate}/key.pem"\n}}'
        if self.setup.nodes > 1:
            routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.routes)
            yield f"cluster {{\n  name: bench\n  listen: 127.0.0.1:{self.routes[node]}\n  routes: [{routes}]\n}}"

    def spawn(self, node):
        return Process([str(INSTALLED / "bin/nats-server"), "-c", str(self.directory / f"node{node}.conf")], self.log(node))

    def ready(self):
        super().ready()
        if self.setup.nodes > 1:
            # The log of whichever node has become the leader of the metadata says so.
            await_that(lambda: any(b"JetStream cluster new metadata leader" in self.log(node).read_bytes() for node in range(self.setup.nodes)),
                       "a leader of the metadata of NATS")


class Redis(Server):
    def spawn(self, node):
        if self.setup.nodes > 1:
            raise Unable("no quorum")
        port = self.ports[node]
        command = [str(INSTALLED / "bin/redis-server"), str(SETTINGS / "redis.conf"), "--dir", str(self.data(node)), "--appendfsync",
                   "always" if self.setup.synced else "everysec"]
        if self.setup.tls:
            command += ["--port", "0", "--tls-port", str(port), "--tls-cert-file", str(self.certificate / "cert.pem"), "--tls-key-file",
                        str(self.certificate / "key.pem"), "--tls-ca-cert-file", str(self.certificate / "ca.pem"), "--tls-auth-clients", "no"]
        else:
            command += ["--port", str(port)]
        return Process(command, self.log(node))


class Rabbit(Server):
    """Quorum queues and streams of the same nodes. The port mapper of Erlang is one of ours, so that none is left behind."""

    def prepare(self):
        self.ports, self.streams, self.between = ports_of_nodes(self.setup.nodes, 3)
        self.mapper_port = free_ports(1)[0]
        self.mapper = None
        for node in range(self.setup.nodes):
            base = (SETTINGS / "rabbitmq.conf").read_text()
            (self.directory / f"node{node}.conf").write_text(base + "\n".join(self.settings(node)) + "\n")
            (self.directory / "plugins").write_text("[rabbitmq_stream].\n")
            cookie = self.data(node) / ".erlang.cookie"
            cookie.write_text("spillwaybenchpeers")
            cookie.chmod(0o400)

    def settings(self, node):
        if self.setup.tls:
            yield "listeners.tcp = none"
            yield f"listeners.ssl.1 = 127.0.0.1:{self.ports[node]}"
            yield "stream.listeners.tcp = none"
            yield f"stream.listeners.ssl.1 = 127.0.0.1:{self.streams[node]}"
            for name, file in (("cacertfile", "ca.pem"), ("certfile", "cert.pem"), ("keyfile", "key.pem")):
                yield f"ssl_options.{name} = {self.certificate / file}"
            yield "ssl_options.verify = verify_none"
        else:
            yield f"listeners.tcp.1 = 127.0.0.1:{self.ports[node]}"
            yield f"stream.listeners.tcp.1 = 127.0.0.1:{self.streams[node]}"
        # A client goes to the node that leads its stream, where that says it is.
        yield "stream.advertised_host = 127.0.0.1"
        yield f"stream.advertised_{'tls_port' if self.setup.tls else 'port'} = {self.streams[node]}"
        if self.setup.nodes > 1:
            yield "cluster_formation.peer_discovery_backend = classic_config"
            for i in range(self.setup.nodes):
                yield f"cluster_formation.classic_config.nodes.{i + 1} = {self.name(i)}"

    def name(self, node):
        return f"bench{node}_{self.mapper_port}@localhost"

    def environment(self, node):
        return {"RABBITMQ_NODENAME": self.name(node), "RABBITMQ_MNESIA_BASE": str(self.data(node)), "RABBITMQ_LOG_BASE": str(self.data(node)),
                "RABBITMQ_CONFIG_FILE": str(self.directory / f"node{node}.conf"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
                "RABBITMQ_DIST_PORT": str(self.between[node]), "ERL_EPMD_PORT": str(self.mapper_port), "ERL_EPMD_ADDRESS": "127.0.0.1",
                "HOME": str(self.data(node)), "RABBITMQ_CONF_ENV_FILE": "/nonexistent", "LC_ALL": "C.UTF-8"}

    def start(self):
        self.mapper = Process([str(INSTALLED / "bin/epmd"), "-port", str(self.mapper_port), "-address", "127.0.0.1"], self.directory / "mapper.log")
        super().start()

    def spawn(self, node):
        return Process([str(INSTALLED / "bin/rabbitmq-server")], self.log(node), self.environment(node))

    def ready(self):
        super().ready()
        for port, process in zip(self.streams, self.processes):
            await_port(port, process)
        if self.setup.nodes > 1:
            await_that(lambda: all(self.knows_others(node) for node in range(self.setup.nodes)), "a cluster of RabbitMQ of three nodes")

    def knows_others(self, node):
        said = "".join(log.read_text(errors="replace") for log in self.data(node).glob("*.log"))
        return all(f"rabbit on node '{self.name(other)}' up" in said or f"rabbit on node {self.name(other)} up" in said
                   for other in range(self.setup.nodes) if other != node)

    def endpoint(self, peer):
        return ",".join(f"127.0.0.1:{port}" for port in (self.streams if peer == "rabbit-stream" else self.ports))

    def stop(self):
        super().stop()
        if self.mapper:
            self.mapper.stop()


class Echo(Server):
    def spawn(self, node):
        return Process([str(INSTALLED / "bin/load"), "echo-server", "--endpoint", f"127.0.0.1:{self.ports[node]}"], self.log(node))


SERVERS = {"spillway": Spillway, "kafka": Kafka, "nats": Nats, "redis": Redis, "rabbit": Rabbit, "echo": Echo}


def certificate(directory):
    """An authority and a certificate for localhost, of a day; kafka.pem has key and certificate in one."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    os.chmod(directory, 0o755)
    openssl = ["openssl"]
    subject = ["-subj", "/CN=localhost", "-days", "1", "-nodes", "-newkey", "rsa:2048"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": directory}
    subprocess.run([*openssl, "req", "-x509", "-subj", "/CN=bench", "-days", "1", "-nodes", "-newkey", "rsa:2048", "-keyout", "ca.key", "-out", "ca.pem"],
                   **quiet)
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    subprocess.run([*openssl, "req", *subject, "-keyout", "key.pem", "-out", "request.pem"], **quiet)
    subprocess.run([*openssl, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1", "-extfile",
                    "names", "-out", "cert.pem"], **quiet)
    (directory / "kafka.pem").write_text((directory / "key.pem").read_text() + (directory / "cert.pem").read_text())
    return directory
