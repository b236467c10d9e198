package io.spillway.chaos.check;

import java.util.function.Consumer;

/** Something that must hold for every round, whatever went wrong in it. */
interface Rule {
    void check(Evidence evidence, Consumer<String> broken);
}
