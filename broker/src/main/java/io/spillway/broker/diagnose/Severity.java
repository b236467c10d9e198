package io.spillway.broker.diagnose;

/** How bad it is; the numbers are those of Nagios plugins. */
public enum Severity {
    OK,
    WARNING,
    CRITICAL,
    UNKNOWN;

    /** 0 to 3. */
    public int number() {
        return ordinal();
    }

    /** The worse of two. Not to know is worse than all being well, and better than knowing of something. */
    public Severity worse(Severity other) {
        return rank(other) > rank(this) ? other : this;
    }

    static int worstFirst(Severity one, Severity other) {
        return rank(other) - rank(one);
    }

    private static int rank(Severity of) {
        return switch (of) {
            case OK -> 0;
            case UNKNOWN -> 1;
            case WARNING -> 2;
            case CRITICAL -> 3;
        };
    }
}
