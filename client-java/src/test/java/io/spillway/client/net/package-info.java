@NullMarked
package io.spillway.client.net;

import org.jspecify.annotations.NullMarked;
