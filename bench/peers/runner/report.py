"""What is written of a run: results.json, tables.md, and a plot for each table."""

import json
import os
import platform
import subprocess
import time

from .figures import collect, median, number, plot, table
from .servers import HOME, INSTALLED

COSTS = (("CPU of the server, s per million records", "server_cpu_s_per_million"), ("peak RSS of the server, MiB", "peak_rss_mib"),
         ("flushes of the disk, per s", "flushes_per_s"))


def line(case, outcome):
    """One measurement in a few words."""
    for bad in ("unable", "failed"):
        if bad in outcome:
            return f"{bad}: {outcome[bad]}"
    if "start_ms" in outcome:
        return f"{outcome['start_ms']:.0f} ms, RSS {outcome['rss_mib']:.0f} MiB"
    shown = [f"{name} {number(value(outcome))}" for name, _, value in case.rows if value(outcome) is not None]
    return ", ".join(shown) if outcome.get("sustained", True) else "not sustained"


def rows_of(run, setup, cases, rows):
    """For table and plot: [(name, cells)]."""
    for case in cases:
        measured = [each for each in run.measurements if each["setup"] == setup.name and each["case"] == case.name]
        for name, _, value in rows(case):
            yield f"{case.title}: {name}" if name else case.title, collect(measured, lambda each, value=value: read(value, each))


def read(value, measurement):
    return None if "unable" in measurement or "failed" in measurement else value(measurement)


def sections(run, setup):
    """(heading, unit, logarithmic, rows) of one setup."""
    cases = run.cases_of(setup)
    floods = [case for case in cases if case.load in ("publish", "group", "drain")]
    loops = [case for case in cases if case.load == "latency"]
    starts = [case for case in cases if case.load == "first"]
    yield "throughput", "records/s", False, list(rows_of(run, setup, floods, lambda case: case.rows))
    yield "latency", "us, open loop, from when a record was due", True, list(rows_of(run, setup, loops, lambda case: case.rows))
    yield "start", "ms from the spawn of the server", False, list(rows_of(run, setup, starts, lambda _: (("", "ms", lambda each: each.get("start_ms")),)))
    yield "idle memory", "MiB, 3 s after a start and one record", False, list(rows_of(
        run, setup, starts, lambda _: (("RSS", "MiB", lambda each: each.get("rss_mib")), ("of it anonymous", "MiB", lambda each: each.get("rss_anon_mib")))))
    for title, what in COSTS:
        loads = floods + loops if "RSS" in title else floods
        if "flushes" in title and not setup.synced:
            continue  # how a synced figure came about; otherwise of no interest
        yield title, title, False, list(rows_of(run, setup, loads, lambda _, what=what: (("", "", lambda each: each.get(what)),)))


def write(run):
    out = run.out
    text = [header(run)]
    for setup in run.setups:
        contestants = [each.name for each in run.contestants_of(setup)]
        shown = [each for each in sections(run, setup) if any(cells for _, cells in each[3])]
        if shown:
            text.append(f"\n## {setup.title}\n")
        for heading, unit, logarithmic, rows in shown:
            text += ["", table(f"{heading}, {unit}" if unit != heading else heading, rows, contestants)]
            name = f"{setup.name}-{heading.split(',')[0].lower().replace(' ', '-')}.svg"
            (out / name).write_text(plot(f"{setup.title}: {heading}", unit, rows, contestants, logarithmic))
    text += reasons(run)
    (out / "tables.md").write_text("\n".join(text))
    (out / "results.json").write_text(json.dumps({"begun": run.begun, "rounds": run.rounds, "seconds": run.seconds, "warm_up": run.warm_up, "fills_memory": run.fills_memory, "machine": machine(), "versions": versions(),
                                                  "measurements": run.measurements}, indent=1))


def header(run):
    others = [each["others_percent"] for each in run.measurements if "others_percent" in each]
    idle = [each["idle_peers_percent"] for each in run.measurements if "idle_peers_percent" in each]
    noise = f"Other processes used {median(others):.0f} % of the machine (at most {max(others):.0f} %), idle peers {median(idle):.1f} %. " if others else ""
    warning = "**Others used more than 10 %: run it again on a quiet machine.** " if others and median(others) > 10 else ""
    return (f"{machine()}, {time.strftime('%Y-%m-%d', time.gmtime(run.begun))}. Medians of {run.rounds} round{'s' if run.rounds > 1 else ''} (least .. most), in each of which "
            f"everybody had a turn of {run.seconds:g} s after {run.warm_up:g} s that do not count. {noise}{warning}"
            f"{'The page cache was kept full. ' if run.fills_memory else ''}"
            f"`-`: the peer does not have it; failed: see below; not sustained: it took more than a quarter longer than the rate asks for.\n\n{', '.join(versions())}.\n")


def versions():
    """What bench/peers/install has written down, and which Spillway this is."""
    installed = INSTALLED / "versions"
    commit = subprocess.run(["git", "-C", HOME, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    return [f"Spillway {commit or 'of no repository'}", *(installed.read_text().splitlines() if installed.exists() else [])]


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for each in info:
            if each.startswith("model name"):
                model = each.split(":", 1)[1].strip()
                break
    return f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}"


def reasons(run):
    """Why there is no figure, each reason once."""
    seen = {}
    for each in run.measurements:
        for bad in ("unable", "failed"):
            if bad in each:
                seen.setdefault((each["contestant"], bad, each[bad][:300]), []).append(f"{each['setup']} {each['case']}")
    if not seen:
        return []
    lines = ["\n## What was not measured\n"]
    for (contestant, bad, reason), where in seen.items():
        lines.append(f"- {contestant}, {', '.join(dict.fromkeys(where))}: {bad if bad == 'failed' else 'cannot'}: {reason}")
    return lines
