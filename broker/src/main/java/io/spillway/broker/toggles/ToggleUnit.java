package io.spillway.broker.toggles;

/**
 * Whom a toggle is asked for.
 *
 * @param id what makes it one of many
 * @param principal empty, as the others, when there is none
 */
public record ToggleUnit(byte[] id, String principal, String lang, String zone, String topic) {
    /** Whether a setting of this scope is for it. */
    boolean isIn(ToggleScope scope) {
        return switch (scope.kind()) {
            case "" -> true;
            case ToggleScope.PRINCIPAL -> scope.name().equals(principal);
            case ToggleScope.LANG -> scope.name().equals(lang);
            case ToggleScope.ZONE -> scope.name().equals(zone);
            case ToggleScope.TOPIC -> scope.name().equals(topic);
            default -> false;
        };
    }
}
