package io.spillway.conformance.scenario;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One scenario file; conformance/README.md says what each part means.
 *
 * @param what what it shows, one sentence
 * @param actors one or two roles
 * @param ownBroker whether it needs a broker that no other scenario uses meanwhile
 * @param settings of that broker
 * @param clients how each actor's client is opened before the first step; actors that are not in it open none
 * @param topic how the topic is created before the first step, or null when it is not
 * @param limit for all of it
 */
public record Scenario(
        String name,
        String what,
        List<String> actors,
        boolean ownBroker,
        Map<String, String> settings,
        List<String> proxies,
        Map<String, ObjectNode> clients,
        @Nullable ObjectNode topic,
        Duration limit,
        List<Step> steps) {
    @Override
    public String toString() {
        return name;
    }
}
