package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.Message;
import io.spillway.client.MessageHandler;
import io.spillway.client.SpillwayException;
import io.spillway.client.Subscription;
import io.spillway.client.SubscriptionBuilder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Subscriptions and their messages. Thread-safe. */
final class SubscriptionOperations {
    private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(10);
    private static final int COLLECT_AT_ONCE = 500;

    private final ClientOperations clients;
    private final Names<Reading> readings = new Names<>("subscription");

    SubscriptionOperations(ClientOperations clients) {
        this.clients = clients;
    }

    private SubscriptionBuilder builder(Request request, Reading reading) {
        SubscriptionBuilder builder =
                clients.client(request).subscribe(request.text("topic")).onLostLeases(reading::onLost);
        request.findText("group").ifPresent(builder::group);
        request.find("start").map(Wire::start).ifPresent(builder::start);
        request.findMillis("lease_ms").ifPresent(builder::leaseTime);
        request.findNumber("max_unacked").ifPresent(n -> builder.maxUnacked(Math.toIntExact(n)));
        request.findNumber("max_deliveries").ifPresent(n -> builder.maxDeliveries(Math.toIntExact(n)));
        request.find("partitions")
                .ifPresent(list -> builder.partitions(request.list("partitions").stream()
                        .mapToInt(partition -> partition.asInt())
                        .toArray()));
        request.findNumber("credit_bytes").ifPresent(builder::creditBytes);
        request.findText("name").ifPresent(builder::name);
        request.findText("read_from").map(Wire::readFrom).ifPresent(builder::readFrom);
        addGroup(request, builder.onActive(reading::onActive));
        return builder;
    }

    private static void addGroup(Request request, SubscriptionBuilder builder) {
        request.findText("mode").map(Wire::mode).ifPresent(builder::mode);
        request.findText("filter").ifPresent(builder::filter);
        request.find("retry_backoff_ms")
                .ifPresent(waits -> builder.retryBackoff(request.list("retry_backoff_ms").stream()
                        .map(ms -> Duration.ofMillis(ms.asLong()))
                        .toArray(Duration[]::new)));
        request.find("retry_backoff_between_ms")
                .ifPresent(bounds -> builder.retryBackoffBetween(
                        Duration.ofMillis(bounds.get(0).asLong()),
                        Duration.ofMillis(bounds.get(1).asLong())));
        request.findNumber("retry_jitter_percent")
                .ifPresent(percent -> builder.retryJitterPercent(Math.toIntExact(percent)));
        request.findNumber("max_inflight").ifPresent(n -> builder.maxInFlight(Math.toIntExact(n)));
        request.textMap("group_settings").forEach(builder::groupSetting);
        if (request.flag("standby")) {
            builder.standby();
        }
    }

    ObjectNode open(Request request) {
        Reading reading = new Reading();
        SubscriptionBuilder builder = builder(request, reading);
        request.text("subscription");
        request.finish();
        Subscription subscription = builder.open();
        reading.opened(subscription);
        readings.put(request, reading);
        ObjectNode answer = Wire.object();
        ArrayNode partitions = answer.putArray("partitions");
        subscription.partitions().forEach(partitions::add);
        return answer;
    }

    ObjectNode handle(Request request) {
        Reading reading = new Reading();
        SubscriptionBuilder builder = builder(request, reading);
        MessageHandler handler = handler(request, reading);
        int concurrency = Math.toIntExact(request.number("concurrency", 1));
        request.text("subscription");
        request.finish();
        reading.opened(builder.start(handler, concurrency));
        readings.put(request, reading);
        return Wire.object();
    }

    private static MessageHandler handler(Request request, Reading reading) {
        AtomicLong toFail = new AtomicLong(request.number("fail_first", 0));
        long workMs = request.number("work_ms", 0);
        return message -> {
            reading.onHandling();
            try {
                TimeUnit.MILLISECONDS.sleep(workMs);
                if (toFail.getAndDecrement() > 0) {
                    throw new IllegalStateException("the scenario lets this handler fail");
                }
            } finally {
                reading.onHandled(message);
            }
        };
    }

    private static boolean acks(Request request) {
        return switch (request.findText("settle").orElse("ack")) {
            case "ack" -> true;
            case "none" -> false;
            default -> throw new DriverException("unknown settle " + request.text("settle"));
        };
    }

    ObjectNode handled(Request request) throws InterruptedException {
        Reading.Handled handled =
                readings.get(request).awaitHandled(request.number("count"), request.millis("timeout_ms"));
        return Wire.object()
                .put("received", handled.received())
                .put("redelivered", handled.redelivered())
                .put("most_at_once", handled.mostAtOnce());
    }

    ObjectNode poll(Request request) {
        Reading reading = readings.get(request);
        List<Message> messages =
                reading.subscription().poll(Math.toIntExact(request.number("max", 1)), request.millis("timeout_ms"));
        ObjectNode answer = Wire.object();
        ArrayNode list = answer.putArray("messages");
        messages.forEach(message -> list.add(Wire.message(reading.number(message), message)));
        return answer;
    }

    ObjectNode collect(Request request) {
        Subscription subscription = readings.get(request).subscription();
        long count = request.number("count");
        boolean acks = acks(request);
        long deadlineNs = System.nanoTime() + request.millis("timeout_ms").toNanos();
        Collection collection = new Collection();
        while (collection.received() < count && System.nanoTime() < deadlineNs) {
            int max = (int) Math.min(COLLECT_AT_ONCE, count - collection.received());
            Duration left = Duration.ofNanos(Math.max(0, deadlineNs - System.nanoTime()));
            for (Message message : subscription.poll(max, left)) {
                collection.add(message);
                if (acks) {
                    message.ack();
                }
            }
        }
        return collection.answer();
    }

    ObjectNode flushAcks(Request request) {
        readings.get(request)
                .subscription()
                .flushAcks(request.findMillis("timeout_ms").orElse(FLUSH_TIMEOUT));
        return Wire.object();
    }

    ObjectNode lostLeases(Request request) throws InterruptedException {
        return Wire.object()
                .put("lost", readings.get(request).awaitLost(request.number("count"), request.millis("timeout_ms")));
    }

    ObjectNode active(Request request) {
        Reading reading = readings.get(request);
        return Wire.object()
                .put("active", reading.subscription().isActive())
                .put("became_active", reading.becameActive());
    }

    ObjectNode drain(Request request) {
        readings.get(request).subscription().drain(request.millis("timeout_ms"));
        return Wire.object();
    }

    ObjectNode ended(Request request) {
        CompletableFuture<Void> ended = readings.get(request).subscription().ended();
        long timeoutMs = request.number("timeout_ms");
        try {
            ended.orTimeout(timeoutMs, TimeUnit.MILLISECONDS).join();
            return Wire.object();
        } catch (CompletionException e) {
            if (e.getCause() instanceof SpillwayException known) {
                throw known;
            }
            if (e.getCause() instanceof TimeoutException) {
                throw new DriverException("the subscription is not over after " + timeoutMs + " ms");
            }
            throw e;
        }
    }

    ObjectNode close(Request request) {
        Subscription subscription = readings.get(request).subscription();
        request.findMillis("timeout_ms").ifPresentOrElse(subscription::close, subscription::close);
        return Wire.object();
    }

    ObjectNode ack(Request request) {
        return settle(request, Message::ack);
    }

    ObjectNode release(Request request) {
        return settle(request, Message::release);
    }

    ObjectNode nack(Request request) {
        String reason = request.findText("reason").orElse("");
        return request.findMillis("delay_ms")
                .map(delay -> settle(request, message -> message.nack(delay, reason)))
                .orElseGet(() -> settle(request, message -> message.nack(reason)));
    }

    ObjectNode extend(Request request) {
        Duration lease = request.millis("lease_ms");
        return settle(request, message -> message.extend(lease));
    }

    ObjectNode terminate(Request request) {
        String reason = request.findText("reason").orElse("");
        return settle(request, message -> message.terminate(reason));
    }

    private ObjectNode settle(Request request, Consumer<Message> how) {
        readings.get(request).messages(request).forEach(how);
        return Wire.object();
    }
}
