package io.spillway.broker.auth;

import java.util.regex.Pattern;

/** What principals may be called. */
public final class Principals {
    /** Who said nothing of himself. */
    public static final String ANONYMOUS = "anonymous";

    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9 ._@:/+-]{0,254}");

    private Principals() {}

    /** A name that may stand in rules, logs and SCRAM messages as it is. */
    public static boolean isValid(String name) {
        return VALID.matcher(name).matches() && !name.equals(ANONYMOUS);
    }

    /** Throws IllegalArgumentException for what is no name. */
    public static String check(String name) {
        if (!isValid(name)) {
            throw new IllegalArgumentException(
                    "a principal has 1 to 255 of A-Z a-z 0-9 . _ @ : / + - and space, begins with a letter or digit, and is "
                            + "not called " + ANONYMOUS);
        }
        return name;
    }
}
