package io.spillway.chaos.network;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whose a TCP socket of this machine is, as /proc says it. */
final class SocketOwner {
    private SocketOwner() {}

    /** Whether the process has a socket with this port that is connected to that one. */
    static boolean has(long pid, int localPort, int remotePort) {
        Set<String> sockets = new HashSet<>();
        for (String table : List.of("tcp", "tcp6")) {
            collect(Path.of("/proc", Long.toString(pid), "net", table), localPort, remotePort, sockets);
        }
        return !sockets.isEmpty() && holdsOne(pid, sockets);
    }

    /** A line: number, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode, ... */
    private static void collect(Path table, int localPort, int remotePort, Set<String> sockets) {
        String local = String.format(":%04X", localPort);
        String remote = String.format(":%04X", remotePort);
        try {
            for (String line : Files.readAllLines(table)) {
                String[] fields = line.trim().split("\\s+");
                if (fields.length > 9 && fields[1].endsWith(local) && fields[2].endsWith(remote)) {
                    sockets.add("socket:[" + fields[9] + "]");
                }
            }
        } catch (IOException e) {
            sockets.clear(); // the process is gone, and its sockets with it
        }
    }

    private static boolean holdsOne(long pid, Set<String> sockets) {
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "fd"))) {
            for (Path descriptor : descriptors) {
                if (sockets.contains(target(descriptor))) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            return false; // the process is gone
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed meanwhile
        }
    }
}
