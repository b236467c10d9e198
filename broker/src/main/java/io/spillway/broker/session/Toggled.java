package io.spillway.broker.session;

import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleSetting;
import io.spillway.broker.toggles.ToggleUnit;
import io.spillway.broker.toggles.Toggles;
import io.spillway.protocol.v1.ToggleUpdate;

/**
 * What is toggled for one client.
 *
 * @param shedClassMin the least class of its publishes that is refused whatever the pressure
 */
record Toggled(boolean allowsDegraded, boolean zoneBias, int shedClassMin) {
    private static final int NO_CLASS = Integer.MAX_VALUE;

    /** Nothing is. */
    static final Toggled NOTHING = new Toggled(true, true, NO_CLASS);

    static Toggled of(Toggles toggles, ToggleUnit client) {
        String shed = toggles.value(KnownToggles.SHED_CLASS_MIN, client);
        return new Toggled(
                toggles.isOn(KnownToggles.ACK_DEGRADED_ALLOWED, client),
                toggles.isOn(KnownToggles.DISPATCH_ZONE_BIAS, client),
                shed.equals(KnownToggles.NONE) ? NO_CLASS : Integer.parseInt(shed));
    }

    /** All that is toggled, as this client is to see it. */
    static ToggleUpdate update(Toggles toggles, ToggleUnit client) {
        ToggleUpdate.Builder update =
                ToggleUpdate.newBuilder().setRevision(toggles.revision()).setFull(true);
        for (Toggle toggle : toggles.all()) {
            ToggleSetting setting = toggles.seenBy(toggle, client);
            update.addToggles(io.spillway.protocol.v1.Toggle.newBuilder()
                    .setName(toggle.name())
                    .setKind(toggle.definition().kind().ordinal())
                    .setRolloutBp(setting.rolloutBp())
                    .setValue(setting.value())
                    .setFallback(toggle.definition().fallback())
                    .setExpiresUnixMs(setting.expiresMs()));
        }
        return update.build();
    }
}
