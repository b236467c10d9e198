/** The language in which a group or a replay says which records it wants: text to a compiled condition, and its evaluation. */
@NullMarked
package io.spillway.broker.filter;

import org.jspecify.annotations.NullMarked;
