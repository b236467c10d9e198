/** Measures a broker process through the Java client, beside the log library alone. {@code bench/run e2e} runs it. */
@NullMarked
package io.spillway.bench.endtoend;

import org.jspecify.annotations.NullMarked;
