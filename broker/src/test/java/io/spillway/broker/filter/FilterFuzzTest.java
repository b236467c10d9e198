package io.spillway.broker.filter;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Seeded;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Random filters against the plainest evaluation of the same condition, and text that is no filter. */
class FilterFuzzTest {
    private static final int ROUNDS = 300;
    private static final Pattern AT = Pattern.compile("the filter cannot be read at character (\\d+)");
    private static final String[] SCRAPS = {
        "a",
        "b-1",
        "has",
        "in",
        "$key",
        "$offset",
        "$",
        "'x'",
        "'",
        "''",
        "`",
        "`n`",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "<",
        ">=",
        "^=",
        "*=",
        "!",
        "&&",
        "||",
        "&",
        "|",
        "1",
        "-",
        "-7",
        "99999999999999999999",
        " ",
        "\n",
        "é",
        "\uD83D\uDE00",
        "\uD83D"
    };
    private static final String[] NAMES = {"a", "ab", "b.c", "`in`", "`x y`"};
    private static final String[] VALUES = {"", "a", "ab", "aab", "abab", "0", "1", "-1", "10", "1x", "it's", "é"};

    private record Case(String text, Predicate<FilterRecord> means) {}

    @Seeded
    void textThatIsNoFilterIsRefusedAtAPlaceInsideIt(RandomGenerator random) {
        for (int round = 0; round < ROUNDS; round++) {
            StringBuilder text = new StringBuilder();
            for (int scraps = random.nextInt(30); scraps >= 0; scraps--) {
                text.append(SCRAPS[random.nextInt(SCRAPS.length)]);
            }
            try {
                record(random).matches(Filter.parse(text.toString()));
            } catch (SpillwayException e) {
                assertThat(e.code()).isEqualTo(Code.INVALID_ARGUMENT);
                Matcher place = AT.matcher(e.what());
                assertThat(place.matches()).as(e.what()).isTrue();
                assertThat(Integer.parseInt(place.group(1))).as(text.toString()).isBetween(1, text.length() + 1);
            }
        }
    }

    @Seeded
    void aFilterMeansWhatItSays(RandomGenerator random) {
        int met = 0;
        int checked = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Case one = condition(random, 4);
            if (one.text.length() > Filter.MAX_CHARS) {
                continue;
            }
            Filter filter = Filter.parse(one.text);
            for (int i = 0; i < 5; i++) {
                FilterRecord record = record(random);
                boolean expected = one.means.test(record);
                assertThat(record.matches(filter))
                        .as("%s of %s", one.text, record)
                        .isEqualTo(expected);
                met += expected ? 1 : 0;
                checked++;
            }
        }
        assertThat(met).isBetween(checked / 10, checked - checked / 10);
    }

    private static FilterRecord record(RandomGenerator random) {
        List<Map.Entry<String, String>> headers = new ArrayList<>();
        for (int count = random.nextInt(5); count > 0; count--) {
            headers.add(Map.entry(bare(pick(random, NAMES)), pick(random, VALUES)));
        }
        String key = random.nextBoolean() ? pick(random, VALUES) : null;
        return new FilterRecord(headers, key, random.nextInt(3), random.nextInt(3), random.nextInt(3));
    }

    private static Case condition(RandomGenerator random, int depth) {
        int form = depth == 0 ? 9 : random.nextInt(10);
        if (form < 2) {
            Case left = condition(random, depth - 1);
            Case right = condition(random, depth - 1);
            return new Case("(" + left.text + "||" + right.text + ")", left.means.or(right.means));
        }
        if (form < 4) {
            Case left = condition(random, depth - 1);
            Case right = condition(random, depth - 1);
            return new Case("(" + left.text + " && " + right.text + ")", left.means.and(right.means));
        }
        if (form < 6) {
            Case part = condition(random, depth - 1);
            return new Case("!" + part.text, part.means.negate());
        }
        return random.nextBoolean() ? textTest(random) : numberTest(random);
    }

    private static Case textTest(RandomGenerator random) {
        String name = random.nextInt(5) == 0 ? "$key" : pick(random, NAMES);
        String text = pick(random, VALUES);
        String literal = "'" + text.replace("'", "''") + "'";
        String other = pick(random, VALUES);
        String otherLiteral = "'" + other.replace("'", "''") + "'";
        return switch (random.nextInt(6)) {
            case 0 -> new Case(name + "=" + literal, record -> text.equals(value(record, name)));
            case 1 -> new Case(name + " != " + literal, record -> !text.equals(value(record, name)));
            case 2 ->
                new Case(name + " ^= " + literal, record -> is(value(record, name), value -> value.startsWith(text)));
            case 3 -> new Case(name + "*=" + literal, record -> is(value(record, name), value -> value.contains(text)));
            case 4 ->
                new Case(
                        name + " in (" + literal + ", " + otherLiteral + ")",
                        record -> is(value(record, name), value -> value.equals(text) || value.equals(other)));
            default ->
                name.equals("$key")
                        ? new Case("$key ^= ''", record -> record.key() != null)
                        : new Case("has(" + name + ")", record -> value(record, name) != null);
        };
    }

    private static Case numberTest(RandomGenerator random) {
        String name =
                random.nextBoolean() ? pick(random, NAMES) : pick(random, "$partition", "$offset", "$time", "$key");
        long literal = random.nextInt(-2, 12);
        return switch (random.nextInt(6)) {
            case 0 -> new Case(name + " = " + literal, record -> is(number(record, name), number -> number == literal));
            case 1 -> new Case(name + "!=" + literal, record -> !is(number(record, name), number -> number == literal));
            case 2 -> new Case(name + " < " + literal, record -> is(number(record, name), number -> number < literal));
            case 3 -> new Case(name + "<=" + literal, record -> is(number(record, name), number -> number <= literal));
            case 4 -> new Case(name + " > " + literal, record -> is(number(record, name), number -> number > literal));
            default -> new Case(name + ">=" + literal, record -> is(number(record, name), number -> number >= literal));
        };
    }

    private static <T> boolean is(@Nullable T value, Predicate<T> test) {
        return value != null && test.test(value);
    }

    private static @Nullable String value(FilterRecord record, String name) {
        return name.equals("$key")
                ? record.key()
                : record.headers().stream()
                        .filter(header -> header.getKey().equals(bare(name)))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse(null);
    }

    private static @Nullable Long number(FilterRecord record, String name) {
        return switch (name) {
            case "$partition" -> Long.valueOf(record.partition());
            case "$offset" -> record.offset();
            case "$time" -> record.timeMs();
            default -> {
                String value = value(record, name);
                yield value != null && value.matches("-?[0-9]+") ? Long.valueOf(value) : null;
            }
        };
    }

    private static String bare(String name) {
        return name.replace("`", "");
    }

    private static String pick(RandomGenerator random, String... from) {
        return Objects.requireNonNull(from[random.nextInt(from.length)]);
    }
}
