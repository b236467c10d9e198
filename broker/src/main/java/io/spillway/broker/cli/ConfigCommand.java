package io.spillway.broker.cli;

import io.spillway.broker.config.EffectiveSettings;
import io.spillway.broker.config.Origin;
import io.spillway.broker.config.Setting;
import io.spillway.broker.config.Settings;
import java.io.IOException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code spillway config}: what a broker started like this would run with. */
@Command(name = "config", description = "Shows the settings of a broker.")
final class ConfigCommand {
    private final Console console;

    ConfigCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "show",
            description = {
                "Shows each setting, its value in effect and where that came from.",
                "Takes the same file, environment and flags as serve, and starts nothing."
            })
    int show(
            @Mixin SettingOptions options,
            @Option(names = "--output", paramLabel = "FORMAT", description = "text or json. Default: text.")
                    OutputFormat output)
            throws IOException {
        EffectiveSettings settings = options.load(System.getenv());
        if (output == OutputFormat.JSON) {
            for (Setting<?> setting : Settings.ALL) {
                showJson(setting, settings);
            }
        } else {
            Table table = new Table("SETTING", "VALUE", "SOURCE");
            for (Setting<?> setting : Settings.ALL) {
                table.row(setting.key(), settings.text(setting), settings.origin(setting));
            }
            console.line(table.toString());
        }
        return ExitCode.OK;
    }

    private void showJson(Setting<?> setting, EffectiveSettings settings) throws IOException {
        Origin origin = settings.origin(setting);
        console.json(json -> {
            json.writeStartObject();
            json.writeStringField("setting", setting.key());
            json.writeStringField("value", settings.text(setting));
            json.writeStringField("source", origin.kind().toString());
            json.writeStringField("where", origin.where());
            json.writeStringField("default", setting.defaultText());
            json.writeEndObject();
        });
    }
}
