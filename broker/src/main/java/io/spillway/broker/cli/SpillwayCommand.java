package io.spillway.broker.cli;

import java.time.Duration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ScopeType;

/** The root of the commands. */
@Command(
        name = "spillway",
        description = "A durable message buffer: keeps what is published until it is consumed.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        scope = ScopeType.INHERIT,
        usageHelpWidth = 100,
        footer = {
            "",
            "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no broker or no answer in time,",
            "4 not found, 5 refused for now, 6 damage found by log verify."
        })
final class SpillwayCommand {
    /** Read by {@link Main} from the bare arguments; declared here so that every command knows it. */
    static final String VERBOSE = "--verbose";

    /** All commands, ready to run. */
    static CommandLine commandLine(Console console) {
        CommandLine root = new CommandLine(new SpillwayCommand());
        root.getCommandSpec()
                .addOption(OptionSpec.builder(VERBOSE)
                        .type(boolean.class)
                        .scopeType(ScopeType.INHERIT)
                        .description("With the stack trace of an error.")
                        .build());
        root.addSubcommand(new ServeCommand())
                .addSubcommand(new TopicCommand(console))
                .addSubcommand(new PublishCommand(console))
                .addSubcommand(new ConsumeCommand(console))
                .addSubcommand(new GroupCommand(console))
                .addSubcommand(new LogCommand(console))
                .addSubcommand(new BenchCommand(console));
        return root.registerConverter(Duration.class, new DurationParser())
                .registerConverter(Position.class, new Position.Parser())
                .setCaseInsensitiveEnumValuesAllowed(true);
    }
}
