package io.spillway.chaos.clients;

import java.util.List;

/** The groups that read. */
public final class Groups {
    /**
     * A group that has a member in every language.
     *
     * @param mode as drivers name it
     */
    public record Group(String name, String mode) {}

    /** One record of a key at a time. */
    public static final Group ORDERED = new Group("ordered", "key_ordered");

    public static final Group SHARED = new Group("shared", "shared");
    public static final List<Group> ALL = List.of(ORDERED, SHARED);

    private Groups() {}
}
