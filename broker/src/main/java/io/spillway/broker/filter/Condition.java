package io.spillway.broker.filter;

import java.util.List;

/** A compiled part of a filter. Slots are those of {@link Subject}. */
sealed interface Condition {
    boolean holds(Subject subject);

    record AnyOf(List<Condition> parts) implements Condition {
        @Override
        public boolean holds(Subject subject) {
            for (int i = 0; i < parts.size(); i++) {
                if (parts.get(i).holds(subject)) {
                    return true;
                }
            }
            return false;
        }
    }

    record AllOf(List<Condition> parts) implements Condition {
        @Override
        public boolean holds(Subject subject) {
            for (int i = 0; i < parts.size(); i++) {
                if (!parts.get(i).holds(subject)) {
                    return false;
                }
            }
            return true;
        }
    }

    record Not(Condition part) implements Condition {
        @Override
        public boolean holds(Subject subject) {
            return !part.holds(subject);
        }
    }

    record Has(int slot) implements Condition {
        @Override
        public boolean holds(Subject subject) {
            return subject.bytes(slot) >= 0;
        }
    }

    record IsText(int slot, byte[] text) implements Condition {
        @Override
        public boolean holds(Subject subject) {
            return subject.bytes(slot) == text.length && subject.hasAt(slot, text);
        }
    }

    record BeginsWith(int slot, byte[] text) implements Condition {
        @Override
        public boolean holds(Subject subject) {
            return subject.bytes(slot) >= text.length && subject.hasAt(slot, text);
        }
    }

    /** Searches in one pass whatever the texts are (Knuth, Morris, Pratt 1977). */
    record Contains(int slot, byte[] text, int[] fallbacks) implements Condition {
        static Contains of(int slot, byte[] text) {
            int[] fallbacks = new int[text.length];
            int matched = 0;
            for (int i = 1; i < text.length; i++) {
                while (matched > 0 && text[i] != text[matched]) {
                    matched = fallbacks[matched - 1];
                }
                if (text[i] == text[matched]) {
                    matched++;
                }
                fallbacks[i] = matched;
            }
            return new Contains(slot, text, fallbacks);
        }

        @Override
        public boolean holds(Subject subject) {
            int bytes = subject.bytes(slot);
            if (bytes < text.length) {
                return false;
            }
            int matched = 0;
            for (int i = 0; i < bytes && matched < text.length; i++) {
                byte next = subject.byteAt(slot, i);
                while (matched > 0 && next != text[matched]) {
                    matched = fallbacks[matched - 1];
                }
                if (next == text[matched]) {
                    matched++;
                }
            }
            return matched == text.length;
        }
    }

    /** Compares an integer: one that a header or the key spells, or one of {@link Number}. */
    record Compares(int slot, Number number, Comparison comparison, long literal) implements Condition {
        @Override
        public boolean holds(Subject subject) {
            return switch (number) {
                case SPELLED -> subject.readInteger(slot) && comparison.holds(subject.integer(), literal);
                case PARTITION -> comparison.holds(subject.partition(), literal);
                case OFFSET -> comparison.holds(subject.offset(), literal);
                case TIME -> comparison.holds(subject.appendTimeMs(), literal);
            };
        }
    }

    enum Number {
        SPELLED,
        PARTITION,
        OFFSET,
        TIME
    }

    enum Comparison {
        EQUAL,
        LESS,
        AT_MOST,
        MORE,
        AT_LEAST;

        boolean holds(long left, long right) {
            return switch (this) {
                case EQUAL -> left == right;
                case LESS -> left < right;
                case AT_MOST -> left <= right;
                case MORE -> left > right;
                case AT_LEAST -> left >= right;
            };
        }
    }
}
