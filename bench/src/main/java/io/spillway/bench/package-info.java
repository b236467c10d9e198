/** What both kinds of benchmark use: sample batches, and the log library alone as the baseline. */
@NullMarked
package io.spillway.bench;

import org.jspecify.annotations.NullMarked;
