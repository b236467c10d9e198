package io.spillway.broker.auth;

/**
 * Allows or denies a principal one operation on some resources.
 *
 * @param principal its name, or {@value #EVERYBODY}
 * @param name of the resource, or the beginning of its name; empty for the cluster
 * @param isPrefix whether it is a beginning; an empty one is all of them
 */
public record AccessRule(
        boolean allows, String principal, Resource resource, String name, boolean isPrefix, Operation operation) {
    public static final String EVERYBODY = "*";

    /** The topic of the audit. */
    private static final String AUDIT = "spillway.audit";

    /** Whether it speaks of that. A rule for everything is not one for the broker's audit, which has to be named. */
    boolean isAbout(Operation wanted, Resource kind, String which) {
        boolean isMeant = allows ? operation.implies(wanted) : operation == Operation.ALL || operation == wanted;
        if (!isMeant || resource != kind) {
            return false;
        }
        if (!isPrefix) {
            return name.equals(which);
        }
        boolean isHidden = allows && kind == Resource.TOPIC && which.equals(AUDIT);
        return which.startsWith(name) && !(isHidden && name.isEmpty());
    }

    /** The same thing is meant by two rules of one key, of which the later counts. */
    public String key() {
        return principal + " " + resource.text() + " " + pattern() + " " + operation.text();
    }

    /** As people write it: the name, or its beginning and a star. */
    public String pattern() {
        return isPrefix ? name + "*" : name;
    }

    @Override
    public String toString() {
        return (allows ? "allow " : "deny ") + key();
    }
}
