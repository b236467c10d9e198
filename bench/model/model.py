"""The formulas: what one node does for a load, a second, and what share of each limit that is.

They follow from the protocol and the log; COSTS were measured (docs/scale.md says when and how). For another machine measure them again:
check.py says how far they are off.
"""

import dataclasses

RECORD = 16  # bytes of a record beside its value: its index entry and its fixed part
BATCH = 72  # the header of a batch
ENTRY = 40  # what the log puts around it
FRAME = 60  # a frame without payload: prefix and header, PUBLISH, DELIVER and acks alike
FULL = 64 << 10  # where clients close a batch

COSTS = {
    "publish": {"wake_us": 100, "batch_us": 25, "record_us": 0.10, "byte_us": 0.0015},
    "deliver": {"wake_us": 100, "batch_us": 25, "record_us": 0.06, "byte_us": 0.0003},
    "leader": {"wake_us": 700, "batch_us": 60, "record_us": 0.10, "byte_us": 0.010},  # beside the two above
    "follower": {"wake_us": 800, "batch_us": 50, "record_us": 0.05, "byte_us": 0.008},
}
BUSY = 1_500  # batches a second from which on threads do not sleep between two, and need not be woken
SHARED = 5  # full batches that an entry of the cluster's log carries: 594 batches and 104 entries a second at full speed
SYNC_US = 150
SYNC_BYTES_S = 240e6  # what the disk takes while it is synced all the time
PING_US = 30
HEARTBEAT_S = 2.5
BASE_MIB = 100
TOPIC_KIB = 13.0  # with a record and a group
CONNECTION_KIB = 4.0
KEY_BYTES = 32
HEAP_MIB = 512
DEFAULT_CONNECTIONS = 10_000


@dataclasses.dataclass
class Load:
    nodes: int = 1
    rate: float = 10_000.0
    size: int = 1024
    batch: float = 0.0  # records in one; 0: full ones
    groups: int = 1
    topics: int = 1
    connections: int = 10
    durability: str = "synced"
    retention_s: float = 86_400.0
    keys: int = 0
    shards: int = 1

    def __post_init__(self):
        self.is_full = not self.batch
        self.batch = self.batch or max(1, FULL // (self.size + RECORD))


@dataclasses.dataclass
class Figures:
    """Of one node, a second."""
    network_in: float = 0
    network_out: float = 0
    disk: float = 0
    syncs: float = 0
    messages: float = 0
    cpu: float = 0


def cost(kind, load, times=1.0):
    of, batches = COSTS[kind], load.rate / load.batch
    wakes = min(batches, BUSY)
    if kind in ("leader", "follower") and load.is_full:
        wakes /= SHARED
    return times * (batches * of["batch_us"] + wakes * of["wake_us"] + load.rate * (of["record_us"] + (load.size + RECORD) * of["byte_us"])) / 1e6


def node(load, leads):
    batches = load.rate / load.batch
    stored = load.rate * (load.size + RECORD) + batches * (BATCH + ENTRY)
    sent = load.rate * (load.size + RECORD) + batches * (BATCH + FRAME)
    others = load.nodes - 1
    figures = Figures()
    # One covers all that came in during the one before, and takes the longer the more that is.
    syncs = min(batches, max(0.05, 1 - stored / SYNC_BYTES_S) * 1e6 / SYNC_US)
    if leads:
        figures.network_in = sent + load.groups * batches * FRAME
        figures.network_out = batches * FRAME + load.groups * sent + others * sent
        # PUBLISH and its ack; DELIVER, the ack of it and that one's answer; an append to each of the others and its answer.
        figures.messages = batches * (2 + 3 * load.groups + 2 * others)
        figures.cpu = cost("publish", load) + cost("deliver", load, load.groups) + load.connections / HEARTBEAT_S * PING_US / 1e6
        figures.cpu += cost("leader", load) if others else 0
    else:
        figures.network_in, figures.network_out = sent, batches * FRAME
        figures.messages = 2 * batches
        figures.cpu = cost("follower", load)
    # A node of a cluster writes each record to the engine's log and to its own.
    figures.disk = stored * (2 if others else 1)
    figures.syncs = syncs if others or load.durability == "synced" else 1
    return figures


def space(load):
    """What is there all the time."""
    kept = 1.33 * load.rate * load.retention_s * (load.size + RECORD)
    own = BASE_MIB + load.topics * TOPIC_KIB / 1024 + load.connections * CONNECTION_KIB / 1024
    return {"disk_bytes": kept, "memory_mib": own + load.keys * KEY_BYTES / 2**20}


def limits(load, cores, disk_mb):
    """What share of each limit the load takes, the largest first."""
    leader = node(load, True)
    shard = cost("publish", load) + cost("deliver", load, load.groups) + (cost("leader", load) if load.nodes > 1 else 0)
    shares = {
        "the processors of the leader": leader.cpu / cores,
        "the thread of a shard (one if there is one topic)": 0.6 * shard / min(load.shards, load.topics),
        "the disk's writing": leader.disk / (disk_mb * 1e6),
        "session.max-connections (a setting)": load.connections / DEFAULT_CONNECTIONS,
        "the heap (-Xmx in SPILLWAY_JAVA_OPTS)": (load.topics * TOPIC_KIB + load.connections * CONNECTION_KIB) / 1024 / HEAP_MIB,
        "direct memory, for idempotency keys": 2 * load.keys * KEY_BYTES / 2**30,
    }
    return sorted(shares.items(), key=lambda each: -each[1])
