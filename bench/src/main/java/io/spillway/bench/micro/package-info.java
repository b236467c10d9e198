/** JMH benchmarks of single parts, with allocation per record ({@code -prof gc}). {@code bench/run micro} runs them. */
@NullMarked
package io.spillway.bench.micro;

import org.jspecify.annotations.NullMarked;
