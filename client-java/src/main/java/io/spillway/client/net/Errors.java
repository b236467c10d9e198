package io.spillway.client.net;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import io.spillway.protocol.v1.ItemError;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes the errors that this side finds, in the shape in which a broker's come. */
public final class Errors {
    private Errors() {}

    public static Error of(Code code, String what, String why, String nextStep) {
        return Error.newBuilder()
                .setCode(code.number())
                .setReason(code.name())
                .setMessage(what)
                .setRetry(code.retry())
                .setCause(why)
                .setNextStep(nextStep)
                .build();
    }

    /** The errors of single items, each with its texts: in an answer only the first error of a code has them. */
    public static List<ItemError> withTexts(List<ItemError> errors) {
        Map<Integer, Error> told = new HashMap<>();
        List<ItemError> whole = new ArrayList<>(errors.size());
        for (ItemError item : errors) {
            Error error = item.getError();
            Error first = told.putIfAbsent(error.getCode(), error);
            whole.add(
                    first == null || !error.getMessage().isEmpty()
                            ? item
                            : item.toBuilder().setError(withTexts(error, first)).build());
        }
        return whole;
    }

    private static Error withTexts(Error error, Error first) {
        return error.toBuilder()
                .setMessage(first.getMessage())
                .setCause(first.getCause())
                .setNextStep(first.getNextStep())
                .build();
    }

    public static boolean is(Error error, Code code) {
        return error.getCode() == code.number();
    }
}
