/** Tests of bin/spillway as a person runs it. */
@NullMarked
package io.spillway.system.launcher;

import org.jspecify.annotations.NullMarked;
