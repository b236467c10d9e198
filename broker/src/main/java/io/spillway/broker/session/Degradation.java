package io.spillway.broker.session;

import io.spillway.broker.base.Clock;
import io.spillway.broker.base.Published;
import io.spillway.broker.flow.DegradationStep;
import io.spillway.broker.flow.Situation;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one place that knows at which step of degradation the broker is. Each change gives one event and reaches those who act
 * on it. {@link #tick} is confined to one thread; what it shows is thread-safe.
 */
public final class Degradation {
    private static final Logger LOG = LoggerFactory.getLogger(Degradation.class);

    /**
     * Where the broker is.
     *
     * @param sinceMs when it came there; ms since 1970
     */
    public record View(DegradationStep step, String why, long sinceMs) {}

    private final Supplier<Situation> situation;
    private final Consumer<Boolean> holdReplays;
    private final Clock clock;
    private final Published<View> view;
    private boolean holds;

    /** @param holdReplays told when replays have to wait, and when they go on */
    public Degradation(Supplier<Situation> situation, Consumer<Boolean> holdReplays, Clock clock) {
        this.situation = situation;
        this.holdReplays = holdReplays;
        this.clock = clock;
        view = new Published<>(new View(DegradationStep.NORMAL, "", clock.nowMs()));
    }

    public View view() {
        return view.get();
    }

    public void tick() {
        Situation now = situation.get();
        move(now.stand());
        if (now.holdsReplays() != holds) {
            holds = now.holdsReplays();
            holdReplays.accept(holds);
        }
    }

    private void move(Situation.Stand stand) {
        View before = view.get();
        if (stand.step() == before.step()) {
            return;
        }
        view.set(new View(stand.step(), stand.why(), clock.nowMs()));
        LOG.info(
                "event=degradation from={} to={} step={} why=\"{}\" lacks=\"{}\" next=\"{}\"",
                before.step(),
                stand.step(),
                stand.step().number(),
                stand.why().isEmpty() ? before.step() + " is over" : stand.why(),
                stand.step().lacks(),
                stand.step().next());
    }
}
