package io.spillway.bench.peers;

import java.util.Map;
import java.util.stream.Collectors;

/** As much of JSON as a result needs: names, numbers, words. */
final class Json {
    private Json() {}

    static String of(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(each -> "\"" + each.getKey() + "\":" + of(each.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        return value instanceof String text ? "\"" + text + "\"" : String.valueOf(value);
    }
}
