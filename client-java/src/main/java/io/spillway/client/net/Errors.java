package io.spillway.client.net;

import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;

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

    public static boolean is(Error error, Code code) {
        return error.getCode() == code.number();
    }
}
