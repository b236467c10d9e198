package io.spillway.client.core;

import io.spillway.protocol.v1.PressureState;
import java.util.List;

/**
 * What a broker says when a session begins.
 *
 * @param zone where it is; empty = it does not say
 * @param nodes the endpoints of its cluster; one or none when it is alone
 */
public record Welcome(String zone, PressureState pressure, List<Node> nodes) {}
