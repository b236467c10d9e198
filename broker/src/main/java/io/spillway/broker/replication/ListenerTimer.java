package io.spillway.broker.replication;

import org.apache.ratis.server.RaftServer;

/**
 * Ends the election timer of a node that listens, which never elects: it would only be in the way when the node becomes a
 * voter.
 *
 * <p>Ratis 3.3.0 gives a listener the timer of a follower, a thread that takes the node's lock every few hundred
 * milliseconds. When a configuration lets the listener vote, the call that brings it waits for the end of that thread, and
 * holds the lock meanwhile ({@code ServerState.updateConfiguration}). If the thread waits for the lock just then, neither
 * goes on: the node takes up nothing and votes for nobody until its process is restarted. What a follower needs is started
 * anew with the role.
 */
final class ListenerTimer {
    private static final String NAME_END = "-FollowerState";

    private ListenerTimer() {}

    /** Right after the start, when the timer has its first sleep before it. Nothing, if the node does not listen. */
    static void end(RaftServer.Division division) {
        // Under this lock Ratis changes the role: the timer that is found is not yet one of a voter.
        synchronized (division) {
            if (division.getInfo().isListener()) {
                Thread[] threads = new Thread[division.getThreadGroup().activeCount() + 16];
                int count = division.getThreadGroup().enumerate(threads);
                for (int i = 0; i < count; i++) {
                    if (threads[i].getName().endsWith(NAME_END)) {
                        threads[i].interrupt();
                    }
                }
            }
        }
    }
}
