package io.spillway.broker.base;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds what a person meant who mistyped a name, by Levenshtein distance. */
public final class NearestName {
    private NearestName() {}

    /** The known name nearest to the given one; empty when more than half of it would have to change. */
    public static Optional<String> of(String given, Collection<String> known) {
        return known.stream()
                .min(Comparator.comparingInt((String name) -> distance(given, name))
                        .thenComparing(Comparator.naturalOrder()))
                .filter(name -> distance(given, name) * 2 <= Math.max(given.length(), name.length()));
    }

    private static int distance(String from, String to) {
        int[] previous = new int[to.length() + 1];
        for (int column = 0; column <= to.length(); column++) {
            previous[column] = column;
        }
        for (int row = 1; row <= from.length(); row++) {
            int[] current = new int[to.length() + 1];
            current[0] = row;
            for (int column = 1; column <= to.length(); column++) {
                int change = from.charAt(row - 1) == to.charAt(column - 1) ? 0 : 1;
                int insertOrDelete = Math.min(previous[column], current[column - 1]) + 1;
                current[column] = Math.min(insertOrDelete, previous[column - 1] + change);
            }
            previous = current;
        }
        return previous[to.length()];
    }
}
