package io.spillway.chaos.clients;

import io.spillway.client.GroupDescription;
import io.spillway.client.SpillwayClient;
import io.spillway.client.SpillwayException;
import java.util.List;
import java.util.Optional;

/** How the brokers say that the members of the groups of a topic are. Thread-safe. */
public final class Members implements AutoCloseable {
    private final SpillwayClient client;
    private final String topic;

    public Members(List<String> endpoints, String topic) {
        client = SpillwayClient.builder()
                .endpoints(endpoints.toArray(String[]::new))
                .clientName("members")
                .connect();
        this.topic = topic;
    }

    public GroupDescription describe(String group) {
        return client.admin().describeGroup(topic, group);
    }

    /** Nothing when it is no member now, or the broker does not answer. */
    public Optional<GroupDescription.Member> find(String group, String name) {
        try {
            return describe(group).memberList().stream()
                    .filter(member -> member.name().equals(name))
                    .findFirst();
        } catch (SpillwayException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
