package io.spillway.bench.peers;

/** Kafka, consumed in share groups: each record is acked by itself, as in the groups of Spillway, NATS and Redis. */
public final class KafkaShareLoad {
    private KafkaShareLoad() {}

    public static void main(String[] args) {
        Load.main("kafka-share", args, plan -> new KafkaLoad(plan, true));
    }
}
