package io.spillway.client;

/**
 * Handles messages of a subscription. Called on {@code concurrency} threads, each with one message at a time. A message
 * that the handler did not settle is acked when it returns and nacked when it throws, to come again after 1 s, doubled
 * with each attempt up to 1 min.
 */
@FunctionalInterface
public interface MessageHandler {
    void onMessage(Message message) throws Exception;
}
