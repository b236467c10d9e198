/** Who gets the next delivery. Pure. */
@NullMarked
package io.spillway.broker.dispatch;

import org.jspecify.annotations.NullMarked;
