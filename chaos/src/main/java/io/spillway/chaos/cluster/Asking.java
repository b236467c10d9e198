package io.spillway.chaos.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;

/** What nodes say over HTTP. Who does not answer in time is told apart from who says no. Thread-safe. */
public final class Asking {
    private static final Duration LOOK_LIMIT = Duration.ofMillis(2_500);
    private static final Duration CHANGE_LIMIT = Duration.ofSeconds(12);

    /** An answer. */
    public record Said(int status, String body) {}

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(LOOK_LIMIT)
            .build();

    /** GET; nothing when there is no answer. */
    public CompletableFuture<Optional<Said>> get(Node node, String path) {
        return send(HttpRequest.newBuilder(uri(node, path)).timeout(LOOK_LIMIT).build());
    }

    private static URI uri(Node node, String path) {
        return URI.create("http://" + node.endpoints().http() + path);
    }

    private CompletableFuture<Optional<Said>> send(HttpRequest request) {
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .handle((response, failure) -> failure == null
                        ? Optional.of(new Said(response.statusCode(), response.body()))
                        : Optional.empty());
    }

    /** The sum of all series of a metric, or nothing when there is no answer. */
    public Optional<Double> metric(Node node, String name) {
        return get(node, "/metrics")
                .join()
                .map(said -> said.body()
                        .lines()
                        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
                        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                        .sum());
    }

    public boolean isReady(Node node) {
        return get(node, "/readyz").join().filter(said -> said.status() == 200).isPresent();
    }

    /** What a node says of the cluster. */
    public Optional<JsonNode> cluster(Node node) {
        return get(node, "/cluster").join().filter(said -> said.status() == 200).map(this::parse);
    }

    JsonNode parse(Said said) {
        try {
            return json.readTree(said.body());
        } catch (JsonProcessingException e) {
            throw new CompletionException(e);
        }
    }

    /** POST /cluster/CHANGE; what came of it. */
    public String change(Node asked, String change, Map<String, String> query) {
        return post(asked, "/cluster/" + change, query);
    }

    /** What came of it: done, or what the node says against it. */
    public String post(Node asked, String path, Map<String, String> query) {
        String text = query.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        HttpRequest request = HttpRequest.newBuilder(uri(asked, path + "?" + text))
                .timeout(CHANGE_LIMIT)
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        return send(request)
                .join()
                .map(said -> said.status() == 200 ? "done" : said.body().strip())
                .orElse("no answer");
    }
}
