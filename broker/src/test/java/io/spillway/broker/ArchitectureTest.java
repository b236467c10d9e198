package io.spillway.broker;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.SimpleConditionEvent.violated;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.syntax.elements.GivenClassesConjunction;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The drawing of docs/architecture.md as rules: floors, threads, and what each package may touch. */
class ArchitectureTest {
    private static final String ROOT = "io.spillway.broker";

    /** From the roof to the ground. A package may import the floors below its own; neighbours of a floor nothing. */
    private static final List<List<String>> FLOORS = List.of(
            List.of("cli"),
            List.of(""),
            List.of("transport", "admin"),
            List.of("session"),
            List.of("replay", "cluster", "link", "canary", "backup"),
            List.of("audit"),
            List.of("shard"),
            List.of(
                    "catalog",
                    "log",
                    "replication",
                    "idempotency",
                    "subscription",
                    "dispatch",
                    "flow",
                    "toggles",
                    "diagnose",
                    "auth",
                    "tracing"),
            List.of("config", "metrics", "filter", "logging", "chaos"),
            List.of("base", "records"));

    /** No threads, locks, clock, sockets. */
    private static final String[] PURE =
            packages("catalog", "idempotency", "subscription", "dispatch", "flow", "toggles", "diagnose", "filter");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);

    private static String[] packages(String... names) {
        return Arrays.stream(names).map(name -> ROOT + "." + name + "..").toArray(String[]::new);
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(CLASSES);
    }

    @Test
    void importsPointDown() {
        check(classes().should(dependOnLowerFloorsOnly()));
    }

    private static ArchCondition<JavaClass> dependOnLowerFloorsOnly() {
        return new ArchCondition<>("depend on lower floors only") {
            @Override
            public void check(JavaClass from, ConditionEvents events) {
                int floor = floor(from);
                for (Dependency dependency : from.getDirectDependenciesFromSelf()) {
                    JavaClass to = dependency.getTargetClass().getBaseComponentType();
                    boolean isOurs = to.getPackageName().equals(ROOT)
                            || to.getPackageName().startsWith(ROOT + ".");
                    if (isOurs && !name(from).equals(name(to)) && floor >= floor(to)) {
                        events.add(violated(dependency, dependency.getDescription()));
                    }
                }
            }
        };
    }

    /** The package's name below the root; sub-packages belong to it. */
    private static String name(JavaClass type) {
        String below = type.getPackageName().substring(ROOT.length());
        return below.isEmpty() ? below : below.split("\\.")[1];
    }

    private static int floor(JavaClass type) {
        for (int floor = 0; floor < FLOORS.size(); floor++) {
            if (FLOORS.get(floor).contains(name(type))) {
                return floor;
            }
        }
        throw new AssertionError(
                "package " + type.getPackageName() + " has no floor; give it one here and in the docs");
    }

    @Test
    void packagesHaveNoCycles() {
        check(slices().matching(ROOT + ".(*)..").should().beFreeOfCycles());
    }

    @Test
    void chronicleIsKnownToTheLogOnly() {
        check(onlyIn(packages("log"), "net.openhft.."));
    }

    @Test
    void ratisIsKnownToReplicationOnly() {
        check(onlyIn(packages("replication"), "org.apache.ratis.."));
    }

    @Test
    void channelsAreKnownToTransportAndAdminOnly() {
        check(onlyIn(packages("transport", "admin"), "io.netty.channel.."));
    }

    @Test
    void ourClientIsKnownToTheCommandLineOnly() {
        check(onlyIn(packages("cli"), "io.spillway.client.."));
    }

    @Test
    void metersAreKnownToMetricsOnly() {
        check(onlyIn(withRoot("metrics", "admin"), "io.micrometer.."));
    }

    private static ArchRule onlyIn(String[] packages, String library) {
        return noClasses()
                .that(are(not(resideInAnyPackage(packages))))
                .should()
                .dependOnClassesThat(resideInAPackage(library));
    }

    private static String[] withRoot(String... names) {
        String[] packages = Arrays.copyOf(packages(names), names.length + 1);
        packages[names.length] = ROOT;
        return packages;
    }

    private static DescribedPredicate<JavaClass> not(DescribedPredicate<JavaClass> predicate) {
        return DescribedPredicate.not(predicate);
    }

    @Test
    void timeAndSleepComeFromOutside() {
        check(outsideOf("base", "cli")
                .should()
                .callMethodWhere(isCallOf(System.class, "currentTimeMillis", "nanoTime")));
        check(outsideOf("base", "cli").should().callMethodWhere(isCallOf(Thread.class, "sleep")));
        check(outsideOf("base", "cli").should().callMethod(Instant.class, "now"));
    }

    @Test
    void randomnessComesFromOutside() {
        check(outsideOf("base", "cli")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Random.class, ThreadLocalRandom.class));
        check(outsideOf("base", "cli").should().callMethodWhere(isCallOf(Math.class, "random")));
    }

    @Test
    void onlyTheCommandLineEndsTheProcessOrPrints() {
        check(outsideOf("cli").should().callMethodWhere(isCallOf(System.class, "exit")));
        check(outsideOf("cli").should().accessField(System.class, "out"));
        check(outsideOf("cli").should().accessField(System.class, "err"));
        check(outsideOf("cli").should().callMethodWhere(isCallOf(Throwable.class, "printStackTrace")));
    }

    private static GivenClassesConjunction outsideOf(String... names) {
        return noClasses().that(are(not(resideInAnyPackage(packages(names)))));
    }

    private static DescribedPredicate<JavaMethodCall> isCallOf(Class<?> owner, String... names) {
        return DescribedPredicate.describe(
                owner.getSimpleName() + "." + String.join("|", names),
                call -> call.getTargetOwner().isAssignableTo(owner)
                        && List.of(names).contains(call.getName()));
    }

    @Test
    void purePackagesTouchNeitherThreadsNorDevices() {
        check(noClasses()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.util.concurrent..",
                        "java.net..",
                        "java.nio.file..",
                        "java.nio.channels..",
                        "java.io..",
                        "java.time..",
                        "org.slf4j..",
                        "io.netty.channel..",
                        "io.netty.util.concurrent.."));
        check(noClasses()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class));
        check(noClasses()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName(ROOT + ".base.Clock"));
        check(classes().that().resideInAnyPackage(PURE).should(haveNoMember(JavaModifier.SYNCHRONIZED)));
        check(classes().that().resideInAnyPackage(PURE).should(haveNoMember(JavaModifier.VOLATILE)));
    }

    private static ArchCondition<JavaClass> haveNoMember(JavaModifier modifier) {
        return new ArchCondition<>("have no " + modifier + " member") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                type.getMembers().stream()
                        .filter(member -> member.getModifiers().contains(modifier))
                        .forEach(member -> events.add(violated(member, member.getFullName() + " is " + modifier)));
            }
        };
    }

    @Test
    void packagesAreNamedAfterIdeas() {
        check(noClasses()
                .should()
                .resideInAnyPackage("..util..", "..common..", "..helper..", "..manager..", "..impl.."));
        check(noClasses().should().haveNameMatching(".*\\.\\w+(Util|Utils|Helper|Manager|Impl)"));
    }

    @Test
    void everyPackageSaysThatNothingIsNull() {
        List<String> unmarked = CLASSES.stream()
                .filter(type -> !name(type).equals("records"))
                .map(JavaClass::getPackage)
                .distinct()
                .filter(type -> type.tryGetAnnotationOfType(NullMarked.class).isEmpty())
                .map(type -> type.getName())
                .toList();

        assertThat(unmarked).as("packages without @NullMarked").isEmpty();
    }
}
