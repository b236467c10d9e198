package io.spillway.broker.cli;

import io.spillway.client.ReplaySelection;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which records a replay is about. */
final class ReplaySelectionOptions {
    private static final Pattern PERCENT = Pattern.compile("(\\d{1,3})(?:\\.(\\d))?%");

    @Option(
            names = "--from",
            paramLabel = "POSITION",
            description = "From there on: earliest, offset:PARTITION:OFFSET or time:T. Default: earliest.")
    private @Nullable Position from;

    @Option(
            names = "--to",
            paramLabel = "POSITION",
            description = "Up to there, without it: latest, offset:PARTITION:OFFSET or time:T. Default: latest.")
    private @Nullable Position to;

    @Option(names = "--partition", split = ",", paramLabel = "N", description = "Only these partitions.")
    private List<Integer> partitions = new ArrayList<>();

    @Option(names = "--key", paramLabel = "KEY", description = "Only records with this key; may be given again.")
    private List<String> keys = new ArrayList<>();

    @Option(
            names = "--filter",
            paramLabel = "EXPR",
            description = "Only records whose headers match, such as \"type = 'order' && size > 3\".")
    private @Nullable String filter;

    @Option(names = "--cause", paramLabel = "CAUSE", description = "Only dead letters with this cause.")
    private @Nullable String cause;

    @Option(
            names = "--unacked-by",
            paramLabel = "GROUP",
            description = "Only records that this group has not settled when the plan is made.")
    private @Nullable String unackedBy;

    @Option(names = "--sample", paramLabel = "PERCENT", description = "Only so many of them, such as 10%% or 0.5%%.")
    private @Nullable String sample;

    ReplaySelection applyTo(ReplaySelection all) {
        ReplaySelection selection = all;
        selection = partitions.isEmpty() ? selection : selection.partitions(partitions);
        selection = from == null ? selection : selection.from(from.start());
        selection = to == null ? selection : selection.to(to.start());
        for (String key : keys) {
            selection = selection.key(key);
        }
        selection = filter == null ? selection : selection.filter(filter);
        selection = cause == null ? selection : selection.deadLetterCause(cause);
        selection = unackedBy == null ? selection : selection.unackedBy(unackedBy);
        return sample == null ? selection : selection.samplePerMille(perMille(sample));
    }

    private static int perMille(String text) {
        Matcher parts = PERCENT.matcher(text);
        int perMille = parts.matches()
                ? 10 * Integer.parseInt(parts.group(1))
                        + (parts.group(2) == null ? 0 : Integer.parseInt(parts.group(2)))
                : 0;
        if (perMille < 1 || perMille > 1000) {
            throw new UsageException("--sample is " + text, "it must be from 0.1% to 100%", "give a share such as 10%");
        }
        return perMille;
    }
}
