package io.spillway.broker.admin;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code /console/}: the files of the console. There are those that are listed, whatever a path says. Confined to the admin thread. */
final class ConsoleRoutes {
    static final String ROOT = "/console/";

    /** Nothing from elsewhere, no script or style in the page itself, and in no frame. */
    static final String SECURITY_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    static final List<String> FILES = List.of(
            "index.html",
            "console.css",
            "icon.svg",
            "main.js",
            "api.js",
            "dom.js",
            "format.js",
            "table.js",
            "chart.js",
            "dialog.js",
            "parts.js",
            "views/overview.js",
            "views/topics.js",
            "views/topic.js",
            "views/groups.js",
            "views/group.js",
            "views/records.js",
            "views/deadletters.js",
            "views/replays.js",
            "views/toggles.js",
            "views/links.js",
            "views/quotas.js",
            "views/audit.js");

    private final Map<String, Answer> answers = new LinkedHashMap<>();

    static boolean areFor(String path) {
        return path.equals("/") || path.equals("/console") || path.startsWith(ROOT);
    }

    Answer answer(AdminRequest request) {
        if (!request.reads()) {
            return Answer.onlyBy(Answer.READS);
        }
        if (!request.path().startsWith(ROOT)) {
            return Answer.elsewhere(ROOT);
        }
        String below = request.path().substring(ROOT.length());
        String file = below.isEmpty() ? "index.html" : below;
        return FILES.contains(file)
                ? answers.computeIfAbsent(file, ConsoleRoutes::read)
                : Answer.text(404, "the console has no such file; it is at " + ROOT + "\n");
    }

    private static Answer read(String file) {
        try (InputStream in = ConsoleRoutes.class.getResourceAsStream("/console/" + file)) {
            return in == null
                    ? Answer.text(404, "the broker was built without its console\n")
                    : new Answer(200, type(file), new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("a file of the console cannot be read: " + file, e);
        }
    }

    private static String type(String file) {
        return switch (file.substring(file.lastIndexOf('.') + 1)) {
            case "html" -> "text/html; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "svg" -> "image/svg+xml";
            default -> "text/javascript; charset=utf-8";
        };
    }
}
