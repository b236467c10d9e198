package io.spillway.client.core;

/**
 * In which order something is closed, and how long each step may take: consumers stop first, because their handlers may still
 * publish; then producers; then the connection. Steps that need a connection are left out without one, and past the
 * deadline everything but the last step is. Driven by vectors/drain.json. Not thread-safe.
 */
public final class Drain {
    /** What is to be done next. */
    public enum Step {
        /** Let running handlers finish; hand nothing more to them. */
        HANDLERS(false, Long.MAX_VALUE),
        /** Give back what is not settled, and wait until the broker has answered all settlements. */
        SETTLE(true, Long.MAX_VALUE),
        /** Tell the broker that the subscription is over. */
        UNSUBSCRIBE(true, Long.MAX_VALUE),
        /** Close each subscription. */
        SUBSCRIPTIONS(false, Long.MAX_VALUE),
        /** Close each producer: send what is buffered and wait for its acks, across a reconnect if it must be. */
        PRODUCERS(false, Long.MAX_VALUE),
        /** Say goodbye and wait for the answer. */
        BYE(true, 1_000),
        /** End it; what has no outcome fails now. */
        END(false, 0);

        private final boolean needsConnection;
        private final long limitMs;

        Step(boolean needsConnection, long limitMs) {
            this.needsConnection = needsConnection;
            this.limitMs = limitMs;
        }
    }

    /** What is closed. */
    public enum Scope {
        CLIENT(Step.SUBSCRIPTIONS, Step.PRODUCERS, Step.BYE, Step.END),
        SUBSCRIPTION(Step.HANDLERS, Step.SETTLE, Step.UNSUBSCRIBE, Step.END);

        private final Step[] steps;

        Scope(Step... steps) {
            this.steps = steps;
        }
    }

    private final Step[] steps;
    private final long deadlineMs;
    private int next;
    private boolean cut;

    public Drain(Scope scope, long timeoutMs, long nowMs) {
        steps = scope.steps;
        deadlineMs = nowMs + timeoutMs;
    }

    /** What to do now that the step before is done, or its time is over; END comes last, and again if asked again. */
    public Step next(boolean connected, long nowMs) {
        while (next < steps.length - 1) {
            Step step = steps[next++];
            if (nowMs >= deadlineMs) {
                cut = true;
            } else if (connected || !step.needsConnection) {
                return step;
            }
        }
        return Step.END;
    }

    /** How long the step may take from now on, ms. */
    public long limitMs(Step step, long nowMs) {
        return Math.max(0, Math.min(step.limitMs, deadlineMs - nowMs));
    }

    /** Whether steps were left out because the time was over. */
    public boolean isCut() {
        return cut;
    }
}
