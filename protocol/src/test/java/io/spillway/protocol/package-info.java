@NullMarked
package io.spillway.protocol;

import org.jspecify.annotations.NullMarked;
