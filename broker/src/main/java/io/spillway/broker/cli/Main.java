package io.spillway.broker.cli;

import picocli.CommandLine;

public final class Main {
    private Main() {}

    public static void main(String[] args) {
        CommandLine c = new CommandLine(new Root());
        int code = c.execute(args);
        System.exit(code);
    }

    @CommandLine.Command(
            name = "spillway",
            subcommands = {ServeCommand.class})
    static final class Root {}
}
