package io.spillway.client;

import java.nio.charset.StandardCharsets;

/** One header of a record. A name may occur more than once. The value is not copied. */
public record Header(String name, byte[] value) {
    /** The value read as UTF-8. */
    public String text() {
        return new String(value, StandardCharsets.UTF_8);
    }
}
