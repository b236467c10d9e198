package io.spillway.protocol;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;

/**
 * A test with a {@link RandomGenerator} parameter, run with several seeds. The seed is part of the run's name, so that a
 * failure names it; {@code -Dspillway.seed=N} runs that one alone.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(Seeded.Runs.class)
public @interface Seeded {
    /** Number of seeds. */
    int runs() default 10;

    /** Makes one run a seed. */
    final class Runs implements TestTemplateInvocationContextProvider {
        @Override
        public boolean supportsTestTemplate(ExtensionContext context) {
            return true;
        }

        @Override
        public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
            Long only = Long.getLong("spillway.seed");
            if (only != null) {
                return Stream.of(new Run(only));
            }
            int runs =
                    context.getRequiredTestMethod().getAnnotation(Seeded.class).runs();
            long first = System.nanoTime();
            return IntStream.range(0, runs).mapToObj(i -> new Run(first + i));
        }
    }

    /** One run. */
    record Run(long seed) implements TestTemplateInvocationContext, ParameterResolver, TestExecutionExceptionHandler {
        @Override
        public String getDisplayName(int index) {
            return "seed " + seed + " (again: -Dspillway.seed=" + seed + ")";
        }

        @Override
        public List<Extension> getAdditionalExtensions() {
            return List.of(this);
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == RandomGenerator.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return new SplittableRandom(seed);
        }

        /** Not every report shows the name of a run, so the failure itself names the seed. */
        @Override
        public void handleTestExecutionException(ExtensionContext context, Throwable thrown) {
            throw new AssertionError(getDisplayName(0) + ": " + thrown.getMessage(), thrown);
        }
    }
}
