package io.spillway.conformance.javadriver;

import io.spillway.client.LostLeases;
import io.spillway.client.Message;
import io.spillway.client.Subscription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One subscription, the messages it has handed out, and what its callbacks have seen. Thread-safe. */
final class Reading {
    private final Map<Long, Message> messages = new HashMap<>();
    private @Nullable Subscription subscription;
    private long lastNumber;
    private long lostMessages;
    private int becameActive;
    private int running;
    private int mostAtOnce;
    private int handled;
    private int redelivered;

    synchronized void opened(Subscription opened) {
        subscription = opened;
    }

    synchronized Subscription subscription() {
        if (subscription == null) {
            throw new DriverException("the subscription is not open yet");
        }
        return subscription;
    }

    synchronized long number(Message message) {
        messages.put(++lastNumber, message);
        return lastNumber;
    }

    synchronized List<Message> messages(Request request) {
        List<Message> found = new ArrayList<>();
        request.list("messages").forEach(number -> {
            Message message = messages.get(number.asLong());
            if (message == null) {
                throw new DriverException("there is no message " + number);
            }
            found.add(message);
        });
        return found;
    }

    synchronized void onLost(LostLeases lost) {
        lostMessages += lost.lastOffset() - lost.firstOffset() + 1;
        notifyAll();
    }

    /** How many messages were lost, once it is that many or the time has passed. */
    synchronized long awaitLost(long count, Duration timeout) throws InterruptedException {
        long deadlineNs = System.nanoTime() + timeout.toNanos();
        while (lostMessages < count && waitUntil(deadlineNs)) {
            // look again
        }
        return lostMessages;
    }

    private boolean waitUntil(long deadlineNs) throws InterruptedException {
        long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
        if (leftMs <= 0) {
            return false;
        }
        wait(leftMs);
        return true;
    }

    synchronized void onActive(boolean active) {
        becameActive += active ? 1 : 0;
    }

    synchronized int becameActive() {
        return becameActive;
    }

    // ---- the handler

    synchronized void onHandling() {
        running++;
        mostAtOnce = Math.max(mostAtOnce, running);
    }

    synchronized void onHandled(Message message) {
        running--;
        handled++;
        redelivered += message.attempt() > 1 ? 1 : 0;
        notifyAll();
    }

    /** What a handler has done. */
    record Handled(int received, int redelivered, int mostAtOnce) {}

    synchronized Handled awaitHandled(long count, Duration timeout) throws InterruptedException {
        long deadlineNs = System.nanoTime() + timeout.toNanos();
        while (handled < count && waitUntil(deadlineNs)) {
            // look again
        }
        return new Handled(handled, redelivered, mostAtOnce);
    }
}
