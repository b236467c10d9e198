package io.spillway.protocol;

import java.util.List;
import java.util.Set;

/** Agreement on optional features: active is what both sides offer; what either requires, the other must offer. */
public final class Features {
    /** The broker reads {@code HEALTH_REPORT}, and so the client sends it. */
    public static final int HEALTH_REPORTS = 1;

    /** The broker sends {@code BACKPRESSURE} on channel 0, and the client heeds it. */
    public static final int PRESSURE = 2;

    /** The broker sends {@code TOGGLE_UPDATE}, and the client keeps what it says. */
    public static final int TOGGLES = 3;

    private Features() {}

    /**
     * @param active what both offer, in order
     * @param clientNeeds what the client requires and the server does not offer
     * @param serverNeeds what the server requires and the client does not offer
     */
    public record Outcome(List<Integer> active, List<Integer> clientNeeds, List<Integer> serverNeeds) {
        public boolean isAgreed() {
            return clientNeeds.isEmpty() && serverNeeds.isEmpty();
        }
    }

    public static Outcome negotiate(
            Set<Integer> clientOffers,
            Set<Integer> clientRequires,
            Set<Integer> serverOffers,
            Set<Integer> serverRequires) {
        return new Outcome(
                clientOffers.stream().filter(serverOffers::contains).sorted().toList(),
                missing(clientRequires, serverOffers),
                missing(serverRequires, clientOffers));
    }

    private static List<Integer> missing(Set<Integer> required, Set<Integer> offered) {
        return required.stream()
                .filter(feature -> !offered.contains(feature))
                .sorted()
                .toList();
    }
}
