package io.spillway.broker.session;

import io.spillway.broker.shard.ToggleChange;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.Toggles;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells clients what is toggled whenever it changes, takes back what nobody confirmed in time, and warns of what should be
 * gone. Only the leader takes back; a new one goes on with what the old one had to. Confined to one thread.
 */
public final class ToggleWatch {
    /** The interval of {@link #tick} in ms. */
    public static final int TICK_MS = 100;

    private static final Logger LOG = LoggerFactory.getLogger(ToggleWatch.class);
    private static final String WHO = "broker";
    /** A change that could not be made is tried again after so many ticks. */
    private static final int AGAIN_TICKS = 50;

    private static final long NEVER = -AGAIN_TICKS;

    private final SessionContext context;
    private final Set<String> warned = new HashSet<>();
    private Toggles told = Toggles.NONE;
    /** When those that are due were asked to be taken back, by name and revision. */
    private final Map<String, Long> asked = new HashMap<>();

    private long tick;

    public ToggleWatch(SessionContext context) {
        this.context = context;
    }

    public void tick() {
        Toggles now = context.toggles();
        if (now != told) {
            told = now;
            context.byInstance.values().forEach(session -> session.tellToggles(now));
        }
        long nowMs = context.clock.nowMs();
        tick++;
        Set<String> known = new HashSet<>();
        now.all().forEach(toggle -> known.add(id(toggle)));
        warned.retainAll(known);
        asked.keySet().retainAll(known);
        for (Toggle toggle : now.all()) {
            if (toggle.isDue(nowMs)) {
                takeBack(toggle);
            }
            warn(toggle, nowMs);
        }
    }

    private void takeBack(Toggle toggle) {
        if (!context.leads() || tick - asked.getOrDefault(id(toggle), NEVER) < AGAIN_TICKS) {
            return;
        }
        asked.put(id(toggle), tick);
        String before = ToggleSettings.text(toggle.before());
        Toggle.Why why = new Toggle.Why(
                WHO,
                "nobody confirmed it in time: " + toggle.why().reason(),
                toggle.why().ticket());
        context.toggleSettings()
                .change(ToggleChange.revert(toggle.name(), toggle.revision(), why))
                .whenComplete((done, failure) -> {
                    if (failure == null) {
                        LOG.info(
                                "event=toggle_reverted what={} to=\"{}\" why=\"not confirmed in time\" "
                                        + "next=\"set it again, then: spillway toggle confirm\"",
                                toggle.name(),
                                before);
                    } else {
                        LOG.warn(
                                "event=toggle_not_reverted what={} why=\"{}\" next=\"it is tried again in 5 s\"",
                                toggle.name(),
                                failure.getMessage());
                    }
                });
    }

    private void warn(Toggle toggle, long nowMs) {
        if (toggle.isExpired(nowMs) && warned.add(id(toggle))) {
            LOG.warn(
                    "event=toggle_expired what={} why=\"it should be gone, and holds all the same: {}\" "
                            + "next=\"spillway toggle set {} default, or set it with a later --expires\"",
                    toggle.name(),
                    toggle.why().reason(),
                    toggle.name());
        }
    }

    private static String id(Toggle toggle) {
        return toggle.name() + "@" + toggle.revision();
    }
}
