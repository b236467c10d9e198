package io.spillway.system.otlp;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Takes spans by OTLP over HTTP, in protobuf and in JSON, and keeps them. Thread-safe. */
public final class OtlpReceiver implements AutoCloseable {
    private static final String PATH = "/v1/traces";

    private final HttpServer server;
    private final List<ReceivedSpan> spans = new CopyOnWriteArrayList<>();
    private final List<String> wrong = new CopyOnWriteArrayList<>();
    private volatile int status = 200;

    private OtlpReceiver(HttpServer server) {
        this.server = server;
    }

    public static OtlpReceiver start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        OtlpReceiver receiver = new OtlpReceiver(server);
        server.createContext("/", receiver::receive);
        server.start();
        return receiver;
    }

    private void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            String type = String.valueOf(exchange.getRequestHeaders().getFirst("Content-Type"));
            if (!exchange.getRequestURI().getPath().equals(PATH)
                    || !exchange.getRequestMethod().equals("POST")) {
                wrong.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
                exchange.sendResponseHeaders(404, -1);
            } else if (status != 200) {
                exchange.sendResponseHeaders(status, -1);
            } else {
                boolean isJson = type.startsWith("application/json");
                spans.addAll(isJson ? OtlpJson.spans(body) : OtlpProtobuf.spans(body));
                exchange.getResponseHeaders()
                        .set("Content-Type", isJson ? "application/json" : "application/x-protobuf");
                byte[] answer = isJson ? "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8) : new byte[0];
                exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
                exchange.getResponseBody().write(answer);
            }
        } catch (IOException | RuntimeException e) {
            wrong.add(e.toString());
            throw e;
        }
    }

    /** Answers with this from now on; 200 takes spans. */
    public void answer(int newStatus) {
        status = newStatus;
    }

    /** HOST:PORT. */
    public String address() {
        return server.getAddress().getAddress().getHostAddress() + ":"
                + server.getAddress().getPort();
    }

    public List<ReceivedSpan> spans() {
        return List.copyOf(spans);
    }

    /** Of that trace and that name. */
    public List<ReceivedSpan> spans(String traceId, String name) {
        return spans.stream()
                .filter(span -> span.traceId().equals(traceId) && span.name().equals(name))
                .toList();
    }

    /** What came and was no export of spans. */
    public List<String> wrong() {
        return List.copyOf(wrong);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
