package io.spillway.conformance.javadriver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.spillway.client.SpillwayException;
import io.spillway.client.net.ConnectionSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/** The Java client behind standard input and output; conformance/DRIVER.md is the contract. */
final class JavaDriver {
    /** One operation of the contract. */
    private interface Operation {
        ObjectNode run(Request request) throws InterruptedException;
    }

    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, Operation> operations = new HashMap<>();
    private final ClientOperations clients = new ClientOperations();
    private final PrintStream out;

    private JavaDriver(PrintStream out) {
        this.out = out;
        operations.put(
                "hello",
                request -> Wire.object().put("language", "java").put("version", ConnectionSettings.CLIENT_VERSION));
        addClients();
        addGroups(new GroupOperations(clients));
        addReplays(new ReplayOperations(clients));
        addProducers(new ProducerOperations(clients));
        addSubscriptions(new SubscriptionOperations(clients));
    }

    private void addClients() {
        operations.put("client.open", clients::open);
        operations.put("client.close", clients::close);
        operations.put("client.events", clients::events);
        operations.put("topic.create", clients::createTopic);
        operations.put("topic.describe", clients::describeTopic);
        operations.put("topic.delete", clients::deleteTopic);
        operations.put("topic.alter", clients::alterTopic);
        operations.put("topic.list", clients::listTopics);
        operations.put("topic.purge", clients::purgeTopic);
    }

    private void addGroups(GroupOperations groups) {
        operations.put("group.describe", groups::describe);
        operations.put("group.list", groups::list);
        operations.put("group.delete", groups::delete);
        operations.put("group.seek", groups::seek);
        operations.put("group.create", groups::create);
        operations.put("group.alter", groups::alter);
        operations.put("group.pause", groups::pause);
        operations.put("group.resume", groups::resume);
        operations.put("group.snapshot", groups::snapshot);
        operations.put("group.restore", groups::restore);
        operations.put("group.snapshots", groups::snapshots);
        operations.put("group.snapshot_delete", groups::deleteSnapshot);
    }

    private void addReplays(ReplayOperations replays) {
        operations.put("replay.plan", replays::plan);
        operations.put("replay.start", replays::start);
        operations.put("replay.status", replays::status);
        operations.put("replay.list", replays::list);
        operations.put("replay.pause", replays::pause);
        operations.put("replay.resume", replays::resume);
        operations.put("replay.cancel", replays::cancel);
        operations.put("replay.wait", replays::await);
        operations.put("replay.diff", replays::diff);
        operations.put("replay.delete", replays::delete);
    }

    private void addProducers(ProducerOperations producers) {
        operations.put("producer.open", producers::open);
        operations.put("producer.publish", producers::publish);
        operations.put("producer.generate", producers::generate);
        operations.put("producer.try_publish", producers::tryPublish);
        operations.put("producer.flush", producers::flush);
        operations.put("producer.close", producers::close);
    }

    private void addSubscriptions(SubscriptionOperations subscriptions) {
        operations.put("subscription.open", subscriptions::open);
        operations.put("subscription.poll", subscriptions::poll);
        operations.put("subscription.collect", subscriptions::collect);
        operations.put("subscription.handle", subscriptions::handle);
        operations.put("subscription.handled", subscriptions::handled);
        operations.put("subscription.flush_acks", subscriptions::flushAcks);
        operations.put("subscription.lost_leases", subscriptions::lostLeases);
        operations.put("subscription.active", subscriptions::active);
        operations.put("subscription.drain", subscriptions::drain);
        operations.put("subscription.ended", subscriptions::ended);
        operations.put("subscription.close", subscriptions::close);
        operations.put("message.ack", subscriptions::ack);
        operations.put("message.release", subscriptions::release);
        operations.put("message.nack", subscriptions::nack);
        operations.put("message.extend", subscriptions::extend);
        operations.put("message.terminate", subscriptions::terminate);
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream out = System.out;
        System.setOut(System.err); // standard output belongs to the answers
        JavaDriver driver = new JavaDriver(out);
        Executor threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "driver");
            thread.setDaemon(true);
            return thread;
        });
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String request = line;
            threads.execute(() -> driver.answer(request));
        }
        driver.clients.closeAll();
        System.exit(0); // handlers that a scenario left running must not keep the process
    }

    private void answer(String line) {
        ObjectNode answer = json.createObjectNode();
        try {
            JsonNode node = json.readTree(line);
            answer.set("id", node.path("id"));
            answer.setAll(outcome(node));
        } catch (JsonProcessingException e) {
            answer.setAll(driverError("not JSON: " + e.getOriginalMessage()));
        }
        String text = answer.toString();
        synchronized (out) {
            out.print(text + "\n");
            out.flush();
        }
    }

    private ObjectNode outcome(JsonNode node) {
        try {
            Request request = new Request(node);
            Operation operation = operations.get(request.op());
            if (operation == null) {
                return driverError("unknown operation " + request.op());
            }
            ObjectNode ok = operation.run(request);
            request.finish();
            return Wire.object().set("ok", ok);
        } catch (SpillwayException e) {
            return Wire.object().set("error", Wire.error(e));
        } catch (DriverException e) {
            return driverError(String.valueOf(e.getMessage()));
        } catch (InterruptedException | RuntimeException e) {
            e.printStackTrace();
            return driverError(e.toString());
        }
    }

    private static ObjectNode driverError(String message) {
        ObjectNode error = Wire.object().put("reason", "DRIVER").put("message", message);
        return Wire.object().set("error", error);
    }
}
