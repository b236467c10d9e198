package io.spillway.broker.filter;

import io.spillway.protocol.RecordView;

/**
 * A condition on records: their headers, their key, and where and when they were appended (docs/protocol.md, Filters).
 * Evaluating it reads the headers of a record once, allocates nothing and always ends: a test costs no more than reading
 * the headers it is about.
 *
 * <p>Not thread-safe: it has scratch memory.
 */
public final class Filter {
    public static final int MAX_CHARS = 1024;
    public static final int MAX_TESTS = 64;
    /** Parentheses and negations around a test. */
    public static final int MAX_NESTING = 32;

    private final String text;
    private final Condition condition;
    private final Subject subject;

    private Filter(String text, Condition condition, Subject subject) {
        this.text = text;
        this.condition = condition;
        this.subject = subject;
    }

    /** Compiles a filter. Throws INVALID_ARGUMENT that names the character, from 1, and what was expected there. */
    public static Filter parse(String text) {
        FilterParser parser = new FilterParser(text);
        Condition condition = parser.parse();
        return new Filter(text, condition, new Subject(parser.headerNames()));
    }

    /**
     * Whether the record the view stands at meets the condition. Its parts must have been found to fit.
     *
     * @param partition index of the partition in its topic
     */
    public boolean matches(RecordView record, int partition, long offset, long appendTimeMs) {
        subject.look(record, partition, offset, appendTimeMs);
        return condition.holds(subject);
    }

    /** As it was given. */
    public String text() {
        return text;
    }

    @Override
    public String toString() {
        return text;
    }
}
