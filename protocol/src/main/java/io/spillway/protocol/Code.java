package io.spillway.protocol;

import io.spillway.protocol.v1.RetryClass;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The error registry, the same in every language: codes.json, which a test compares with this. 100-899 come from a
 * broker, 900-999 are made by a client and never travel.
 */
public enum Code {
    /** Frame or header cannot be parsed; connection is closed after the error. */
    MALFORMED_FRAME(100, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** No common protocol version. */
    UNSUPPORTED_VERSION(101, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Required feature missing. */
    UNSUPPORTED_FEATURE(102, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Unknown CRITICAL frame kind; connection stays open. */
    UNSUPPORTED_KIND(103, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Request understood and wrong. */
    INVALID_ARGUMENT(104, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Frame, batch, record or header over the limit; metadata has limit and size. */
    TOO_LARGE(105, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Batch CRC32C failed on arrival; nothing was appended; at most 2 retries. */
    CHECKSUM_MISMATCH(106, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.TRANSIENT),
    /** Sent beyond the granted credit. */
    CREDIT_VIOLATION(107, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.THROTTLE),
    /** Bad or expired credentials; refresh credentials, then reconnect. */
    UNAUTHENTICATED(200, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Principal may not do this. */
    PERMISSION_DENIED(201, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** May be creation in flight; bounded by deadline. */
    TOPIC_NOT_FOUND(300, RetryClass.RETRY_REFRESH, Breaker.IGNORE, Backoff.TRANSIENT),
    GROUP_NOT_FOUND(301, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Same name, different config. */
    ALREADY_EXISTS(302, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Compare-and-set failed; read again and decide. */
    REVISION_MISMATCH(303, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Seek before earliest / after latest. */
    POSITION_OUT_OF_RANGE(304, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** No plan, job or snapshot of that name. */
    NOT_FOUND(305, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** What it is about is in a state that does not allow it; the message says which. */
    WRONG_STATE(306, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** A newer producer epoch exists. */
    PRODUCER_FENCED(400, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Lost batch before this one; client bumps its epoch. */
    SEQUENCE_GAP(401, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Same key or sequence, different content. */
    IDEMPOTENCY_CONFLICT(402, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** First attempt still running; wait for it. */
    IDEMPOTENCY_IN_PROGRESS(403, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.TRANSIENT),
    /** Ack came with an old fence token; message is with someone else. */
    LEASE_LOST(404, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Same client instance connected elsewhere with a newer session epoch. */
    SESSION_FENCED(405, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** A retry (attempt > 1) whose idempotency key is older than the topic's window; appending could duplicate, so it is refused and said. */
    DEDUP_WINDOW_EXCEEDED(406, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** The required durability can never be reached in this topology (e.g. QUORUM on a single node); checked before append. */
    DURABILITY_UNAVAILABLE(407, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Redirect hint in the payload. */
    NOT_LEADER(500, RetryClass.RETRY_REFRESH, Breaker.IGNORE, Backoff.NONE),
    /** No leader at this moment. */
    LEADER_ELECTION(501, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.TRANSIENT),
    /** Broker is going away; go to another one. */
    DRAINING(502, RetryClass.RETRY_REFRESH, Breaker.IGNORE, Backoff.NONE),
    /** Quota; retry_after_ms is set. */
    THROTTLED(600, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.THROTTLE),
    /** Broker-wide pressure; shed before any work. */
    OVERLOADED(601, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.THROTTLE),
    /** Log is read-only (disk); retry_after_ms set, other broker may be better. */
    READ_ONLY(602, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.THROTTLE),
    /** Topic retention/backlog limit with policy REJECT. */
    QUEUE_FULL(603, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.THROTTLE),
    /** Bug or unexpected state; outcome unknown. */
    INTERNAL(700, RetryClass.RETRY_UNKNOWN_OUTCOME, Breaker.FAIL, Backoff.TRANSIENT),
    /** Write or fsync failed; outcome unknown; broker turns read-only. */
    STORAGE_ERROR(701, RetryClass.RETRY_UNKNOWN_OUTCOME, Breaker.FAIL, Backoff.TRANSIENT),
    /** Checked before append. */
    NOT_ENOUGH_REPLICAS(702, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.TRANSIENT),
    /** Appended on the leader, quorum not reached in time. */
    REPLICATION_TIMEOUT(703, RetryClass.RETRY_UNKNOWN_OUTCOME, Breaker.IGNORE, Backoff.TRANSIENT),
    /** Starting up, recovering. */
    NOT_READY(704, RetryClass.RETRY_SAFE, Breaker.FAIL, Backoff.TRANSIENT),
    /** Dropped from the queue before any work because its deadline passed. */
    DEADLINE_EXCEEDED(705, RetryClass.RETRY_SAFE, Breaker.FAIL, Backoff.TRANSIENT),
    CONNECTION_LOST(900, RetryClass.RETRY_UNKNOWN_OUTCOME, Breaker.CONN_FAIL, Backoff.TRANSIENT),
    /** Nothing was sent. */
    CONNECT_FAILED(901, RetryClass.RETRY_SAFE, Breaker.CONN_FAIL, Backoff.TRANSIENT),
    ATTEMPT_TIMEOUT(902, RetryClass.RETRY_UNKNOWN_OUTCOME, Breaker.FAIL, Backoff.TRANSIENT),
    /** Only another endpoint may be tried. */
    BREAKER_OPEN(903, RetryClass.RETRY_SAFE, Breaker.IGNORE, Backoff.TRANSIENT),
    LOCAL_BUFFER_FULL(904, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Carries the last cause. */
    RETRY_BUDGET_EXHAUSTED(905, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    CLIENT_CLOSED(906, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE),
    /** Deadline passed after bytes were sent and no verdict came. */
    OUTCOME_UNKNOWN(907, RetryClass.RETRY_NEVER, Breaker.IGNORE, Backoff.NONE);

    /** How an outcome counts for the circuit breaker of an endpoint. */
    public enum Breaker {
        IGNORE,
        FAIL,
        CONN_FAIL
    }

    /** Which backoff base a retry uses. */
    public enum Backoff {
        NONE,
        TRANSIENT,
        THROTTLE
    }

    private static final Map<Integer, Code> BY_NUMBER = new HashMap<>();

    static {
        for (Code code : values()) {
            BY_NUMBER.put(code.number, code);
        }
    }

    private final int number;
    private final RetryClass retry;
    private final Breaker breaker;
    private final Backoff backoff;

    Code(int number, RetryClass retry, Breaker breaker, Backoff backoff) {
        this.number = number;
        this.retry = retry;
        this.breaker = breaker;
        this.backoff = backoff;
    }

    public int number() {
        return number;
    }

    public RetryClass retry() {
        return retry;
    }

    public Breaker breaker() {
        return breaker;
    }

    public Backoff backoff() {
        return backoff;
    }

    /** The code with this number, or null for one of a newer peer. */
    public static @Nullable Code of(int number) {
        return BY_NUMBER.get(number);
    }
}
