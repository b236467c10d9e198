"""What a broker, or each node of a cluster, does for a load: bytes, syncs, messages, CPU, memory; and which limit comes first.

python3 bench/model --nodes 3 --rate 20000 --size 1024 --topics 1000 --connections 500
python3 bench/model --check    what the model says of one broker and of three nodes under a real load, beside what they do; about three minutes
"""

import argparse
import dataclasses
import sys

import check
from model import Load, limits, node, space

ROWS = (("network_in", "MB in", 1e6), ("network_out", "MB out", 1e6), ("disk", "MB to disk", 1e6), ("syncs", "syncs", 1), ("messages", "messages", 1),
        ("cpu", "processors", 1))


def said(load, cores, disk_mb):
    print(f"{load.rate:,.0f} records/s of {load.size:,} B in batches of {load.batch:.0f}, {load.groups} group(s), {load.topics:,} topics, {load.connections:,} connections, "
          f"{load.nodes} node(s), {load.durability if load.nodes == 1 else 'quorum'}\n")
    print("| a second | " + ("a broker" if load.nodes == 1 else "the leader | a follower") + " |\n|---|---:|" + ("---:|" if load.nodes > 1 else ""))
    columns = [node(load, True)] + ([node(load, False)] if load.nodes > 1 else [])
    for name, unit, scale in ROWS:
        print(f"| {unit} | " + " | ".join(f"{getattr(each, name) / scale:,.2f}" for each in columns) + " |")
    kept = space(load)
    print(f"| disk for {load.retention_s / 86_400:g} days, GB | " + " | ".join(f"{kept['disk_bytes'] / 1e9:,.0f}" for _ in columns) + " |")
    print("| memory beside the page cache, MiB | " + " | ".join(f"{kept['memory_mib']:,.0f}" for _ in columns) + " |")
    print(f"\nOf each limit, with {cores} processors and a disk of {disk_mb:g} MB/s:")
    for name, share in limits(load, cores, disk_mb)[:4]:
        print(f"  {100 * share:6.1f} %  {name}")


def main(argv):
    parser = argparse.ArgumentParser(prog="bench/model", description=__doc__.split("\n\n")[0], epilog="Needs what make build builds for --check alone.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for each in dataclasses.fields(Load):
        parser.add_argument("--" + each.name.replace("_", "-"), type=type(each.default), default=each.default)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--disk-mb", type=float, default=500)
    parser.add_argument("--check", action="store_true", help="measure, and say how far the model is off")
    chosen = vars(parser.parse_args(argv))
    if chosen.pop("check"):
        return check.run()
    cores, disk_mb = chosen.pop("cores"), chosen.pop("disk_mb")
    said(Load(**chosen), cores, disk_mb)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
