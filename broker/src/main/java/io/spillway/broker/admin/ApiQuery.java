package io.spillway.broker.admin;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.session.House;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Start;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The parameters of a request of the console, read and bounded. */
final class ApiQuery {
    static final String REASON = "reason";

    /** Parameters of this prefix are settings. */
    private static final String SETTING = "set.";

    private static final int MAX_TEXT = 1_024;

    private final AdminRequest request;

    ApiQuery(AdminRequest request) {
        this.request = request;
    }

    /** Throws INVALID_ARGUMENT for a parameter that is not among these. */
    ApiQuery only(Set<String> known) {
        for (String name : request.query().keySet()) {
            if (!known.contains(name) && !name.startsWith(SETTING) && !name.equals(AdminRequest.BY)) {
                throw invalid("the parameter " + name + " is not known", "it takes " + new TreeSet<>(known));
            }
        }
        return this;
    }

    /** Who asks. */
    House.Visitor who() {
        return request.visitor();
    }

    /** Empty when it is not there. */
    String text(String name) {
        String text = request.query().getOrDefault(name, "");
        if (text.length() > MAX_TEXT) {
            throw invalid(name + " has " + text.length() + " characters", "at most " + MAX_TEXT);
        }
        return text;
    }

    String needed(String name) {
        String text = text(name);
        if (text.isBlank()) {
            throw invalid("the parameter " + name + " is missing", "it is needed");
        }
        return text;
    }

    boolean flag(String name) {
        return text(name).equals("true");
    }

    long number(String name, long otherwise, long least, long most) {
        String text = text(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        boolean isNumber = text.matches("\\d{1,18}");
        long number = isNumber ? Long.parseLong(text) : -1;
        if (!isNumber || number < least || number > most) {
            throw invalid(name + " is " + text, "it must be from " + least + " to " + most);
        }
        return number;
    }

    int count(String name, int otherwise, int most) {
        return (int) number(name, otherwise, 0, most);
    }

    /** What is separated by commas. */
    List<String> list(String name) {
        return Arrays.stream(text(name).split(","))
                .map(String::strip)
                .filter(each -> !each.isEmpty())
                .toList();
    }

    /** Settings of a topic or group, as {@code set.NAME=VALUE}. */
    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String name : request.query().keySet()) {
            if (name.startsWith(SETTING)) {
                settings.put(name.substring(SETTING.length()), text(name));
            }
        }
        return settings;
    }

    /** {@code earliest}, {@code latest}, {@code offset:PARTITION:OFFSET} or {@code time:MS}; nothing when it is not there. */
    Start position(String name) {
        String text = text(name);
        if (text.isEmpty()) {
            return Start.getDefaultInstance();
        }
        if (text.equals("earliest")) {
            return Start.newBuilder().setKind(1).build();
        }
        if (text.equals("latest")) {
            return Start.newBuilder().setKind(2).build();
        }
        if (text.matches("offset:\\d{1,9}:\\d{1,18}")) {
            String[] parts = text.split(":", 3);
            return Start.newBuilder()
                    .setKind(3)
                    .setPartition(Integer.parseInt(parts[1]))
                    .setOffset(Long.parseLong(parts[2]))
                    .build();
        }
        if (text.matches("time:\\d{1,15}")) {
            return Start.newBuilder()
                    .setKind(4)
                    .setUnixMs(Long.parseLong(text.substring("time:".length())))
                    .build();
        }
        throw invalid(name + " is " + text, "there are earliest, latest, offset:PARTITION:OFFSET and time:MS");
    }

    static SpillwayException invalid(String what, String why) {
        return new SpillwayException(Code.INVALID_ARGUMENT, what, why, "correct it; see docs/operations/console.md");
    }
}
