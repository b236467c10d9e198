package io.spillway.broker.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads modes as they are written on a command line, key-ordered, or as the broker shows them, key_ordered. */
record ModeParser<E extends Enum<E>>(Class<E> modes) implements ITypeConverter<E> {
    @Override
    public E convert(String text) {
        for (E mode : modes.getEnumConstants()) {
            if (written(mode).equals(text.toLowerCase(Locale.ROOT).replace('_', '-'))) {
                return mode;
            }
        }
        throw new TypeConversionException("'" + text + "' is none of "
                + Arrays.stream(modes.getEnumConstants())
                        .map(ModeParser::written)
                        .collect(Collectors.joining(", ")));
    }

    private static String written(Enum<?> mode) {
        return mode.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
