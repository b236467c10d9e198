package io.spillway.broker.cli;

import picocli.CommandLine.IVersionProvider;

/** What {@code --version} says: the version of the jar, as its manifest has it. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {"spillway " + (version == null ? "(built in place)" : version)};
    }
}
