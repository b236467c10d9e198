package io.spillway.chaos.scenario;

/**
 * A partial failure that cannot be brought about here yet.
 *
 * @param missing why
 */
record Unplayed(int number, String name, String missing) implements Scenario {
    @Override
    public Setup setup() {
        return Setup.of(Net.ANY);
    }

    @Override
    public void play(Stage stage) {
        throw new IllegalStateException(missing);
    }
}
