package io.spillway.broker.cli;

import io.spillway.client.ReplayTarget;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * A target as it is typed.
 *
 * @param file what the command itself writes; otherwise null
 */
record ReplayTargetOption(ReplayTarget target, @Nullable Path file) {

    /** Reads targets of options. */
    static final class Parser implements ITypeConverter<ReplayTargetOption> {
        @Override
        public ReplayTargetOption convert(String text) {
            int colon = text.indexOf(':');
            String kind = colon < 0 ? text : text.substring(0, colon);
            String name = colon < 0 ? "" : text.substring(colon + 1);
            if (kind.equals("origin") && name.isEmpty()) {
                return new ReplayTargetOption(ReplayTarget.origin(), null);
            }
            if (name.isEmpty()) {
                throw unknown(text);
            }
            return switch (kind) {
                case "group" -> new ReplayTargetOption(ReplayTarget.group(name), null);
                case "new-group" -> new ReplayTargetOption(ReplayTarget.newGroup(name), null);
                case "topic" -> new ReplayTargetOption(ReplayTarget.topic(name), null);
                case "file" -> new ReplayTargetOption(ReplayTarget.origin(), Path.of(name));
                default -> throw unknown(text);
            };
        }

        private static TypeConversionException unknown(String text) {
            return new TypeConversionException(
                    "'" + text + "' is none of group:G, new-group:G, topic:T, origin, file:PATH");
        }
    }
}
