package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.Durability;
import io.spillway.client.OutgoingRecord;
import io.spillway.client.Producer;
import io.spillway.client.ProducerBuilder;
import io.spillway.client.SpillwayException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** Producers. Thread-safe. */
final class ProducerOperations {
    private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(10);

    private final ClientOperations clients;
    private final Names<Producer> producers = new Names<>("producer");

    ProducerOperations(ClientOperations clients) {
        this.clients = clients;
    }

    ObjectNode open(Request request) {
        ProducerBuilder builder = clients.client(request).producer(request.text("topic"));
        request.findText("durability")
                .ifPresent(level -> builder.durability(Durability.valueOf(level.toUpperCase(Locale.ROOT))));
        request.find("allow_degraded").ifPresent(allow -> builder.allowDegraded(allow.asBoolean()));
        request.findMillis("linger_ms").ifPresent(builder::linger);
        request.findNumber("max_batch_bytes").ifPresent(bytes -> builder.maxBatchBytes(Math.toIntExact(bytes)));
        request.findNumber("buffer_bytes").ifPresent(builder::bufferBytes);
        request.findMillis("max_block_ms").ifPresent(builder::maxBlock);
        request.findMillis("delivery_timeout_ms").ifPresent(builder::deliveryTimeout);
        request.findNumber("shed_class").ifPresent(number -> builder.shedClass(Math.toIntExact(number)));
        request.findText("name").ifPresent(builder::name);
        request.text("producer");
        request.finish();
        Producer producer = builder.open();
        producers.put(request, producer);
        return Wire.object().put("partitions", producer.partitions());
    }

    ObjectNode publish(Request request) {
        Producer producer = producers.get(request);
        List<CompletableFuture<ObjectNode>> outcomes = new ArrayList<>();
        for (JsonNode record : request.list("records")) {
            outcomes.add(publish(producer, record));
        }
        ObjectNode answer = Wire.object();
        ArrayNode acks = answer.putArray("acks");
        outcomes.forEach(outcome -> acks.add(outcome.join()));
        return answer;
    }

    private static CompletableFuture<ObjectNode> publish(Producer producer, JsonNode record) {
        try {
            return producer.publish(Wire.record(record))
                    .handle((ack, error) ->
                            error == null ? Wire.ack(ack) : Wire.object().set("error", Wire.error(spillway(error))));
        } catch (SpillwayException e) {
            return CompletableFuture.completedFuture(Wire.object().set("error", Wire.error(e)));
        }
    }

    private static SpillwayException spillway(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        if (cause instanceof SpillwayException known) {
            return known;
        }
        throw new IllegalStateException("a publish failed with something else than a SpillwayException", cause);
    }

    ObjectNode generate(Request request) throws InterruptedException {
        Producer producer = producers.get(request);
        long first = request.number("first", 0);
        long count = request.number("count");
        long perSecond = request.number("per_second", 0);
        Generator generator = new Generator(request);
        request.finish();
        Tally tally = new Tally();
        long startNs = System.nanoTime();
        for (long i = 0; i < count; i++) {
            if (perSecond > 0) {
                TimeUnit.NANOSECONDS.sleep(startNs + i * 1_000_000_000 / perSecond - System.nanoTime());
            }
            try {
                producer.publish(generator.record(first + i), tally);
            } catch (SpillwayException e) {
                tally.onOutcome(null, e);
            }
        }
        return tally.await(count);
    }

    ObjectNode tryPublish(Request request) {
        Producer producer = producers.get(request);
        OutgoingRecord record = Wire.record(request.get("record"));
        return Wire.object().put("accepted", producer.tryPublish(record, (ack, error) -> {}));
    }

    ObjectNode flush(Request request) {
        producers.get(request).flush(request.findMillis("timeout_ms").orElse(FLUSH_TIMEOUT));
        return Wire.object();
    }

    ObjectNode close(Request request) {
        Producer producer = producers.get(request);
        request.findMillis("timeout_ms").ifPresentOrElse(producer::close, producer::close);
        return Wire.object();
    }
}
