package io.spillway.chaos.scenario;

import java.util.List;

/**
 * What came of a scenario.
 *
 * @param injected what was done to it
 * @param seconds it took, with its cluster
 * @param notes what explains a figure that was not met
 */
public record Result(int number, String name, String injected, long seconds, List<Figure> figures, List<String> notes) {
    static final String HEAD = "| scenario | injected | expected | observed | |\n|---|---|---|---|---|\n";

    public boolean isGood() {
        return figures.stream().noneMatch(figure -> figure.verdict() == Figure.Verdict.FAIL);
    }

    /** Lines of a table. */
    String rows() {
        StringBuilder rows = new StringBuilder();
        for (Figure figure : figures) {
            boolean isFirst = rows.isEmpty();
            rows.append("| ")
                    .append(isFirst ? number + " " + name : "")
                    .append(" | ")
                    .append(isFirst ? cell(injected) : "")
                    .append(" | ")
                    .append(cell(figure.expected()))
                    .append(" | ")
                    .append(cell(figure.observed()))
                    .append(" | ")
                    .append(figure.verdict())
                    .append(" |\n");
        }
        return rows.toString();
    }

    private static String cell(String text) {
        return text.replace("|", "/").replace('\n', ' ');
    }
}
