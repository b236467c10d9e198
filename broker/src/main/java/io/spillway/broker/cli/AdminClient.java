package io.spillway.broker.cli;

import io.spillway.broker.base.ListenAddress;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Talks to the HTTP side of one or more brokers. An error they answer is thrown as it is. */
final class AdminClient {
    private static final Duration MAX_CONNECT = Duration.ofSeconds(5);
    /** What an answer may take on its way, beyond the time the broker was given. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    private static final int MAX_SHOWN = 100;

    private final List<String> addresses;
    private final HttpAccess access;

    AdminClient(List<String> addresses) {
        this(addresses, HttpAccess.OPEN);
    }

    AdminClient(List<String> addresses, HttpAccess access) {
        for (String address : addresses) {
            if (ListenAddress.parse(address).isEmpty()) {
                throw new UsageException(
                        "--http is " + address, "it is no HOST:PORT", "give one such as 127.0.0.1:7480");
            }
        }
        this.addresses = addresses;
        this.access = access;
    }

    List<String> addresses() {
        return addresses;
    }

    /** What is at that path of that broker. */
    Map<String, @Nullable Object> get(String address, String path, Duration timeout) throws IOException {
        HttpRequest request = access.addTo(HttpRequest.newBuilder(uri(address, path)))
                .timeout(timeout)
                .build();
        try {
            return read(address, http(timeout).send(request, BodyHandlers.ofString()));
        } catch (IOException e) {
            throw unreachable(List.of(address), e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** What is at that path of the first broker that can be reached. */
    Map<String, @Nullable Object> get(String path, Duration timeout) throws IOException {
        SpillwayException failure = null;
        for (String address : addresses) {
            try {
                return get(address, path, timeout);
            } catch (SpillwayException e) {
                if (e.code() != Code.CONNECT_FAILED) {
                    throw e;
                }
                failure = e;
            }
        }
        throw failure == null ? noneGiven() : failure;
    }

    /**
     * Asks for a change, of the first broker that can be reached. A broker that was reached and says nothing has the last
     * word: whether it did it is not known.
     */
    Map<String, @Nullable Object> post(String path, Map<String, String> query, Duration timeout) throws IOException {
        String parameters = query.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        HttpClient http = http(timeout);
        List<String> tried = new ArrayList<>();
        IOException last = new ConnectException("no address is given");
        for (String address : addresses) {
            tried.add(address);
            String target = path + "?" + parameters + "&timeout_ms=" + Math.max(1, timeout.toMillis());
            HttpRequest request = access.addTo(HttpRequest.newBuilder(uri(address, target)))
                    .timeout(timeout.plus(GRACE))
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build();
            try {
                return read(address, http.send(request, BodyHandlers.ofString()));
            } catch (ConnectException | HttpConnectTimeoutException e) {
                last = e;
            } catch (IOException e) {
                throw new SpillwayException(
                        Code.OUTCOME_UNKNOWN,
                        "whether it was done is not known",
                        address + " did not answer: " + e,
                        "look at spillway cluster status, then try again",
                        0,
                        e);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
        throw unreachable(tried, last);
    }

    /** Asks for a change that only the leader makes: of the first broker that does not say that it is not that one. */
    Map<String, @Nullable Object> postToLeader(String path, Map<String, String> query, Duration timeout)
            throws IOException {
        SpillwayException failure = null;
        for (String address : addresses) {
            try {
                return new AdminClient(List.of(address), access).post(path, query, timeout);
            } catch (SpillwayException e) {
                if (e.code() != Code.NOT_LEADER && e.code() != Code.CONNECT_FAILED) {
                    throw e;
                }
                failure = worse(failure, e);
            }
        }
        throw failure == null ? noneGiven() : failure;
    }

    static UsageException noneGiven() {
        return new UsageException("no node is given", "--http is empty", "give the http address of a node");
    }

    /** What a broker said says more than that one cannot be reached. */
    static SpillwayException worse(@Nullable SpillwayException before, SpillwayException now) {
        return before != null && now.code() == Code.CONNECT_FAILED ? before : now;
    }

    private HttpClient http(Duration timeout) {
        return access.addTo(HttpClient.newBuilder())
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(timeout.compareTo(MAX_CONNECT) < 0 ? timeout : MAX_CONNECT)
                .build();
    }

    private URI uri(String address, String target) {
        return URI.create(access.scheme() + "://" + address + target);
    }

    static SpillwayException unreachable(List<String> tried, IOException cause) {
        return new SpillwayException(
                Code.CONNECT_FAILED,
                "no broker answers at " + String.join(", ", tried),
                cause.getMessage() == null ? cause.toString() : cause.getMessage(),
                "give the http address of a node that runs with --http",
                0,
                cause);
    }

    private static SpillwayException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new SpillwayException(
                Code.OUTCOME_UNKNOWN, "the command was ended", "interrupted", "run it again", 0, e);
    }

    private static Map<String, @Nullable Object> read(String address, HttpResponse<String> response) {
        Map<String, @Nullable Object> answer;
        try {
            answer = JsonText.object(response.body());
        } catch (IOException e) {
            String body = response.body().strip();
            throw new SpillwayException(
                    Code.UNSUPPORTED_FEATURE,
                    "what " + address + " answers is not understood",
                    "status " + response.statusCode() + ": "
                            + (body.length() > MAX_SHOWN ? body.substring(0, MAX_SHOWN) + "..." : body),
                    "check that a broker of this version listens there for http",
                    0,
                    e);
        }
        if (response.statusCode() / 100 != 2) {
            throw new SpillwayException(
                    code(text(answer, "code")), text(answer, "what"), text(answer, "why"), text(answer, "next_step"));
        }
        return answer;
    }

    private static Code code(String reason) {
        try {
            return Code.valueOf(reason);
        } catch (IllegalArgumentException e) {
            return Code.INTERNAL;
        }
    }

    /** Empty when it is not there, or null. */
    static String text(Map<String, @Nullable Object> object, String name) {
        Object value = object.get(name);
        return value == null ? "" : value.toString();
    }
}
