package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway link}: topics of another cluster copied to this one, and taken over. */
@Command(
        name = "link",
        description = {
            "Copies topics of another cluster to this one, record by record at the same offsets, and takes them over.",
            "Talks to the http address of the cluster that copies; the leader does what is asked."
        })
final class LinkCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration PROMOTE_TIMEOUT = Duration.ofMinutes(5);
    private static final long WATCH_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final String NAME = "name";

    private final Console console;

    LinkCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "create",
            description = {
                "Copies topics of another cluster from now on, and new ones that match as they appear.",
                "They can be read here as streams; publishing and groups stay at the source until the link is promoted."
            })
    int create(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NAME", description = "Its name here.") String name,
            @Option(
                            names = "--from",
                            required = true,
                            split = ",",
                            paramLabel = "HOST:PORT",
                            description = "Where clients reach the source: nodes of it, separated by commas.")
                    List<String> from,
            @Option(
                            names = "--topics",
                            required = true,
                            split = ",",
                            paramLabel = "TOPIC",
                            description = "Topics, or beginnings of names with a * behind, separated by commas.")
                    List<String> topics,
            @Option(
                            names = "--rate",
                            paramLabel = "BYTES",
                            defaultValue = "0",
                            description = "The most bytes a second. Default: no bound.")
                    long rate)
            throws IOException {
        Map<String, String> query = new LinkedHashMap<>();
        query.put(NAME, name);
        query.put("from", String.join(",", from));
        query.put("topics", String.join(",", topics));
        query.put("rate", Long.toString(rate));
        return done(http, post(http, "create", query), "link " + name + " copies " + String.join(",", topics));
    }

    @Command(name = "list", description = "Shows the links that end here.")
    int list(@Mixin HttpOptions http) throws IOException {
        LinkReport report = report(http);
        if (http.json()) {
            console.line(report.json());
        } else {
            console.line(LinkTables.list(report));
        }
        return ExitCode.OK;
    }

    @Command(
            name = "status",
            description = "Shows a link: each topic's partitions, how far behind they are, and what is not well.")
    int status(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Option(names = "--watch", description = "Again every second, until it is ended.") boolean watch)
            throws IOException {
        while (true) {
            LinkReport.Link link = report(http).link(name);
            if (http.json()) {
                console.line(link.json());
            } else {
                console.line(LinkTables.status(link));
            }
            if (!watch || Thread.interrupted()) {
                return link.isWell() ? ExitCode.OK : ExitCode.REFUSED;
            }
            LockSupport.parkNanos(this, WATCH_NS);
        }
    }

    @Command(
            name = "promote",
            description = {
                "Takes the topics over: the source lets go of them, the rest is copied, and they live here. Nothing is lost.",
                "With --force at once and without the source: what was not copied yet is missing here, and the source is told "
                        + "when it can be reached.",
                "Waits until it is done."
            })
    int promote(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NAME", description = "Its name.") String name,
            @Option(names = "--force", description = "Without waiting for the source.") boolean force)
            throws IOException {
        Map<String, String> query = new LinkedHashMap<>();
        query.put(NAME, name);
        query.put("force", Boolean.toString(force));
        post(http, "promote", query);
        long deadline = System.nanoTime() + http.timeout(PROMOTE_TIMEOUT).toNanos();
        while (true) {
            LinkReport.Link link = report(http).link(name);
            if (link.isPromoted()) {
                console.line(http.json() ? link.json() : LinkTables.promoted(link));
                return ExitCode.OK;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new SpillwayException(
                        Code.DEADLINE_EXCEEDED,
                        "link " + name + " is not promoted yet",
                        link.why().isEmpty() ? "it copies the rest" : link.why(),
                        "it goes on by itself, see spillway link status " + name
                                + "; to go on without the source: spillway link promote " + name + " --force");
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    @Command(
            name = "delete",
            description = {
                "Ends a link. Topics of one that was not promoted stay copies, which go on when a link of that name is created "
                        + "again, or are deleted."
            })
    int delete(@Mixin HttpOptions http, @Parameters(paramLabel = "NAME", description = "Its name.") String name)
            throws IOException {
        return done(http, post(http, "delete", Map.of(NAME, name)), "link " + name + " is deleted");
    }

    @Command(
            name = "lift",
            description = {
                "Opens topics here again that a link took to another cluster. Make sure that nobody publishes to them there: "
                        + "nothing brings the two together again."
            })
    int lift(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "TOPIC", arity = "1..*", description = "Their names.") List<String> topics)
            throws IOException {
        String names = String.join(",", topics);
        return done(http, post(http, "lift", Map.of("topics", names)), "open here: " + names);
    }

    private int done(HttpOptions http, Map<String, @Nullable Object> answer, String text) throws IOException {
        console.line(http.json() ? LinkReport.json(answer) : text);
        return ExitCode.OK;
    }

    private static Map<String, @Nullable Object> post(HttpOptions http, String change, Map<String, String> query)
            throws IOException {
        return http.client().postToLeader("/links/" + change, query, http.timeout(CHANGE_TIMEOUT));
    }

    private static LinkReport report(HttpOptions http) throws IOException {
        SpillwayException failure = null;
        for (String address : http.client().addresses()) {
            try {
                LinkReport report = LinkReport.of(http.client().get(address, "/links", http.timeout(READ_TIMEOUT)));
                if (report.runsHere()) {
                    return report;
                }
                failure = AdminClient.worse(
                        failure,
                        new SpillwayException(
                                Code.NOT_LEADER,
                                address + " runs no links",
                                "another node leads the cluster",
                                "give the http addresses of all nodes"));
            } catch (SpillwayException e) {
                failure = AdminClient.worse(failure, e);
            }
        }
        throw failure == null ? AdminClient.noneGiven() : failure;
    }
}
