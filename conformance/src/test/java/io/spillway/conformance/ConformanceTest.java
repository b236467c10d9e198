package io.spillway.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.spillway.conformance.driver.Drivers;
import io.spillway.conformance.driver.Language;
import io.spillway.conformance.driver.Languages;
import io.spillway.conformance.proxy.Proxies;
import io.spillway.conformance.scenario.Scenario;
import io.spillway.conformance.scenario.ScenarioFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Runs every scenario with every language, and those with two actors with every ordered pair of them. */
class ConformanceTest {
    private static final Path ROOT = Path.of(System.getProperty("spillway.root", ".."));
    private static final Path PAGE = ROOT.resolve("docs/conformance.md");
    /** The languages that must be there; empty: whichever are. */
    private static final List<String> REQUIRED = Stream.of(
                    System.getProperty("conformance.languages", "").split(","))
            .filter(name -> !name.isBlank())
            .toList();

    private static final String WANTED = System.getProperty("conformance.scenarios", "");
    private static final List<Scenario> ALL = ScenarioFile.readAll(ROOT.resolve("conformance/scenarios"));

    @TempDir
    static Path directory;

    private static Matrix matrix;
    private static Drivers drivers;
    private static Brokers brokers;
    private static Proxies proxies;

    private static List<String> languages() {
        return REQUIRED.isEmpty()
                ? Languages.load(ROOT).stream().map(Language::name).toList()
                : REQUIRED;
    }

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        List<Language> chosen = Languages.load(ROOT).stream()
                .filter(language -> languages().contains(language.name()))
                .toList();
        matrix = new Matrix(languages());
        drivers = Drivers.start(chosen, directory);
        brokers = new Brokers(directory);
        proxies = new Proxies();
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        proxies.close();
        try {
            drivers.running().forEach((language, driver) -> assertThatEnds(language));
        } finally {
            drivers.close();
            brokers.close();
        }
        String page = matrix.page(ALL);
        System.out.println(page);
        if (Boolean.getBoolean("docs.rewrite") && WANTED.isEmpty()) {
            Files.writeString(PAGE, page);
        }
    }

    private static void assertThatEnds(String language) {
        try {
            assertThat(drivers.of(language).end())
                    .as("exit code of the %s driver at the end of its input", language)
                    .isZero();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @TestFactory
    @Execution(ExecutionMode.CONCURRENT)
    Stream<DynamicContainer> scenarios() {
        return ALL.stream()
                .filter(scenario -> WANTED.isEmpty() || scenario.name().matches(WANTED))
                .map(scenario -> dynamicContainer(
                        scenario.name(),
                        Matrix.choices(languages(), scenario.actors().size()).stream()
                                .map(choice ->
                                        dynamicTest(Matrix.title(choice), () -> runAndRecord(scenario, choice)))));
    }

    private static void runAndRecord(Scenario scenario, List<String> choice) throws Exception {
        for (String language : choice) {
            if (!drivers.has(language)) {
                matrix.add(scenario, choice, Matrix.Result.MISSING);
                String why = drivers.whyMissing(language);
                assertThat(REQUIRED).as(why).doesNotContain(language);
                assertThat(drivers.isBroken(language)).as(why).isFalse();
                assumeTrue(false, why);
            }
        }
        matrix.add(scenario, choice, Matrix.Result.FAILED);
        run(scenario, choice);
        matrix.add(scenario, choice, Matrix.Result.PASSED);
    }

    private static void run(Scenario scenario, List<String> choice) throws Exception {
        if (!scenario.ownBroker()) {
            try (ScenarioRun run =
                    new ScenarioRun(scenario, choice, drivers, brokers.shared(), brokers.shared(), null, proxies)) {
                run.run();
            }
            return;
        }
        OwnBroker own = brokers.take(scenario.settings());
        try (ScenarioRun run =
                new ScenarioRun(scenario, choice, drivers, own.process(), brokers.shared(), own, proxies)) {
            run.run();
        } finally {
            brokers.giveBack(own);
        }
    }
}
