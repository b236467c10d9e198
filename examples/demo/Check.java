import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Holds what a consumer printed against what was published: by SHA-256, record for record. Run by bin/demo.
 *
 * <p>{@code check INPUT OUTPUT} fails when a record is missing or was never published. {@code median OUTPUT} prints the
 * middle append time. {@code since OUTPUT TIME} prints how many different records were appended from that time on.
 */
public final class Check {
    private Check() {}

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "check" -> check(Path.of(args[1]), Path.of(args[2]));
            case "median" -> System.out.println(median(Path.of(args[1])));
            case "since" -> System.out.println(since(Path.of(args[1]), Long.parseLong(args[2])));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void check(Path input, Path output) throws IOException {
        Map<String, Integer> published = new HashMap<>();
        for (String record : paragraphs(input)) {
            published.merge(sha256(record), 1, Integer::sum);
        }
        Map<String, Integer> offsets = new HashMap<>();
        Map<String, Integer> arrived = new HashMap<>();
        int lines = 0;
        for (Message message : messages(output)) {
            lines++;
            if (offsets.merge(message.place(), 1, Integer::sum) == 1) {
                arrived.merge(sha256(message.value), 1, Integer::sum);
            }
        }
        long missing = published.entrySet().stream()
                .filter(one -> arrived.getOrDefault(one.getKey(), 0) < one.getValue())
                .count();
        long surplus = arrived.entrySet().stream()
                .filter(one -> published.getOrDefault(one.getKey(), 0) < one.getValue())
                .count();
        int total = published.values().stream().mapToInt(Integer::intValue).sum();
        System.out.printf(
                "%d published, %d stored, %d missing, %d stored twice or unknown, %d delivered again%n",
                total, offsets.size(), missing, surplus, lines - offsets.size());
        if (missing > 0 || surplus > 0) {
            System.exit(1);
        }
    }

    private record Message(int partition, long offset, long appendTime, String value) {
        String place() {
            return partition + "/" + offset;
        }
    }

    private static long median(Path output) throws IOException {
        long[] times = messages(output).stream()
                .mapToLong(Message::appendTime)
                .sorted()
                .toArray();
        return times[times.length / 2];
    }

    private static long since(Path output, long time) throws IOException {
        return messages(output).stream()
                .filter(message -> message.appendTime >= time)
                .map(Message::place)
                .distinct()
                .count();
    }

    private static List<Message> messages(Path output) throws IOException {
        JsonFactory json = new JsonFactory();
        List<Message> messages = new ArrayList<>();
        for (String line : Files.readAllLines(output)) {
            try (JsonParser parser = json.createParser(line)) {
                messages.add(message(parser));
            }
        }
        return messages;
    }

    private static Message message(JsonParser parser) throws IOException {
        int partition = -1;
        long offset = -1;
        long appendTime = -1;
        String value = "";
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            parser.nextToken();
            switch (field) {
                case "partition" -> partition = parser.getIntValue();
                case "offset" -> offset = parser.getLongValue();
                case "append_time" -> appendTime = parser.getLongValue();
                case "value" -> value = parser.getText();
                default -> parser.skipChildren();
            }
        }
        return new Message(partition, offset, appendTime, value);
    }

    /** What lies between blank lines, as the publish command cuts it. */
    private static List<String> paragraphs(Path input) throws IOException {
        List<String> paragraphs = new ArrayList<>();
        StringBuilder current = new StringBuilder();
        try (BufferedReader reader = Files.newBufferedReader(input)) {
            String line;
            while ((line = reader.readLine()) != null) {
                if (!line.isEmpty()) {
                    current.append(current.length() == 0 ? "" : "\n").append(line);
                } else if (current.length() > 0) {
                    paragraphs.add(current.toString());
                    current.setLength(0);
                }
            }
        }
        if (current.length() > 0) {
            paragraphs.add(current.toString());
        }
        return paragraphs;
    }

    private static String sha256(String text) {
        try {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
