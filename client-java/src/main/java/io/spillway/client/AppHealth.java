package io.spillway.client;

/**
 * What an application says of itself.
 *
 * @param state makes the client's no better than this; READY leaves it to what is measured
 * @param utilPm how much of what it has the application uses, per mille; from 800 on in two reports it is degraded
 */
public record AppHealth(HealthState state, int utilPm) {}
