/**
 * Links: topics of another cluster copied to this one, offset by offset, until this one takes them over. A link lives where
 * it ends: it asks for what it lacks.
 */
@NullMarked
package io.spillway.broker.link;

import org.jspecify.annotations.NullMarked;
