"""Processes that a run starts, measures and ends. Each is the leader of a session of its own, so that its children are known by it."""

import os
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 15


class Process:
    """One server, with its output in a file."""

    def __init__(self, command, log, environment=None, directory=None):
        self.log = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=directory,
                                          env={**os.environ, **(environment or {})}, start_new_session=True)

    def lives(self):
        return self.popen.poll() is None

    def terminate(self):
        if self.lives():
            self.popen.terminate()

    def stop(self):
        """SIGTERM, and SIGKILL for what has not ended in time; nothing of its session is left."""
        members = sessions({self.popen.pid})
        self.terminate()
        if self.lives():
            try:
                self.popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        for pid in set(members) | set(sessions({self.popen.pid})):
            if session_of(pid) == self.popen.pid:
                signal_quietly(pid, signal.SIGKILL)
        self.popen.wait()


def signal_quietly(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it has ended by itself


def stat_of(pid):
    """The fields of /proc/PID/stat behind the name, the state first; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def session_of(pid):
    fields = stat_of(pid)
    return int(fields[3]) if fields else None


def sessions(leaders):
    """The processes of these sessions."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and session_of(name) in leaders]


def cpu_seconds(pids):
    """What these processes and their ended children have used."""
    ticks = 0
    for pid in pids:
        fields = stat_of(pid)
        if fields:
            ticks += sum(int(each) for each in fields[11:15])
    return ticks / TICKS


def memory_mib(pids, what="VmRSS"):
    """A line of /proc/PID/status that is in kB, summed: VmRSS, VmHWM, RssAnon."""
    kib = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                kib += sum(int(line.split()[1]) for line in status if line.startswith(what + ":"))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile
    return kib / 1024


def forget_peaks(pids):
    """VmHWM, the peak of VmRSS, begins anew."""
    for pid in pids:
        try:
            with open(f"/proc/{pid}/clear_refs", "w", encoding="utf-8") as clear:
                clear.write("5")
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile


def machine_seconds():
    """Busy and stolen CPU seconds of the whole machine so far."""
    with open("/proc/stat", encoding="utf-8") as stat:
        user, nice, system, _, _, irq, soft, steal = (int(each) for each in stat.readline().split()[1:9])
    return (user + nice + system + irq + soft) / TICKS, steal / TICKS


def held_mib(directory):
    """What the files below a directory take of the disk."""
    blocks = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                blocks += os.lstat(os.path.join(parent, name)).st_blocks
            except FileNotFoundError:
                pass  # deleted meanwhile
    return blocks * 512 / 2**20


def disk_use(directory):
    """(flushes, bytes written) so far of the disk that a directory is on; None where the kernel does not say."""
    device = os.stat(directory).st_dev
    with open("/proc/diskstats", encoding="utf-8") as stats:
        for line in stats:
            fields = line.split()
            if (int(fields[0]), int(fields[1])) == (os.major(device), os.minor(device)) and len(fields) > 18:
                return int(fields[18]), int(fields[9]) * 512
    return None


def free_ports(count):
    """Ports that nobody listens on; all are different."""
    held = []
    try:
        for _ in range(count):
            held.append(socket.socket())
            held[-1].bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def ports_of_nodes(nodes, kinds):
    """For each kind of port a list with one of each node; all are different."""
    ports = free_ports(nodes * kinds)
    return [ports[kind::kinds] for kind in range(kinds)]


def await_port(port, process, seconds=60):
    """Until somebody listens; an error when the process ends before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if not process.lives():
            raise RuntimeError(f"it ended before it listened on port {port}; see {process.log}")
        time.sleep(0.02)
    raise RuntimeError(f"nobody listens on port {port} after {seconds} s; see {process.log}")
