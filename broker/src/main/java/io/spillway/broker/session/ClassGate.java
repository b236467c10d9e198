package io.spillway.broker.session;

import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.catalog.TopicCatalog;
import io.spillway.broker.catalog.TopicConfig;
import io.spillway.broker.catalog.TopicSpec;
import io.spillway.broker.flow.PressureSignal;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Backpressure;
import io.spillway.protocol.v1.PressureState;
import io.spillway.protocol.v1.Publish;
import org.jspecify.annotations.Nullable;

/**
 * How much the publishes of one publisher matter, and what follows from it. The class is what a publish says, else the topic's,
 * and at least what an operator gave the topic. Confined to the event loop.
 */
final class ClassGate {
    private static final int SPREAD_PART = 4;
    private static final int BULK_CLASS = 3;
    /** Longer than the second after which a state that lasts is told again. */
    private static final int BULK_PAUSE_MS = 1_200;

    private static final int ADMIN_RETRY_MS = 2_000;

    private final SessionContext context;
    private final Load load;
    private final Published<Toggled> toggled;
    private final String topic;
    private @Nullable TopicCatalog catalog;
    private int topicsClass;
    private int leastClass;
    /** Of the last publish; before the first the topic's. */
    private int shedClass;

    private boolean bulkPaused;

    ClassGate(SessionContext context, Load load, Published<Toggled> toggled, String topic) {
        this.context = context;
        this.load = load;
        this.toggled = toggled;
        this.topic = topic;
        followTopic();
        shedClass = topicsClass;
    }

    private void followTopic() {
        TopicCatalog now = context.catalog.get();
        if (now != catalog) {
            catalog = now;
            TopicSpec found = now.find(topic);
            topicsClass = found == null
                    ? TopicConfig.DEFAULT.shedClass()
                    : found.config().shedClass();
            leastClass = found == null ? 0 : found.switches().shedClass();
        }
    }

    /** That of what says nothing. */
    int ofTopic() {
        return topicsClass;
    }

    /** The class of a publish. */
    int of(Publish header) {
        followTopic();
        shedClass = header.hasShedClass() ? header.getShedClass() : topicsClass;
        return Math.max(shedClass, leastClass);
    }

    /** Why the publish that was looked at last is refused, or null. */
    @Nullable
    SpillwayException refusal() {
        int least = Math.max(shedClass, leastClass);
        if (least >= toggled.get().shedClassMin()) {
            return toggledOff(least);
        }
        PressureSignal now = load.memory().signal();
        return now.sheds(least) ? shed(least, now) : null;
    }

    private SpillwayException shed(int refusedClass, PressureSignal now) {
        boolean isThrottled = now.state() == PressureState.P_THROTTLED;
        return refused(
                isThrottled ? Code.THROTTLED : Code.OVERLOADED,
                refusedClass,
                now.scope() + " is " + now.state().name().substring(2) + " because of " + now.cause(),
                now.retryAfterMs(),
                now.cause(),
                now.scope());
    }

    private SpillwayException toggledOff(int refusedClass) {
        return refused(
                Code.OVERLOADED,
                refusedClass,
                "an operator has set the toggle " + KnownToggles.SHED_CLASS_MIN + " to "
                        + toggled.get().shedClassMin(),
                ADMIN_RETRY_MS,
                "ADMIN",
                PressureSignal.BROKER);
    }

    private SpillwayException refused(
            Code code, int refusedClass, String why, int waitMs, String reason, String scope) {
        context.shed.increment();
        return new SpillwayException(
                        code,
                        "a publish of class " + refusedClass + " was refused before any work",
                        why,
                        "send again after the stated time; publishes of lower classes go on",
                        waitMs + context.random.nextInt(waitMs / SPREAD_PART + 1),
                        null)
                .with("reason", reason)
                .with("scope", scope)
                .with("shed_class", Integer.toString(refusedClass));
    }

    /** What a bulk publisher is told of its domain's pressure, for itself alone; null when it is nothing. */
    Backpressure.@Nullable Builder bulk(PressureSignal signal) {
        followTopic();
        boolean isBulk = Math.max(shedClass, leastClass) >= BULK_CLASS;
        boolean wasPaused = bulkPaused;
        bulkPaused = isBulk && signal.state() == PressureState.P_ELEVATED;
        if (bulkPaused) {
            int waitMs = BULK_PAUSE_MS + context.random.nextInt(BULK_PAUSE_MS / SPREAD_PART);
            return told(signal, PressureState.P_THROTTLED, waitMs);
        }
        return wasPaused ? told(signal, signal.state(), 0) : null;
    }

    private static Backpressure.Builder told(PressureSignal signal, PressureState state, int waitMs) {
        return Backpressure.newBuilder()
                .setSeq(signal.seq())
                .setState(state)
                .addAllReasons(signal.reasons())
                .setRetryAfterMs(waitMs)
                .setValidForMs(signal.validForMs())
                .setScope(signal.scope());
    }
}
