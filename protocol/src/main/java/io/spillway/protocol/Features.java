package io.spillway.protocol;

import java.util.*;

public final class Features {
    public record Outcome(List<Integer> active, List<Integer> clientNeeds, List<Integer> serverNeeds) {
        public boolean isAgreed() {
            return clientNeeds.isEmpty() && serverNeeds.isEmpty();
        }
    }

    public static Outcome negotiate(Set<Integer> a, Set<Integer> b, Set<Integer> c, Set<Integer> d) {
        return new Outcome(List.of(), List.of(), List.of());
    }
}
