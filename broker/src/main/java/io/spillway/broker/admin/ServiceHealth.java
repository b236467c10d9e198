package io.spillway.broker.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.diagnose.Area;
import io.spillway.broker.diagnose.Cause;
import io.spillway.broker.diagnose.Diagnosis;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * Says of a service what {@code Check} of grpc.health.v1 would: SERVING, NOT_SERVING or SERVICE_UNKNOWN. Services are the broker
 * itself, by the empty name or {@code readiness}, {@code liveness}, {@code startup}, {@code topic/TOPIC} and {@code
 * group/TOPIC/GROUP}. Thread-safe; nothing here waits.
 */
final class ServiceHealth {
    private static final String TOPIC = "topic/";
    private static final String GROUP = "group/";

    /** As grpc.health.v1 names them. */
    enum Status {
        SERVING,
        NOT_SERVING,
        SERVICE_UNKNOWN
    }

    /** @param diagnosis why it does not serve; null for the broker itself, of which the health tells, and for one that serves */
    record Serving(String service, Status status, @Nullable Diagnosis diagnosis) {
        void write(JsonGenerator json) throws IOException {
            json.writeStringField("service", service);
            json.writeStringField("status", status.name());
        }
    }

    private final Diagnoses diagnoses;

    ServiceHealth(Diagnoses diagnoses) {
        this.diagnoses = diagnoses;
    }

    /** @param started whether the broker has begun to do its part */
    CompletableFuture<Serving> of(String service, Health now, boolean started) {
        return switch (service) {
            case "", "readiness" -> done(service, now.ready());
            case "liveness" -> done(service, now.live());
            case "startup" -> done(service, started);
            default -> ofNamed(service);
        };
    }

    static Status status(boolean serves) {
        return serves ? Status.SERVING : Status.NOT_SERVING;
    }

    private static CompletableFuture<Serving> done(String service, boolean serves) {
        return CompletableFuture.completedFuture(new Serving(service, status(serves), null));
    }

    private CompletableFuture<Serving> ofNamed(String service) {
        CompletableFuture<List<Diagnosis>> asked;
        try {
            asked = asked(service);
        } catch (SpillwayException e) {
            asked = CompletableFuture.failedFuture(e);
        }
        return asked.handle((all, failure) -> {
            if (failure != null) {
                return unknown(service, failure);
            }
            // Of a topic the first is its own, and the others are its groups'.
            Diagnosis own = all.get(0);
            boolean serves = serves(own.cause());
            return new Serving(service, status(serves), serves ? null : own);
        });
    }

    private CompletableFuture<List<Diagnosis>> asked(String service) {
        if (service.startsWith(TOPIC)) {
            return diagnoses.topic(service.substring(TOPIC.length()));
        }
        String[] names =
                service.startsWith(GROUP) ? service.substring(GROUP.length()).split("/", -1) : new String[0];
        if (names.length == 2) {
            return diagnoses.group(names[0], names[1]);
        }
        throw new SpillwayException(
                Code.NOT_FOUND,
                "there is no service " + service,
                "services are readiness, liveness, startup, topic/TOPIC and group/TOPIC/GROUP",
                "ask for one of these");
    }

    /** Slowed down is served, too. */
    private static boolean serves(Cause cause) {
        return !cause.isWrong() || cause.area() == Area.PRESSURE;
    }

    private static Serving unknown(String service, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof SpillwayException known && isNotFound(known.code())) {
            return new Serving(service, Status.SERVICE_UNKNOWN, null);
        }
        throw cause instanceof RuntimeException e ? e : new CompletionException(cause);
    }

    private static boolean isNotFound(Code code) {
        return switch (code) {
            case NOT_FOUND, TOPIC_NOT_FOUND, GROUP_NOT_FOUND -> true;
            default -> false;
        };
    }
}
