package io.spillway.broker.cli;

import io.spillway.client.GroupMode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
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
            "4 not found, 5 refused for now, 6 damage found by log verify or backup."
        })
final class SpillwayCommand {
    /** Read by {@link Main} from the bare arguments; declared here so that every command knows it. */
    static final String VERBOSE = "--verbose";

    /**
     * The commands that the arguments can mean, ready to run: when the first one names a command, only that. Picocli looks
     * at every option by reflection; for all commands that takes longer than the rest of a broker's start.
     */
    static CommandLine commandLine(Console console, String... args) {
        CommandLine root = new CommandLine(new SpillwayCommand());
        root.getCommandSpec()
                .addOption(OptionSpec.builder(VERBOSE)
                        .type(boolean.class)
                        .scopeType(ScopeType.INHERIT)
                        .description("With the stack trace of an error.")
                        .build());
        Map<String, Supplier<Object>> commands = commands(console);
        if (args.length > 0 && commands.containsKey(args[0])) {
            commands.keySet().retainAll(Set.of(args[0]));
        }
        commands.forEach((name, command) -> root.addSubcommand(name, command.get()));
        return root.registerConverter(Duration.class, new DurationParser())
                .registerConverter(Position.class, new Position.Parser())
                .registerConverter(GroupMode.class, new ModeParser<>(GroupMode.class))
                .registerConverter(ConsumeMode.class, new ModeParser<>(ConsumeMode.class))
                .registerConverter(ReplayTargetOption.class, new ReplayTargetOption.Parser())
                .setCaseInsensitiveEnumValuesAllowed(true);
    }

    /** All commands by name, in the order of the help. */
    private static Map<String, Supplier<Object>> commands(Console console) {
        Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
        commands.put("serve", ServeCommand::new);
        commands.put("config", () -> new ConfigCommand(console));
        commands.put("topic", () -> new TopicCommand(console));
        commands.put("publish", () -> new PublishCommand(console));
        commands.put("consume", () -> new ConsumeCommand(console));
        commands.put("group", () -> new GroupCommand(console));
        commands.put("dlq", () -> DlqCommand.of(console));
        commands.put("replay", () -> new ReplayCommand(console));
        commands.put("audit", () -> new AuditCommand(console));
        commands.put("diagnose", () -> new DiagnoseCommand(console));
        commands.put("check", () -> new CheckCommand(console));
        commands.put("cluster", () -> new ClusterCommand(console));
        commands.put("link", () -> new LinkCommand(console));
        commands.put("quota", () -> new QuotaCommand(console));
        commands.put("toggle", () -> new ToggleCommand(console));
        commands.put("chaos", () -> new ChaosCommand(console));
        commands.put("canary", () -> new CanaryCommand(console));
        commands.put("user", () -> new UserCommand(console));
        commands.put("acl", () -> new AclCommand(console));
        commands.put("token", () -> new TokenCommand(console));
        commands.put("secure", () -> new SecureCommand(console));
        commands.put("log", () -> new LogCommand(console));
        commands.put("backup", () -> new BackupCommand(console));
        commands.put("bench", () -> new BenchCommand(console));
        return commands;
    }
}
