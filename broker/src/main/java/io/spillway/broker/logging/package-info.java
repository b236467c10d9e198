/** The log as JSON: the same lines that slf4j-simple writes for people, as an object a line with a field for each fact. */
@NullMarked
package io.spillway.broker.logging;

import org.jspecify.annotations.NullMarked;
