package io.spillway.broker.filter;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.filter.Condition.Comparison;
import io.spillway.broker.filter.Condition.Number;
import io.spillway.broker.filter.FilterTokens.Kind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Reads a filter by recursive descent, one method for each rule of its grammar. */
final class FilterParser {
    private static final List<String> NUMBER_OPERATORS = List.of("=", "!=", "<", "<=", ">", ">=");
    private static final List<String> TEXT_OPERATORS = List.of("=", "!=", "<", "<=", ">", ">=", "^=", "*=");

    /** What a test is about: a slot, or a number that every record has. */
    private record Operand(int slot, Number number, String name) {
        boolean isText() {
            return number == Number.SPELLED;
        }
    }

    private final FilterTokens tokens;
    private final List<String> headerNames = new ArrayList<>();
    private int tests;
    private int nesting;

    FilterParser(String text) {
        tokens = new FilterTokens(text);
    }

    /** The headers the filter asks for, in the order of their slots. */
    List<String> headerNames() {
        return headerNames;
    }

    Condition parse() {
        Condition all = expression();
        if (tokens.kind() != Kind.END) {
            throw tokens.expected("&&, || or the end");
        }
        return all;
    }

    private Condition expression() {
        List<Condition> parts = new ArrayList<>();
        do {
            parts.add(term());
        } while (tokens.skip("||"));
        return parts.size() == 1 ? parts.get(0) : new Condition.AnyOf(parts);
    }

    private Condition term() {
        List<Condition> parts = new ArrayList<>();
        do {
            parts.add(factor());
        } while (tokens.skip("&&"));
        return parts.size() == 1 ? parts.get(0) : new Condition.AllOf(parts);
    }

    private Condition factor() {
        if (tokens.is("!")) {
            enter();
            Condition not = new Condition.Not(factor());
            nesting--;
            return not;
        }
        if (tokens.is("(")) {
            enter();
            Condition inner = expression();
            if (!tokens.skip(")")) {
                throw tokens.expected("&&, || or )");
            }
            nesting--;
            return inner;
        }
        return test();
    }

    private void enter() {
        if (nesting == Filter.MAX_NESTING) {
            throw tokens.expected("at most " + Filter.MAX_NESTING + " ( and ! inside each other");
        }
        nesting++;
        tokens.next();
    }

    private Condition test() {
        if (tests == Filter.MAX_TESTS) {
            throw tokens.expected("at most " + Filter.MAX_TESTS + " tests");
        }
        tests++;
        if (tokens.isWord("has")) {
            return presence();
        }
        Operand operand = operand();
        if (tokens.isWord("in")) {
            return membership(operand);
        }
        String operator = operator(operand);
        tokens.next();
        return switch (operator) {
            case "=" -> equality(operand);
            case "!=" -> new Condition.Not(equality(operand));
            case "<" -> comparison(operand, Comparison.LESS);
            case "<=" -> comparison(operand, Comparison.AT_MOST);
            case ">" -> comparison(operand, Comparison.MORE);
            case ">=" -> comparison(operand, Comparison.AT_LEAST);
            case "^=" -> new Condition.BeginsWith(operand.slot, text());
            default -> Condition.Contains.of(operand.slot, text());
        };
    }

    private String operator(Operand operand) {
        List<String> allowed = operand.isText() ? TEXT_OPERATORS : NUMBER_OPERATORS;
        if (tokens.kind() != Kind.SYMBOL || !allowed.contains(tokens.value())) {
            throw tokens.expected(String.join(" ", allowed) + " or in behind " + operand.name);
        }
        return tokens.value();
    }

    private Condition presence() {
        tokens.next();
        open();
        if (tokens.kind() != Kind.QUOTED_NAME && tokens.kind() != Kind.WORD) {
            throw tokens.expected("a header");
        }
        Operand header = operand();
        close();
        return new Condition.Has(header.slot);
    }

    private Condition membership(Operand operand) {
        tokens.next();
        open();
        List<Condition> parts = new ArrayList<>();
        do {
            parts.add(equality(operand));
        } while (tokens.skip(","));
        close();
        return new Condition.AnyOf(parts);
    }

    private void open() {
        if (!tokens.skip("(")) {
            throw tokens.expected("(");
        }
    }

    private void close() {
        if (!tokens.skip(")")) {
            throw tokens.expected(")");
        }
    }

    private Operand operand() {
        String name = tokens.value();
        Operand operand = switch (tokens.kind()) {
            case WORD -> header(name, tokens.isWord("in") || tokens.isWord("has"));
            case QUOTED_NAME -> header(name, name.isEmpty());
            case VARIABLE -> variable(name);
            case TEXT, INTEGER, SYMBOL, END -> throw noOperand();
        };
        tokens.next();
        return operand;
    }

    private Operand header(String name, boolean isNone) {
        if (isNone) {
            throw noOperand();
        }
        int known = headerNames.indexOf(name);
        if (known < 0) {
            known = headerNames.size();
            headerNames.add(name);
        }
        return new Operand(known + 1, Number.SPELLED, name);
    }

    private Operand variable(String name) {
        return switch (name) {
            case "key" -> new Operand(Subject.KEY_SLOT, Number.SPELLED, "$key");
            case "partition" -> new Operand(Subject.KEY_SLOT, Number.PARTITION, "$partition");
            case "offset" -> new Operand(Subject.KEY_SLOT, Number.OFFSET, "$offset");
            case "time" -> new Operand(Subject.KEY_SLOT, Number.TIME, "$time");
            default -> throw tokens.expected("$key, $partition, $offset or $time");
        };
    }

    private SpillwayException noOperand() {
        return tokens.expected("a header, a variable such as $key, has(header), ! or (");
    }

    private Condition equality(Operand operand) {
        if (operand.isText() && tokens.kind() == Kind.TEXT) {
            return new Condition.IsText(operand.slot, text());
        }
        if (tokens.kind() != Kind.INTEGER) {
            throw tokens.expected(operand.isText() ? "'text' or an integer" : "an integer");
        }
        return comparison(operand, Comparison.EQUAL);
    }

    private Condition comparison(Operand operand, Comparison comparison) {
        return new Condition.Compares(operand.slot, operand.number, comparison, integer());
    }

    private byte[] text() {
        if (tokens.kind() != Kind.TEXT) {
            throw tokens.expected("'text'");
        }
        byte[] text = tokens.value().getBytes(StandardCharsets.UTF_8);
        tokens.next();
        return text;
    }

    private long integer() {
        if (tokens.kind() != Kind.INTEGER) {
            throw tokens.expected("an integer");
        }
        try {
            long integer = Long.parseLong(tokens.value());
            tokens.next();
            return integer;
        } catch (NumberFormatException e) {
            throw tokens.expected("an integer of 64 bits");
        }
    }
}
