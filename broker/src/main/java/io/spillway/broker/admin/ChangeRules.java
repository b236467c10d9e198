package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.util.Set;
import java.util.TreeSet;

/**
 * What holds for every change by HTTP of one kind of thing.
 *
 * @param subject such as "links are"
 * @param command of the CLI that does the same
 * @param page below docs/operations that tells of it
 */
record ChangeRules(String subject, String command, String page) {
    /** Throws PERMISSION_DENIED for a page's request that is not the console's, INVALID_ARGUMENT for a parameter that is not among these. */
    void check(AdminRequest request, Set<String> taken) {
        if (request.origin() == Origin.PAGE) {
            throw new SpillwayException(
                    Code.PERMISSION_DENIED,
                    subject + " not changed from a web page",
                    "the request has the header Origin, which browsers send, and it is not of the broker's console",
                    "use the console, spillway " + command + ", or a program that sends no Origin");
        }
        for (String name : request.query().keySet()) {
            if (!taken.contains(name) && !name.equals(AdminRequest.BY)) {
                throw invalid("the parameter " + name + " is not known", "it takes " + new TreeSet<>(taken));
            }
        }
    }

    SpillwayException invalid(String what, String why) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT, what, why, "correct it; see docs/operations/" + page + ".md");
    }
}
