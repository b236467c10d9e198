package io.spillway.broker.filter;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;

/** Cuts the text of a filter into its words, one at a time; says of everything wrong at which character it is, from 1. */
final class FilterTokens {
    enum Kind {
        /** A word of letters, digits, dots, underscores and hyphens: a header, or {@code has} or {@code in}. */
        WORD,
        /** A name in backquotes. */
        QUOTED_NAME,
        /** $key and its like, without the sign. */
        VARIABLE,
        TEXT,
        INTEGER,
        SYMBOL,
        END
    }

    private static final String[] SYMBOLS = {"||", "&&", "!=", "<=", ">=", "^=", "*=", "=", "<", ">", "!", "(", ")", ","
    };

    private final String text;
    private Kind kind = Kind.END;
    private String value = "";
    private int start;
    private int end;

    FilterTokens(String text) {
        this.text = text;
        if (text.length() > Filter.MAX_CHARS) {
            throw error(Filter.MAX_CHARS, "at most " + Filter.MAX_CHARS + " characters, not " + text.length());
        }
        next();
    }

    Kind kind() {
        return kind;
    }

    /** What the token says, without its quotes. */
    String value() {
        return value;
    }

    boolean is(String symbol) {
        return kind == Kind.SYMBOL && value.equals(symbol);
    }

    boolean isWord(String word) {
        return kind == Kind.WORD && value.equals(word);
    }

    /** Goes on when this is the symbol. */
    boolean skip(String symbol) {
        boolean found = is(symbol);
        if (found) {
            next();
        }
        return found;
    }

    void next() {
        start = end;
        while (start < text.length() && " \t\r\n".indexOf(text.charAt(start)) >= 0) {
            start++;
        }
        if (start == text.length()) {
            token(Kind.END, "", start);
            return;
        }
        char first = text.charAt(start);
        if (first == '\'') {
            quoted(Kind.TEXT, first);
        } else if (first == '`') {
            quoted(Kind.QUOTED_NAME, first);
        } else if (isLetter(first)) {
            token(Kind.WORD, start);
        } else if (first == '$') {
            token(Kind.VARIABLE, start + 1);
        } else if (isDigit(first) || first == '-') {
            integer();
        } else {
            symbol();
        }
    }

    private void token(Kind found, String said, int endsAt) {
        kind = found;
        value = said;
        end = endsAt;
    }

    private void token(Kind found, int saidFrom) {
        int at = saidFrom;
        while (at < text.length()
                && (isLetter(text.charAt(at)) || isDigit(text.charAt(at)) || isMark(text.charAt(at)))) {
            at++;
        }
        token(found, text.substring(saidFrom, at), at);
    }

    private void integer() {
        int at = start + 1;
        while (at < text.length() && isDigit(text.charAt(at))) {
            at++;
        }
        token(Kind.INTEGER, text.substring(start, at), at);
    }

    /** Text up to a quote that is not doubled. */
    private void quoted(Kind found, char quote) {
        StringBuilder said = new StringBuilder();
        for (int at = start + 1; at < text.length(); at++) {
            if (text.charAt(at) != quote) {
                said.append(text.charAt(at));
            } else if (at + 1 < text.length() && text.charAt(at + 1) == quote) {
                said.append(quote);
                at++;
            } else {
                token(found, said.toString(), at + 1);
                return;
            }
        }
        throw error(start, "a closing " + quote + " for this one");
    }

    private void symbol() {
        for (String symbol : SYMBOLS) {
            if (text.startsWith(symbol, start)) {
                token(Kind.SYMBOL, symbol, start + symbol.length());
                return;
            }
        }
        int codePoint = text.codePointAt(start);
        token(Kind.SYMBOL, Character.toString(codePoint), start + Character.charCount(codePoint));
    }

    private static boolean isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isMark(char c) {
        return c == '.' || c == '_' || c == '-';
    }

    /** Something else should be where this token is. */
    SpillwayException expected(String what) {
        String found = kind == Kind.END ? "the end" : text.substring(start, end);
        return error(start, what + ", not " + found);
    }

    private static SpillwayException error(int at, String expected) {
        return new SpillwayException(
                Code.INVALID_ARGUMENT,
                "the filter cannot be read at character " + (at + 1),
                "expected " + expected,
                "correct it; the language is in docs/protocol.md, Filters");
    }
}
