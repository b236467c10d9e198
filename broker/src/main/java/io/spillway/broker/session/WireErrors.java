package io.spillway.broker.session;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.ProtocolException;
import io.spillway.protocol.v1.Error;

/** Turns exceptions into the protocol's error payload. */
final class WireErrors {
    private WireErrors() {}

    static Error of(SpillwayException e) {
        return Error.newBuilder()
                .setCode(e.code().number())
                .setReason(e.code().name())
                .setMessage(e.what())
                .setRetry(e.code().retry())
                .setRetryAfterMs(e.retryAfterMs())
                .setCause(e.why())
                .setNextStep(e.nextStep())
                .putAllMetadata(e.metadata())
                .build();
    }

    static Error of(ProtocolException e) {
        return Error.newBuilder()
                .setCode(e.code().number())
                .setReason(e.code().name())
                .setMessage(String.valueOf(e.getMessage()))
                .setRetry(e.code().retry())
                .setCause("the peer broke the wire protocol")
                .setNextStep("check that client and broker speak the same version; see docs/protocol.md")
                .build();
    }

    static SpillwayException invalid(String what, String why, String next) {
        return new SpillwayException(Code.INVALID_ARGUMENT, what, why, next);
    }

    static SpillwayException noHandle(String kind, int channel, String next) {
        return invalid("there is no " + kind + " on channel " + channel, "none was opened or it was closed", next);
    }
}
