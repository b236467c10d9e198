/** What keeps the load of one from being the trouble of others: fair turns, rates, levels of pressure. Pure. */
@NullMarked
package io.spillway.broker.flow;

import org.jspecify.annotations.NullMarked;
