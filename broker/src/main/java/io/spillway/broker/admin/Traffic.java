package io.spillway.broker.admin;

/** What a broker has moved since it started, in records and bytes. */
public record Traffic(
        long publishedRecords,
        long publishedBytes,
        long deliveredRecords,
        long deliveredBytes,
        long settledRecords,
        long redeliveredRecords,
        long deadLetters) {
    static final Traffic NONE = new Traffic(0, 0, 0, 0, 0, 0, 0);
}
