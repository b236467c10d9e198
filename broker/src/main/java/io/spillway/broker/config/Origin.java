package io.spillway.broker.config;

/**
 * Where the value of a setting came from.
 *
 * @param where the line of the file, the variable or the flag; empty for a default
 */
public record Origin(Kind kind, String where) {
    /** The sources, in rising order of precedence. */
    public enum Kind {
        DEFAULT("default"),
        FILE("file"),
        ENVIRONMENT("environment"),
        FLAG("flag");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    static final Origin DEFAULT = new Origin(Kind.DEFAULT, "");

    @Override
    public String toString() {
        return where.isEmpty() ? kind.toString() : kind + " " + where;
    }
}
