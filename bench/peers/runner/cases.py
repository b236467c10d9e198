"""What is measured: contestants, setups and cases."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contestant:
    """A client of a server. The name of the server is that of its class in servers.py; None for a limit without one."""
    name: str
    server: str | None
    language: str
    peer: str
    setups: tuple | None = None  # None: all of them
    loads: tuple | None = None


CONTESTANTS = [
    Contestant("spillway-java", "spillway", "java", "spillway"),
    Contestant("spillway-go", "spillway", "go", "spillway"),
    Contestant("kafka", "kafka", "java", "kafka"),
    Contestant("kafka-share", "kafka", "java", "kafka-share", loads=("group", "latency", "drain")),
    Contestant("nats", "nats", "go", "nats"),
    Contestant("redis", "redis", "go", "redis"),
    Contestant("rabbit-quorum", "rabbit", "go", "rabbit-quorum"),
    Contestant("rabbit-stream", "rabbit", "go", "rabbit-stream"),
    Contestant("chronicle", None, "java", "chronicle", ("default", "synced")),
    Contestant("echo", "echo", "go", "echo", ("default",)),
]


@dataclass(frozen=True)
class Setup:
    """How the servers run."""
    name: str
    title: str
    synced: bool = False
    tls: bool = False
    nodes: int = 1


SETUPS = [
    Setup("default", "Default durability of the peers: the page cache (Spillway: MAPPED; quorum queues always sync)"),
    Setup("synced", "On disk before the ack", synced=True),
    Setup("tls", "Default durability, with TLS", tls=True),
    Setup("cluster", "Three nodes, default durability", nodes=3),
    Setup("cluster-synced", "Three nodes, on disk before the ack", nodes=3, synced=True),
]


@dataclass(frozen=True)
class Case:
    """One load with its arguments, in some setups."""
    name: str
    title: str
    load: str
    setups: tuple
    arguments: tuple = ()
    quick: bool = False
    rows: tuple = field(default=())


ACKED = (("acked", "records/s", lambda result: result.get("acked_per_s")),)
GROUP = (("acked", "records/s", lambda result: result.get("acked_per_s")), ("consumed", "records/s", lambda result: result.get("consumed_per_s")))
CONSUMED = (("consumed", "records/s", lambda result: result.get("consumed_per_s")),)


def percentile_of(what, percentile):
    """None when there is none, or when the rate was not sustained: then a latency only says how long it was tried."""
    return lambda result: result[what][percentile] if result.get("sustained") and result.get(what, {}).get("count") else None


LATENCY = tuple((f"{words}, {percentile}", "us", percentile_of(what, percentile))
                for what, words in (("ack_us", "to the ack"), ("consume_us", "to the consumer"), ("late_us", "the driver's own lateness"))
                for percentile in ("p50", "p99", "p99.9"))

EVERY = tuple(setup.name for setup in SETUPS)
ALONE = ("default", "synced")
BOTH = (*ALONE, "cluster", "cluster-synced")


def all_cases():
    yield Case("start", "start to the first record acked", "first", ALONE, quick=True)
    for size in (128, 1024, 16384):
        for producers in (1, 8):
            setups = EVERY if size == 1024 and producers == 1 else BOTH if size < 16384 else ALONE
            yield Case(f"publish-{size}-{producers}", f"publish {size:,} B, {producers} producer{'s' if producers > 1 else ''}", "publish", setups,
                       ("--size", size, "--producers", producers), quick=producers == 1 and size < 16384, rows=ACKED)
    for size in (128, 1024, 16384):
        yield Case(f"group-{size}", f"publish {size:,} B and consume in a group that acks", "group", BOTH if size == 1024 else ALONE,
                   ("--size", size), quick=size == 1024, rows=GROUP)
    for rate in (1_000, 10_000, 50_000):
        setups = EVERY if rate == 1_000 else BOTH if rate == 10_000 else ALONE
        yield Case(f"latency-{rate}", f"{rate:,}/s of 256 B", "latency", setups, ("--rate", rate, "--size", 256), quick=rate == 10_000, rows=LATENCY)
    yield Case("drain", "drain a backlog of 256 B in a group that acks", "drain", ("default",), ("--size", 256), quick=True, rows=CONSUMED)
    for topics in (1, 200, 2_000):
        yield Case(f"topics-{topics}", f"publish 256 B to {topics:,} topic{'s' if topics > 1 else ''} in turn", "publish", ("default",),
                   ("--size", 256, "--topics", topics), rows=ACKED)
    yield Case("keyed", "publish 1,024 B, each with one of 10,000 keys", "publish", ALONE, ("--size", 1024, "--keyed"), rows=ACKED)
    yield Case("idempotent", "publish 1,024 B, each with an idempotency key of its own", "publish", ALONE, ("--size", 1024, "--idempotent"),
               rows=ACKED)


CASES = list(all_cases())
