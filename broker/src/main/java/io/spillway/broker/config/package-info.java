/** The settings of a broker: what there is, where a value came from, and what is wrong with it. */
@NullMarked
package io.spillway.broker.config;

import org.jspecify.annotations.NullMarked;
