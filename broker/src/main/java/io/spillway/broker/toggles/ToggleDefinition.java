package io.spillway.broker.toggles;

import java.util.List;

/**
 * A toggle as the code knows it.
 *
 * @param fallback the value when nobody set another
 * @param values all there are; empty = any word
 * @param unit what a share is a share of
 * @param scopes of {@link ToggleScope} that it can be bound to
 * @param owner the package that asks it; empty = applications
 */
public record ToggleDefinition(
        String name,
        ToggleKind kind,
        String fallback,
        List<String> values,
        String unit,
        List<String> scopes,
        String owner,
        String what) {
    public static final String ON = "on";
    public static final String OFF = "off";

    static final List<String> SWITCH = List.of(ON, OFF);

    public ToggleDefinition {
        values = List.copyOf(values);
        scopes = List.copyOf(scopes);
    }
}
