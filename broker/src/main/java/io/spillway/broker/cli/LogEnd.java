package io.spillway.broker.cli;

import io.spillway.client.Message;

/** Knows when a consumer that does not follow the log is through with it. Not thread-safe. */
interface LogEnd {
    /** There is always more to come. */
    LogEnd NEVER = new LogEnd() {
        @Override
        public boolean covers(Message message) {
            return true;
        }

        @Override
        public boolean reached(long idleNs) {
            return false;
        }
    };

    /** Whether the message lies before the end; hears of each message that is to be written. */
    boolean covers(Message message);

    /**
     * Whether all before the end was written.
     *
     * @param idleNs for how long no message came
     */
    boolean reached(long idleNs);
}
