package io.spillway.client;

import com.google.protobuf.ByteString;
import io.spillway.protocol.Rollout;
import io.spillway.protocol.v1.Toggle;
import io.spillway.protocol.v1.ToggleUpdate;
import java.util.HashMap;
import java.util.Map;

/**
 * What operators have toggled, as it is for one client; {@link SpillwayClient#toggles} has the newest. Immutable. Asking costs a
 * look into a map.
 */
public final class Toggles {
    static final Toggles NONE = new Toggles(0, Map.of());

    private static final String ON = "on";

    private final long revision;
    private final Map<String, String> values;

    private Toggles(long revision, Map<String, String> values) {
        this.revision = revision;
        this.values = values;
    }

    static Toggles of(ToggleUpdate update, ByteString instanceId) {
        byte[] id = instanceId.toByteArray();
        Map<String, String> values = new HashMap<>();
        for (Toggle toggle : update.getTogglesList()) {
            boolean isIn = Rollout.includes(toggle.getName(), id, toggle.getRolloutBp());
            values.put(toggle.getName(), isIn ? toggle.getValue() : toggle.getFallback());
        }
        return new Toggles(update.getRevision(), Map.copyOf(values));
    }

    /** Whether it is on for this client; false when nobody set it. */
    public boolean isEnabled(String name) {
        return value(name, "").equals(ON);
    }

    /** What it is for this client; the fallback when nobody set it. */
    public String value(String name, String fallback) {
        return values.getOrDefault(name, fallback);
    }

    /** Grows with each change; 0 while the broker has said nothing of any. */
    public long revision() {
        return revision;
    }
}
