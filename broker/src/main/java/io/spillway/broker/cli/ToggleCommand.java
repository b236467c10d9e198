package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway toggle}: what is changed while the broker runs, for a share of those it concerns, and taken back. */
@Command(
        name = "toggle",
        description = {
            "Changes how the broker works while it runs: for all, or for a share of clients or groups, and for good or until "
                    + "nobody confirms it.",
            "Names that begin with app. are for applications: all clients hear of them.",
            "Talks to the http address of the broker; in a cluster the leader does what is asked."
        })
final class ToggleCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);
    private static final String NAME = "Of the toggle, such as dispatch.weighted.";

    private final Console console;

    ToggleCommand(Console console) {
        this.console = console;
    }

    @Command(name = "list", description = "Shows the toggles there are.")
    int list(@Mixin HttpOptions http) throws IOException {
        Map<String, @Nullable Object> answer = read(http);
        console.line(http.json() ? LinkReport.json(answer) : ToggleView.table(answer));
        return ExitCode.OK;
    }

    @Command(name = "show", description = "Shows one toggle: what it does, what it is and was, who set it and why.")
    int show(@Mixin HttpOptions http, @Parameters(paramLabel = "NAME", description = NAME) String name)
            throws IOException {
        for (Map<String, @Nullable Object> toggle : LinkReport.objects(read(http), "toggles")) {
            if (AdminClient.text(toggle, "name").equals(name)) {
                console.line(http.json() ? LinkReport.json(toggle) : ToggleView.details(toggle));
                return ExitCode.OK;
            }
        }
        throw new SpillwayException(
                Code.NOT_FOUND,
                "there is no toggle " + name,
                "it is none of the broker's, and nobody set it for applications",
                "see spillway toggle list");
    }

    @Command(name = "set", description = "Sets a toggle for all or for a share.")
    int set(
            @Mixin HttpOptions http,
            @Mixin ToggleChangeOptions change,
            @Mixin ToggleSettingOptions setting,
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Parameters(paramLabel = "VALUE", description = "on, off, or one of its values. default sets it no more.")
                    String value)
            throws IOException {
        Map<String, String> query = change.query(name);
        query.put("value", value);
        setting.addTo(query);
        return done(http, post(http, "set", query));
    }

    @Command(name = "confirm", description = "Lets a toggle stay what it is, that would be reverted otherwise.")
    int confirm(
            @Mixin HttpOptions http,
            @Mixin ToggleChangeOptions change,
            @Parameters(paramLabel = "NAME", description = NAME) String name)
            throws IOException {
        return done(http, post(http, "confirm", change.query(name)));
    }

    @Command(name = "revert", description = "Makes a toggle what it was before.")
    int revert(
            @Mixin HttpOptions http,
            @Mixin ToggleChangeOptions change,
            @Parameters(paramLabel = "NAME", description = NAME) String name)
            throws IOException {
        return done(http, post(http, "revert", change.query(name)));
    }

    private static Map<String, @Nullable Object> read(HttpOptions http) throws IOException {
        return http.client().get("/toggles", http.timeout(READ_TIMEOUT));
    }

    private int done(HttpOptions http, Map<String, @Nullable Object> answer) throws IOException {
        console.line(http.json() ? LinkReport.json(answer) : ToggleView.done(answer));
        return ExitCode.OK;
    }

    private static Map<String, @Nullable Object> post(HttpOptions http, String change, Map<String, String> query)
            throws IOException {
        return http.client().postToLeader("/toggles/" + change, query, http.timeout(CHANGE_TIMEOUT));
    }

    /** Why, and on what condition. */
    static final class ToggleChangeOptions {
        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why; it is written to the audit.")
        private String reason = "";

        @Option(names = "--ticket", paramLabel = "TEXT", description = "Where it is discussed.")
        private String ticket = "";

        @Option(
                names = "--expect-revision",
                paramLabel = "N",
                description = "The revision it must have, or nothing is changed; 0 = nobody has set it. Default: any.")
        private @Nullable Long expectRevision;

        Map<String, String> query(String name) {
            Map<String, String> query = new LinkedHashMap<>();
            query.put("name", name);
            query.put("reason", reason);
            query.put("by", System.getProperty("user.name", ""));
            if (!ticket.isEmpty()) {
                query.put("ticket", ticket);
            }
            if (expectRevision != null) {
                query.put("expect_revision", expectRevision.toString());
            }
            return query;
        }
    }

    /** For whom and for how long. */
    static final class ToggleSettingOptions {
        private static final int PARTS_OF_PERCENT = 100;

        @Option(
                names = "--rollout",
                paramLabel = "PERCENT",
                description =
                        "The share that gets the value, such as 25 or 0.5; the others have the default. Default: 100.")
        private double percent = 100;

        @Option(
                names = "--scope",
                paramLabel = "KIND:NAME",
                description = "Only for a principal, lang, zone or topic. Default: for all.")
        private String scope = "";

        @Option(
                names = "--revert-after",
                paramLabel = "DURATION",
                description = "It becomes what it was after this time, unless it is confirmed.")
        private @Nullable Duration revertAfter;

        @Option(
                names = "--expires",
                paramLabel = "DURATION",
                description = "When it should be gone; then it holds all the same, and is warned of.")
        private @Nullable Duration expires;

        @Option(
                names = "--kind",
                paramLabel = "KIND",
                description = "Of a new toggle of applications: bool, percent or variant. Default: percent.")
        private String kind = "";

        void addTo(Map<String, String> query) {
            query.put("rollout_bp", Long.toString(Math.round(percent * PARTS_OF_PERCENT)));
            if (!scope.isEmpty()) {
                query.put("scope", scope);
            }
            if (revertAfter != null) {
                query.put("revert_after_ms", Long.toString(revertAfter.toMillis()));
            }
            if (expires != null) {
                query.put(
                        "expires_ms", Long.toString(Instant.now().plus(expires).toEpochMilli()));
            }
            if (!kind.isEmpty()) {
                query.put("kind", kind);
            }
        }
    }
}
